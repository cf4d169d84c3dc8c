import type { OptionsOf, OptionsReader } from "@redis-batch/core/internal/options";
import { PROGRAM_SPEC } from "./program-spec.ts";

export interface ProgramOptions extends OptionsOf<typeof PROGRAM_SPEC> {}

/** What is run, complete and checked. */
export interface Program {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string | undefined;
}

/** Reads the options of a program from among others. */
export function readProgram(reader: OptionsReader): Program {
  const {
    command,
    args = [],
    env = {},
    cwd,
  } = reader.read(PROGRAM_SPEC, {
    args: (list) => (Array.isArray(list) && list.every((arg) => typeof arg === "string") ? undefined : "be texts"),
  });
  return { command, args: [...args], env: { ...env }, cwd };
}
