/** The options of how it is decided how many consumers a group needs. Each is written here, and nowhere else. */
import type { OptionSpecs } from "@redis-batch/core/internal/options";

export const SCALING_SPEC = {
  /**
   * `"throughput"` (default): enough consumers for what arrives and to work off what waits within the objective.
   * `"ratio"`: the original's rule, one consumer more or less by what waits in percent of what is pending.
   */
  strategy: { kind: "choice", choices: ["throughput", "ratio"], default: "throughput", about: "how to decide" },
  /**
   * Consumers there are at least, 0 to 100,000. Default 1. With 0 an idle group costs nothing, and its first message
   * waits for a start. `"ratio"`: default 0, because its rule leaves nothing where nothing is, and one where one is.
   */
  minConsumers: {
    // None at all only by choice.
    ...{ kind: "integer", min: 0, max: 100_000, default: 1, otherwise: '0 with `"ratio"`' },
    about: "minimum number of consumers",
  },
  /** Consumers there are at most, 1 to 100,000. Default 10, and with `"ratio"`, which knows no limit, 100,000. It is a budget. */
  maxConsumers: {
    // It is what somebody pays, so it is low, and reaching it is said loudly.
    ...{ kind: "integer", min: 1, max: 100_000, default: 10, otherwise: '100,000 with `"ratio"`' },
    about: "maximum number of consumers",
  },
  /** `"ratio"` only: a consumer is added from this rate on, in percent, 0 to 100. Default 50. */
  scaleOutRate: {
    ...{ kind: "number", min: 0, max: 100, default: 50 },
    about: "ratio: add a consumer at this percentage or more",
  },
  /** `"ratio"` only: a consumer is removed below this rate, in percent, 0 to 100, not above `scaleOutRate`. Default 10. */
  scaleInRate: {
    ...{ kind: "number", min: 0, max: 100, default: 10 },
    about: "ratio: remove a consumer below this percentage",
  },
  /**
   * How long a message may take from its arrival to its acknowledgement, in milliseconds, 100 to 86,400,000. Default
   * 30,000. Everything scales with it: a tight objective keeps more consumers in reserve. No scaler keeps one that is
   * shorter than a consumer takes to start; only `minConsumers` does.
   */
  objectiveMs: {
    ...{ kind: "milliseconds", min: 100, max: 86_400_000, default: 30_000 },
    about: "target time from a message's arrival to its acknowledgement",
  },
  /**
   * How busy consumers should be, 0.1 to 0.99. Default: 0.74 where a start takes twice as long as the objective, up to 0.93
   * where it takes a small part of it.
   */
  utilisation: {
    ...{ kind: "number", min: 0.1, max: 0.99, otherwise: "0.74 to 0.93, from objective and start-up time" },
    about: "target utilisation of the consumers",
  },
  /** How long a group must have been idle to be left without consumers, in milliseconds, 1,000 to 86,400,000. Default 300,000. */
  idleMs: {
    // Half of it saves a twentieth of the consumer-hours and doubles the starts and stops.
    ...{ kind: "milliseconds", min: 1_000, max: 86_400_000, default: 300_000 },
    about: "idle time after which a group is scaled to zero, with `minConsumers: 0`",
  },
  /** How long after a move none adds consumers, in milliseconds, 0 to 86,400,000. Default 0: what was ordered is counted as being there soon. */
  scaleOutCooldownMs: {
    ...{ kind: "milliseconds", min: 0, max: 86_400_000, default: 0 },
    about: "time after a change during which no consumer is added",
  },
  /** How long after a move none takes consumers away, in milliseconds, 0 to 86,400,000. Default 15,000, and 0 with `"ratio"`. */
  scaleInCooldownMs: {
    // At most one step down in this time: a mistake shows before the next step.
    ...{ kind: "milliseconds", min: 0, max: 86_400_000, default: 15_000, otherwise: '0 with `"ratio"`' },
    about: "time after a change during which no consumer is removed",
  },
} as const satisfies OptionSpecs;
