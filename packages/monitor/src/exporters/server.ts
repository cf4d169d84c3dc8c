/**
 * A small HTTP server for collectors and orchestrators: `/metrics`, `/healthz`, `/readyz`. It is independent of the
 * monitor, so that it answers even if Redis does not.
 */

import { describeThrown } from "@redis-batch/core/internal/errors";
import { OptionsReader } from "@redis-batch/core/internal/options";
import { callSafely, pause, systemClock, Warnings } from "@redis-batch/core/internal/service";
import {
  chooseFormat,
  createGuard,
  type HttpServer,
  PROMETHEUS_CONTENT_TYPES,
  readToken,
  startHttpServer,
} from "@redis-batch/core/web";
import { toPrometheus } from "./prometheus.ts";
import type { ReportSource } from "./registry.ts";
import type { MetricsOptions, Reports } from "./samples.ts";

export interface MetricsServerOptions extends MetricsOptions {
  /** Where the reports come from: the last one of a running monitor, or a fresh one (`() => monitor.inspect()`). */
  readonly source: ReportSource;
  /** 0 to 65,535; 0 picks a free one. */
  readonly port: number;
  /** The address to listen on. Default `127.0.0.1`: only this machine. `0.0.0.0` or `::`: accept connections from everywhere. */
  readonly host?: string | undefined;
  /**
   * The token that a client must send as `Authorization: Bearer …` to read `/metrics`. Default: none. `/healthz` and
   * `/readyz` stay open, because they only say yes or no. The token is sent unencrypted: put TLS in front of it on a network.
   */
  readonly token?: string | undefined;
  /** The answers to the probes. Default: live while the process answers, ready once the source has a report. */
  readonly health?: () => { readonly live: boolean; readonly ready: boolean };
  /** Maximum time that the source may take, in milliseconds, 100 to 600,000; then the answer is 503. Default 10,000. */
  readonly timeoutMs?: number | undefined;
  /** Called with the error of a failed answer; clients do not see it. Default: a process warning. */
  readonly onError?: ((error: unknown) => void) | undefined;
}

/** The values of options that are not given. */
export const METRICS_SERVER_DEFAULTS = { host: "127.0.0.1", timeoutMs: 10_000 } as const;

export type MetricsServer = HttpServer;

const KNOWN = [
  "source",
  "port",
  "host",
  "token",
  "health",
  "timeoutMs",
  "onError",
  "perConsumer",
  "tally",
] as const satisfies readonly (keyof MetricsServerOptions)[];

/**
 * Starts a server of `/metrics` (Prometheus' text format, or OpenMetrics by `Accept`; 503 while there is no report),
 * `/healthz` and `/readyz` (200 or 503).
 *
 * @throws {ConfigError} naming every problem of the options
 * @throws when the address is in use, or does not belong to this machine
 */
export async function startMetricsServer(options: MetricsServerOptions): Promise<MetricsServer> {
  const { host, port, ...policy } = resolveMetricsServerOptions(options);
  const warnings = new Warnings(systemClock);
  const warn = (error: unknown): void =>
    warnings.say("metricsServer", `the metrics server could not answer: ${describeThrown(error)}`);
  // An error in the error callback must not prevent the answer.
  const onError = (error: unknown): void => callSafely(policy.onError ?? warn, error, warn);
  return startHttpServer({ host, port, paths: createPaths(policy), onError });
}

type Policy = ReturnType<typeof resolveMetricsServerOptions>;

function resolveMetricsServerOptions(options: MetricsServerOptions) {
  const reader = new OptionsReader("startMetricsServer", options, KNOWN);
  const { source, health, onError, perConsumer, tally = [], token } = options;
  if (typeof source !== "function") reader.problem("source must be a function that returns a report");
  for (const [name, value] of Object.entries({ health, onError })) {
    if (value !== undefined && typeof value !== "function") reader.problem(`${name} must be a function`);
  }
  if (!reader.has("port")) reader.problem("port is missing");
  const guard = createGuard(readToken(reader, token));
  return reader.finish({
    source,
    host: reader.text("host", METRICS_SERVER_DEFAULTS.host),
    port: reader.integer("port", { default: 0, min: 0, max: 65_535 }),
    guard,
    health,
    timeoutMs: reader.integer("timeoutMs", { default: METRICS_SERVER_DEFAULTS.timeoutMs, min: 100, max: 600_000 }),
    onError,
    metrics: { perConsumer: reader.flag("perConsumer", perConsumer ?? true), tally: [tally].flat() },
  });
}

/** The handler of each path. */
function createPaths({ health, metrics, guard, ...policy }: Omit<Policy, "host" | "port">) {
  const report = sharedReport(policy);
  return {
    "/metrics": guard(async ({ headers }) => {
      const reports = await report();
      if (reports === null) return { status: 503, body: "there is no report yet\n" };
      const format = chooseFormat(headers.accept);
      return {
        status: 200,
        body: toPrometheus(reports, { ...metrics, format }),
        headers: { "content-type": PROMETHEUS_CONTENT_TYPES[format], vary: "accept" },
      };
    }),
    "/healthz": async () => {
      const live = health?.().live ?? true;
      return { status: live ? 200 : 503, body: live ? "live\n" : "not live\n" };
    },
    "/readyz": async () => {
      const ready = health?.().ready ?? (await report()) !== null;
      return { status: ready ? 200 : 503, body: ready ? "ready\n" : "not ready\n" };
    },
  };
}

/** Requests that arrive while a report is being made share it. A report that hangs is given up, so that later ones can succeed. */
function sharedReport({ source, timeoutMs }: Pick<Policy, "source" | "timeoutMs">): () => Promise<Reports> {
  let running: Promise<Reports> | undefined;
  const forget = (asked: Promise<Reports>): void => {
    if (running === asked) running = undefined;
  };
  return async () => {
    running ??= Promise.resolve().then(source);
    const asked = running;
    const done = new AbortController();
    const timeout = pause(systemClock, timeoutMs, done.signal).then(() => {
      if (!done.signal.aborted) throw new Error(`the source returned no report within ${timeoutMs} ms`);
      return null;
    });
    try {
      return await Promise.race([asked, timeout]);
    } finally {
      forget(asked);
      done.abort();
    }
  };
}
