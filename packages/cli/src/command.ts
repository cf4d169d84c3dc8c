import type { GlobalOptions } from "./command-line/global-options.ts";
import type { ArgumentValues, CommandSpec, OptionValues } from "./command-line/spec.ts";
import type { ExitName } from "./exit-codes.ts";
import type { Terminal } from "./terminal.ts";

/** What a command is called with. */
export interface Invocation<Spec extends CommandSpec = CommandSpec> {
  readonly args: ArgumentValues<Spec["args"]>;
  readonly options: OptionValues<Spec["options"]> & GlobalOptions;
  readonly terminal: Terminal;
  /** All commands, for those that list them. */
  readonly commands: readonly CommandSpec[];
  /** Aborts on the first Ctrl-C, if the command drains. */
  readonly signal: AbortSignal;
  /** Sets what to print when a second Ctrl-C ends the command at once. */
  readonly onSecond: (say: () => void) => void;
}

/** Carries out a command. Resolves with nothing on success; throws what went wrong. */
export type Run<Spec extends CommandSpec> = (invocation: Invocation<Spec>) => Promise<ExitName | number | void>;
