/** The options of a scaler, beside those of scaling, and of its run. Each is written here, and nowhere else. */
import type { CredentialsFunction, Observer } from "@redis-batch/core";
import type { OptionSpecs } from "@redis-batch/core/internal/options";
import type { ScalerEvent } from "./events.ts";
import type { Executor } from "./executor.ts";

export const SCALER_SPEC = {
  redis: { kind: "redis" },
  /**
   * Returns user, password or certificates; may be asynchronous. It is called before each connection, so what is rotated
   * takes effect without a restart. Default: those of `redis`.
   */
  credentials: {
    ...{ kind: "function", value: {} as CredentialsFunction, otherwise: "those of `redis`" },
    about:
      "returns user, password or certificates; called [before each connection](../../docs/connecting-credentials.md#rotating-passwords-tokens-and-certificates)",
  },
  /** How long the first connection may take, in milliseconds, 100 to 600,000. Default 30,000. Later ones are awaited. */
  connectTimeoutMs: {
    ...{ kind: "milliseconds", min: 100, max: 600_000, default: 30_000 },
    about: "maximum time for the first connection; reconnecting may take any time",
  },
  /** Receives every event. Without one, trouble is reported as process warnings. */
  observer: {
    ...{ kind: "function", value: {} as Observer<ScalerEvent>, otherwise: "process warnings" },
    about: "receives every [event](../../docs/events.md#scaler)",
  },
  /** The stream's key. It need not exist. */
  stream: { kind: "stream", required: true, about: "the stream's key; it need not exist" },
  /** The consumer group. It need not exist. */
  group: { kind: "name", required: true, about: "the consumer group; it need not exist" },
  /**
   * If the server does not know how many messages wait, they are counted up to this number, 1 to 1,000,000. Default
   * 10,000. Beyond it the number is "at least" this, and no consumer is removed.
   */
  countLimit: {
    ...{ kind: "integer", min: 1, max: 1_000_000, default: 10_000 },
    about: "maximum messages to count if the server does not know how many wait",
  },
  /**
   * How long a consumer that sends no heartbeats may have been idle to count as one that works, in milliseconds, 1,000
   * to 86,400,000. Default 60,000.
   */
  foreignIdleMs: {
    ...{ kind: "milliseconds", min: 1_000, max: 86_400_000, default: 60_000 },
    about: "idle time up to which a consumer without heartbeats counts as active",
  },
  /**
   * How many entries the audit log keeps, about, 100 to 1,000,000. Default 10,000. There are two for every order: that it
   * was given, with all that led to it, and its result.
   */
  auditLength: {
    ...{ kind: "integer", min: 100, max: 1_000_000, default: 10_000 },
    about: "approximate number of entries in the audit log",
  },
} as const satisfies OptionSpecs;

export const RUN_SPEC = {
  /** The time between the beginnings of two decisions, in milliseconds, 100 to 3,600,000. Default 5,000. */
  intervalMs: {
    ...{ kind: "milliseconds", min: 100, max: 3_600_000, default: 5_000 },
    about: "time between decisions",
  },
  /**
   * How long another scaler of the group waits for a sign of life of the one that leads before it takes the lead, in
   * milliseconds, 300 to 3,600,000, at least two intervals. Default: three intervals, 15,000 at least.
   */
  leaseMs: {
    ...{ kind: "milliseconds", min: 300, max: 3_600_000 },
    ...{ default: { times: 3, of: "intervalMs", atLeast: 15_000 } },
    about: "time without a sign of life of the leader after which a standby takes the lead",
  },
  /** Who carries the decisions out. Default: nobody, they are only told (`decided`). */
  executor: {
    ...{ kind: "own", value: {} as Executor, otherwise: "nobody: a dry run" },
    about: "carries out the decisions",
  },
  /**
   * `true`: the executor is only asked what there is, and carries nothing out. Default `false` with an executor; without
   * one there is nobody who could.
   */
  dryRun: { kind: "flag", default: false, about: "ask the executor how many consumers there are, and change nothing" },
  /** Aborting it ends the run. */
  signal: { kind: "signal", about: "ends the run when it is aborted" },
} as const satisfies OptionSpecs;
