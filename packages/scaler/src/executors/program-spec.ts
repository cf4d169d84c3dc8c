/** The options of what runs a program. Each is written here, and nowhere else. */
import type { OptionSpecs } from "@redis-batch/core/internal/options";

export const PROGRAM_SPEC = {
  /** The program, as for `spawn`: a path, or a name on the PATH. No shell is involved. */
  command: {
    ...{ kind: "text", required: true },
    about: "the program, as for `spawn`: a path, or a name on the PATH; no shell is involved",
  },
  /** Its arguments. Default: none. What is decided is not among them. */
  args: { kind: "own", value: [] as readonly string[], otherwise: "none", about: "arguments of the program" },
  /** Added to this process's environment; `undefined` removes a variable. */
  env: {
    ...{ kind: "own", value: {} as Readonly<Record<string, string | undefined>>, otherwise: "none" },
    about: "variables to add to this process's environment; `undefined` removes one",
  },
  /** Its working directory. Default: that of this process. */
  cwd: { kind: "own", value: "" as string, otherwise: "that of this process", about: "working directory" },
} as const satisfies OptionSpecs;
