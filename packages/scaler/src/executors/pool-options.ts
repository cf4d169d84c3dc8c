import {
  type DefaultsOf,
  defaultsOf,
  type OptionsOf,
  OptionsReader,
  type PolicyOf,
} from "@redis-batch/core/internal/options";
import { PROCESS_POOL_SPEC } from "./pool-spec.ts";
import { type Program, type ProgramOptions, readProgram } from "./program.ts";
import { PROGRAM_SPEC } from "./program-spec.ts";

export interface ProcessPoolOptions extends ProgramOptions, OptionsOf<typeof PROCESS_POOL_SPEC> {}

/** The values of options that are not given. */
export const PROCESS_POOL_DEFAULTS: DefaultsOf<typeof PROCESS_POOL_SPEC> = defaultsOf(PROCESS_POOL_SPEC);

/** The options, complete and checked. */
export interface ProcessPoolPolicy
  extends Program,
    Omit<PolicyOf<typeof PROCESS_POOL_SPEC>, "restartBaseMs" | "restartCapMs"> {
  readonly restart: { readonly baseMs: number; readonly capMs: number };
}

/** @throws {ConfigError} naming every problem */
export function resolveProcessPoolOptions(options: ProcessPoolOptions): ProcessPoolPolicy {
  const known = Object.keys({ ...PROGRAM_SPEC, ...PROCESS_POOL_SPEC });
  const reader = new OptionsReader("new ProcessPool", options, known);
  const { restartBaseMs: baseMs, restartCapMs: capMs, ...policy } = reader.read(PROCESS_POOL_SPEC);
  return reader.finish({ ...policy, ...readProgram(reader), restart: { baseMs, capMs } });
}
