import { OptionsReader } from "@redis-batch/core/internal/options";

/** How it is decided how many consumers a group needs. */
export interface ScalingOptions {
  /**
   * `"throughput"` (default): enough consumers for what arrives and to work off what waits within the objective.
   * `"ratio"`: the original's rule, one consumer more or less by what waits in percent of what is pending.
   */
  readonly strategy?: "throughput" | "ratio" | undefined;
  /**
   * Consumers there are at least, 0 to 100,000. Default 1. With 0 an idle group costs nothing, and its first message
   * waits for a start. `"ratio"`: default 0, because its rule leaves nothing where nothing is, and one where one is.
   */
  readonly minConsumers?: number | undefined;
  /** Consumers there are at most, 1 to 100,000. Default 10, and with `"ratio"`, which knows no limit, 100,000. It is a budget. */
  readonly maxConsumers?: number | undefined;
  /**
   * How long a message may take from its arrival to its acknowledgement, in milliseconds, 100 to 86,400,000. Default
   * 30,000. Everything scales with it: a tight objective keeps more consumers in reserve. No scaler keeps one that is
   * shorter than a consumer takes to start; only `minConsumers` does.
   */
  readonly objectiveMs?: number | undefined;
  /**
   * How busy consumers should be, 0.1 to 0.99. Default: 0.70 where a start takes as long as the objective, up to 0.92
   * where it takes a small part of it.
   */
  readonly utilisation?: number | undefined;
  /** How long a group must have been idle to be left without consumers, in milliseconds, 1,000 to 86,400,000. Default 300,000. */
  readonly idleMs?: number | undefined;
  /** How long after a move none adds consumers, in milliseconds, 0 to 86,400,000. Default 0: what was ordered is counted as being there soon. */
  readonly scaleOutCooldownMs?: number | undefined;
  /** How long after a move none takes consumers away, in milliseconds, 0 to 86,400,000. Default 15,000, and 0 with `"ratio"`. */
  readonly scaleInCooldownMs?: number | undefined;
  /** `"ratio"` only: from so many percent on a consumer is added, 0 to 100. Default 50. */
  readonly scaleOutRate?: number | undefined;
  /** `"ratio"` only: below so many percent one is taken away, 0 to 100, not above `scaleOutRate`. Default 10. */
  readonly scaleInRate?: number | undefined;
}

/** The values of options that are not given. */
export const SCALING_DEFAULTS = {
  strategy: "throughput",
  // None at all only by choice; the upper bound is what somebody pays, so it is low, and reaching it is said loudly.
  minConsumers: 1,
  maxConsumers: 10,
  objectiveMs: 30_000,
  // Half of it saves a twentieth of the consumer-hours and doubles the starts and stops.
  idleMs: 300_000,
  scaleOutCooldownMs: 0,
  // One step down per so long: a mistake is seen before the next step.
  scaleInCooldownMs: 15_000,
  scaleOutRate: 50,
  scaleInRate: 10,
} as const;

const MOST_CONSUMERS = 100_000;
const DAY_MS = 86_400_000;

/** The options, complete and checked. */
export interface ScalingPolicy {
  readonly strategy: "throughput" | "ratio";
  readonly minConsumers: number;
  readonly maxConsumers: number;
  readonly objectiveMs: number;
  /** `null`: chosen from the objective and the time a start takes. */
  readonly utilisation: number | null;
  readonly idleMs: number;
  readonly scaleOutCooldownMs: number;
  readonly scaleInCooldownMs: number;
  readonly scaleOutRate: number;
  readonly scaleInRate: number;
}

/** The names of the options above. */
export const SCALING_OPTIONS: readonly (keyof ScalingOptions)[] = [
  "strategy",
  "minConsumers",
  "maxConsumers",
  "objectiveMs",
  "utilisation",
  "idleMs",
  "scaleOutCooldownMs",
  "scaleInCooldownMs",
  "scaleOutRate",
  "scaleInRate",
];

/**
 * Fills in and checks the options.
 *
 * @throws {ConfigError} naming every problem
 */
export function resolveScalingOptions(options: ScalingOptions): ScalingPolicy {
  const reader = new OptionsReader("scaling", options, SCALING_OPTIONS);
  return reader.finish(readScaling(reader));
}

/** Reads the options of scaling from among others. */
export function readScaling(reader: OptionsReader): ScalingPolicy {
  const strategy = reader.oneOf("strategy", ["throughput", "ratio"], SCALING_DEFAULTS.strategy);
  const isRatio = strategy === "ratio";
  const minConsumers = reader.integer("minConsumers", {
    default: isRatio ? 0 : SCALING_DEFAULTS.minConsumers,
    min: 0,
    max: MOST_CONSUMERS,
  });
  const maxConsumers = reader.integer("maxConsumers", {
    default: isRatio ? MOST_CONSUMERS : Math.max(minConsumers, SCALING_DEFAULTS.maxConsumers),
    min: 1,
    max: MOST_CONSUMERS,
  });
  if (maxConsumers < minConsumers) {
    reader.problem(`maxConsumers (${maxConsumers}) must not be below minConsumers (${minConsumers})`);
  }
  const scaleOutRate = reader.number("scaleOutRate", { default: SCALING_DEFAULTS.scaleOutRate, min: 0, max: 100 });
  const scaleInRate = reader.number("scaleInRate", { default: SCALING_DEFAULTS.scaleInRate, min: 0, max: 100 });
  if (scaleInRate > scaleOutRate) {
    reader.problem(`scaleInRate (${scaleInRate}) must not be above scaleOutRate (${scaleOutRate})`);
  }
  return {
    strategy,
    minConsumers,
    maxConsumers,
    objectiveMs: reader.integer("objectiveMs", { default: SCALING_DEFAULTS.objectiveMs, min: 100, max: DAY_MS }),
    utilisation: reader.has("utilisation")
      ? reader.number("utilisation", { default: 0.85, min: 0.1, max: 0.99 })
      : null,
    idleMs: reader.integer("idleMs", { default: SCALING_DEFAULTS.idleMs, min: 1_000, max: DAY_MS }),
    scaleOutCooldownMs: reader.integer("scaleOutCooldownMs", {
      default: SCALING_DEFAULTS.scaleOutCooldownMs,
      min: 0,
      max: DAY_MS,
    }),
    scaleInCooldownMs: reader.integer("scaleInCooldownMs", {
      default: isRatio ? 0 : SCALING_DEFAULTS.scaleInCooldownMs,
      min: 0,
      max: DAY_MS,
    }),
    scaleOutRate,
    scaleInRate,
  };
}
