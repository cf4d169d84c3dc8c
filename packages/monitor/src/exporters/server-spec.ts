/** The options of the metrics server, beside those of all exporters of metrics. Each is written here, and nowhere else. */
import type { OptionSpecs } from "@redis-batch/core/internal/options";
import type { ReportSource } from "./registry.ts";

export const METRICS_SERVER_SPEC = {
  /** Where the reports come from: the last one of a running monitor, or a fresh one (`() => monitor.inspect()`). */
  source: {
    ...{ kind: "own", value: {} as ReportSource },
    required: true,
    about: "function that returns a report: the last one of a running monitor, or a new one",
  },
  /** The answers to the probes. Default: live while the process answers, ready once the source has a report. */
  health: {
    ...{ kind: "function", value: {} as () => { readonly live: boolean; readonly ready: boolean } },
    otherwise: "live while the process answers, ready once there is a report",
    about: "function that returns what the probes answer",
  },
  /** Called with the error of a failed answer; clients do not see it. Default: a process warning. */
  onError: {
    ...{ kind: "function", value: {} as (error: unknown) => void, otherwise: "a process warning" },
    about: "function that is called with the error of a failed answer",
  },
  /**
   * The token that a client must send as `Authorization: Bearer …` to read `/metrics`. Default: none. `/healthz` and
   * `/readyz` stay open, because they only say yes or no. The token is sent unencrypted: put TLS in front of it on a network.
   */
  token: {
    ...{ kind: "token", otherwise: "none" },
    about: "token that a client must send as `Authorization: Bearer …` to read `/metrics`",
  },
  /** The port, 0 to 65,535; 0 picks a free one. */
  port: { kind: "integer", required: true, min: 0, max: 65_535, about: "the port; 0 picks a free one" },
  /** The address to listen on. Default `127.0.0.1`: only this machine. `0.0.0.0` or `::`: accept connections from everywhere. */
  host: {
    ...{ kind: "text", default: "127.0.0.1" },
    about: "address to listen on; `0.0.0.0` or `::` accepts connections from everywhere",
  },
  /** Maximum time that the source may take, in milliseconds, 100 to 600,000; then the answer is 503. Default 10,000. */
  timeoutMs: {
    ...{ kind: "milliseconds", min: 100, max: 600_000, default: 10_000 },
    about: "maximum time for `source`; 503 after that",
  },
} as const satisfies OptionSpecs;
