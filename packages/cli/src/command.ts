import type { GlobalOptions } from "./command-line/global-options.ts";
import type { ArgumentValues, CommandSpec, OptionValues } from "./command-line/spec.ts";
import type { ExitName } from "./exit-codes.ts";
import type { Terminal } from "./terminal.ts";

/** What a command is called with. */
export interface Invocation<Spec extends CommandSpec = CommandSpec> {
  readonly args: ArgumentValues<Spec["args"]>;
  readonly options: OptionValues<Spec["options"]> & GlobalOptions;
  readonly terminal: Terminal;
  /** Every command there is, for those that tell of the others. */
  readonly commands: readonly CommandSpec[];
  /** Aborts with the first Ctrl-C, where the command drains. */
  readonly signal: AbortSignal;
  /** What is still to be said when a second Ctrl-C ends the command at once. */
  readonly onSecond: (say: () => void) => void;
}

/** Carries out a command; nothing means that all went well. What it cannot do it throws. */
export type Run<Spec extends CommandSpec> = (invocation: Invocation<Spec>) => Promise<ExitName | number | void>;
