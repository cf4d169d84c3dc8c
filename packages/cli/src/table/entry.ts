import type { Invocation, Run } from "../command.ts";
import type { Arguments, Options } from "../command-line/parse.ts";
import type { CommandSpec } from "../command-line/spec.ts";
import type { ExitName } from "../exit-codes.ts";

/** A call whose types only the command knows. */
export interface LooseCall extends Pick<Invocation, "terminal" | "signal" | "commands"> {
  readonly args: Arguments;
  readonly options: Options;
}

/** A command's code, to be called with what the parser has made after the command's own spec. */
interface LooseCommand {
  // A method: one may take more exactly typed values than it is known here to be given, which a property may not.
  run(call: LooseCall): Promise<ExitName | number | void>;
}

/** A command and where its code is. */
export interface TableEntry {
  readonly spec: CommandSpec;
  readonly load: () => Promise<LooseCommand>;
}

/** Sees to it that the code takes what the command line gives; the table itself forgets the types. */
export function entry<Spec extends CommandSpec>(
  spec: Spec,
  load: () => Promise<{ readonly run: Run<Spec> }>,
): TableEntry {
  return { spec, load };
}
