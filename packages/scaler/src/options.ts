import {
  type DefaultsOf,
  defaultsOf,
  type OptionsOf,
  OptionsReader,
  type PolicyOf,
} from "@redis-batch/core/internal/options";
import { SCALING_SPEC } from "./scaling-spec.ts";

/** How it is decided how many consumers a group needs. */
export interface ScalingOptions extends OptionsOf<typeof SCALING_SPEC> {}

/** The values of options that are not given. */
export const SCALING_DEFAULTS: DefaultsOf<typeof SCALING_SPEC> = defaultsOf(SCALING_SPEC);

/** The options, complete and checked. */
export interface ScalingPolicy extends Omit<PolicyOf<typeof SCALING_SPEC>, "utilisation"> {
  /** `null`: chosen from the objective and the time a start takes. */
  readonly utilisation: number | null;
}

/**
 * Fills in and checks the options.
 *
 * @throws {ConfigError} naming every problem
 */
export function resolveScalingOptions(options: ScalingOptions): ScalingPolicy {
  const reader = new OptionsReader("scaling", options, Object.keys(SCALING_SPEC));
  return reader.finish(readScaling(reader));
}

// The original's rule has neither limits nor cooldowns.
const RATIO_DEFAULTS = { minConsumers: 0, maxConsumers: SCALING_SPEC.maxConsumers.max, scaleInCooldownMs: 0 };

/** Reads the options of scaling from among others. */
export function readScaling(reader: OptionsReader): ScalingPolicy {
  const { utilisation = null, ...given } = reader.read(SCALING_SPEC);
  const others = given.strategy === "ratio" ? Object.entries(RATIO_DEFAULTS) : [];
  const policy = { ...given, ...Object.fromEntries(others.filter(([name]) => !reader.has(name))) };
  const { minConsumers, scaleOutRate, scaleInRate } = policy;
  const maxConsumers = reader.has("maxConsumers") ? policy.maxConsumers : Math.max(minConsumers, policy.maxConsumers);
  if (maxConsumers < minConsumers) {
    reader.problem(`maxConsumers (${maxConsumers}) must not be below minConsumers (${minConsumers})`);
  }
  if (scaleInRate > scaleOutRate) {
    reader.problem(`scaleInRate (${scaleInRate}) must not be above scaleOutRate (${scaleOutRate})`);
  }
  return { ...policy, utilisation, maxConsumers };
}
