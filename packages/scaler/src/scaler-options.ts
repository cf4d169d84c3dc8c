import {
  type DefaultsOf,
  defaultsOf,
  type OptionsOf,
  OptionsReader,
  type PolicyOf,
  type WithRedis,
} from "@redis-batch/core/internal/options";
import type { Executor } from "./executor.ts";
import { readScaling, type ScalingOptions, type ScalingPolicy } from "./options.ts";
import { RUN_SPEC, SCALER_SPEC } from "./scaler-spec.ts";
import { SCALING_SPEC } from "./scaling-spec.ts";

export interface ScalerOptions extends WithRedis, ScalingOptions, OptionsOf<typeof SCALER_SPEC> {}

/** The values of options that are not given, beside those of {@link SCALING_DEFAULTS}. */
export const SCALER_DEFAULTS: DefaultsOf<typeof SCALER_SPEC> = defaultsOf(SCALER_SPEC);

/** The options, complete and checked. */
export interface ScalerPolicy extends PolicyOf<typeof SCALER_SPEC> {
  readonly scaling: ScalingPolicy;
}

/**
 * Fills in and checks the options.
 *
 * @throws {ConfigError} naming every problem
 */
export function resolveScalerOptions(options: ScalerOptions): ScalerPolicy {
  const reader = new OptionsReader("new Scaler", options, Object.keys({ ...SCALER_SPEC, ...SCALING_SPEC }));
  return reader.finish({ ...reader.read(SCALER_SPEC), scaling: readScaling(reader) });
}

export interface RunOptions extends OptionsOf<typeof RUN_SPEC> {}

/** The options of one run, complete and checked. */
export interface RunPolicy extends Omit<PolicyOf<typeof RUN_SPEC>, "executor" | "dryRun"> {
  readonly executor: Executor | null;
  readonly isDryRun: boolean;
}

/** @throws {ConfigError} naming every problem */
export function resolveRunOptions(options: RunOptions): RunPolicy {
  const reader = new OptionsReader("run", options, Object.keys(RUN_SPEC));
  const { executor = null, dryRun, ...policy } = reader.read(RUN_SPEC);
  const { leaseMs, intervalMs } = policy;
  // A leader that misses one pass should not lose the lead: nothing would be gained.
  if (leaseMs < 2 * intervalMs) {
    reader.problem(`leaseMs (${leaseMs}) must not be below twice intervalMs (${intervalMs})`);
  }
  return reader.finish({ ...policy, executor, isDryRun: dryRun || executor === null });
}
