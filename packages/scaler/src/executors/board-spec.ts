/** The options of the board, and of the server that shows it. Each is written here, and nowhere else. */
import type { OptionSpecs } from "@redis-batch/core/internal/options";

export const BOARD_SPEC = {
  /** The stream's key, as it is to be shown. */
  stream: { kind: "name", required: true, about: "the stream's key, as shown" },
  /** The consumer group. */
  group: { kind: "name", required: true, about: "the consumer group" },
  /**
   * How long a decision is valid, in milliseconds, 1,000 to 3,600,000. Default 60,000. An older one is not shown, so that
   * nobody uses it, and KEDA's fallback and Prometheus' alerts notice that there is none.
   */
  staleMs: {
    ...{ kind: "milliseconds", min: 1_000, max: 3_600_000, default: 60_000 },
    about: "maximum age of a decision that is shown",
  },
} as const satisfies OptionSpecs;

/** Beside the board, which is a class of the file that serves it. */
export const SCALE_SERVER_SPEC = {
  /**
   * The token that a client must send as `Authorization: Bearer …`. Default: none. `/healthz` and `/readyz` stay open. The
   * token is sent unencrypted: put TLS in front of it on a network.
   */
  token: {
    ...{ kind: "token", otherwise: "none" },
    about: "token that a client must send as `Authorization: Bearer …`",
  },
  /** The port, 0 to 65,535; 0 picks a free one. */
  port: { kind: "integer", required: true, min: 0, max: 65_535, about: "the port; 0 picks a free one" },
  /** The address to listen on. Default `127.0.0.1`: only this machine. `0.0.0.0` or `::`: accept connections from everywhere. */
  host: {
    ...{ kind: "text", default: "127.0.0.1" },
    about: "address to listen on; `0.0.0.0` or `::` accepts connections from everywhere",
  },
} as const satisfies OptionSpecs;
