/** The options of a process pool. Each is written here, and nowhere else. */
import type { Observer } from "@redis-batch/core";
import type { OptionSpecs } from "@redis-batch/core/internal/options";
import type { ProcessPoolEvent } from "./pool-events.ts";

export const PROCESS_POOL_SPEC = {
  /** Workers there are at least, whatever is decided, 0 to 10,000. Default 0. */
  minWorkers: {
    ...{ kind: "integer", min: 0, max: 10_000, default: 0 },
    about: "minimum number of workers, whatever is decided",
  },
  /**
   * Workers there are at most, whatever is decided, 1 to 10,000, not below `minWorkers`. Default 64: one machine has to carry
   * them. Those on their way out and those of other pools of the group are among them. The scaler's `maxConsumers` holds as
   * well.
   */
  maxWorkers: {
    ...{ kind: "integer", min: 1, max: 10_000, default: 64, notBelow: "minWorkers" },
    about: "maximum number of workers, whatever is decided; `maxConsumers` of the scaler applies, too",
  },
  /** The wait before a worker that ended by itself is replaced, in milliseconds, 10 to 600,000. Default 1,000; it doubles. */
  restartBaseMs: {
    ...{ kind: "milliseconds", min: 10, max: 600_000, default: 1_000 },
    about: "wait before a worker that exited by itself is replaced; doubles each time",
  },
  /** No such wait is longer, in milliseconds, 10 to 3,600,000, not below `restartBaseMs`. Default 30,000. After a worker that lived longer it starts over. */
  restartCapMs: {
    ...{ kind: "milliseconds", min: 10, max: 3_600_000, default: 30_000, notBelow: "restartBaseMs" },
    about: "longest such wait",
  },
  /** Receives every event. Without one, workers that had to be killed or end by themselves are process warnings. */
  observer: {
    ...{ kind: "function", value: {} as Observer<ProcessPoolEvent>, otherwise: "process warnings" },
    about: "receives every [event](../../docs/events.md#process-pool)",
  },
  /**
   * How long a worker may take from SIGTERM to its end before it is killed, in milliseconds, 100 to 86,400,000. Default
   * 60,000. Longer than the consumer's `drainMs`, or what it holds is left to be recovered after its lease.
   */
  drainMs: {
    ...{ kind: "milliseconds", min: 100, max: 86_400_000, default: 60_000 },
    about:
      "maximum time from SIGTERM to the exit of a worker before it is killed; longer than the consumer's `drainMs`",
  },
} as const satisfies OptionSpecs;
