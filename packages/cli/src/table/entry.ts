import type { Invocation, Run } from "../command.ts";
import type { Arguments, Options } from "../command-line/parse.ts";
import type { CommandSpec } from "../command-line/spec.ts";
import type { ExitName } from "../exit-codes.ts";

/** A call whose types only the command knows. */
export interface LooseCall extends Pick<Invocation, "terminal" | "signal" | "commands"> {
  readonly args: Arguments;
  readonly options: Options;
}

/** A command's code, called with what the parser made from the command's own spec. */
interface LooseCommand {
  // A method, not a property: its parameters may be narrower than those declared here.
  run(call: LooseCall): Promise<ExitName | number | void>;
}

/** A command and how to load its code. */
export interface TableEntry {
  readonly spec: CommandSpec;
  readonly load: () => Promise<LooseCommand>;
}

/** Checks that the code accepts what the command line gives; the table itself drops the types. */
export function entry<Spec extends CommandSpec>(
  spec: Spec,
  load: () => Promise<{ readonly run: Run<Spec> }>,
): TableEntry {
  return { spec, load };
}
