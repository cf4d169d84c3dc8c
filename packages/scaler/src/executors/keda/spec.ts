/** The options of the scaler for KEDA, and of its executors. Each is written here, and nowhere else. */
import type { OptionSpecs } from "@redis-batch/core/internal/options";
import type { Executor } from "../../executor.ts";

/** How the server proves itself; PEM. */
export interface KedaTls {
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
  /** The certificate authority of the clients. If given, a client without a certificate from it is refused. */
  readonly clientCa?: string | Buffer | undefined;
}

export const KEDA_SPEC = {
  /** The port, 0 to 65,535; 0 takes any free one. */
  port: { kind: "integer", required: true, min: 0, max: 65_535, about: "the port; 0 picks a free one" },
  /** Default: none, in the clear. What is answered are numbers of consumers; see to it that only KEDA can reach it. */
  tls: {
    ...{ kind: "own", value: {} as KedaTls, otherwise: "none, in the clear" },
    about: "`{ cert, key, clientCa }` in PEM; with `clientCa`, clients need a certificate of that authority",
  },
  /** The address to listen on. Default `127.0.0.1`: only this machine can ask. `0.0.0.0` or `::` lets everybody in. */
  host: {
    ...{ kind: "text", default: "127.0.0.1" },
    about: "address to listen on; `0.0.0.0` or `::` accepts connections from everywhere, as a pod must",
  },
  /**
   * For how long a decision is answered when no other follows, in milliseconds, 1,000 to 3,600,000. Default 60,000. Later
   * KEDA gets an error, and does as its `fallback` says: with none, it leaves everything as it is.
   */
  staleAfterMs: {
    ...{ kind: "milliseconds", min: 1_000, max: 3_600_000, default: 60_000 },
    about: "maximum age of a decision that is answered; after that KEDA keeps what there is",
  },
} as const satisfies OptionSpecs;

export const KEDA_EXECUTOR_SPEC = {
  /** The stream's key, as the trigger's metadata names it. */
  stream: { kind: "name", required: true, about: "the stream's key, as the trigger's metadata names it" },
  /** The consumer group, as the trigger's metadata names it. */
  group: { kind: "name", required: true, about: "the consumer group, as the trigger's metadata names it" },
  /**
   * Who knows how many replicas there are: `kubernetesExecutor(…)`, whose right to `get` is enough here. Without it those
   * count that were ordered, and before the first order those that work.
   */
  workforce: {
    ...{ kind: "own", value: {} as Pick<Executor, "status">, otherwise: "what was ordered" },
    about: "reports the number of replicas: `kubernetesExecutor(…)`, which only needs the right to `get` here",
  },
} as const satisfies OptionSpecs;
