import type { Invocation, Run } from "../command.ts";
import type { Arguments, Options } from "../command-line/parse.ts";
import type { CommandSpec } from "../command-line/spec.ts";
import type { ExitName } from "../exit-codes.ts";

/** A call whose types only the command knows. */
export interface LooseCall extends Pick<Invocation, "terminal" | "signal" | "commands"> {
  readonly args: Arguments;
  readonly options: Options;
}

/** A command and where its code is. */
export interface TableEntry {
  readonly spec: CommandSpec;
  readonly load: () => Promise<(call: LooseCall) => Promise<ExitName | number | void>>;
}

/** Sees to it that the code takes what the command line gives; the table itself forgets the types. */
export function entry<Spec extends CommandSpec>(
  spec: Spec,
  load: () => Promise<{ readonly run: Run<Spec> }>,
): TableEntry {
  return {
    spec,
    load: async () => {
      const { run } = await load();
      // The parser has made them after the same spec.
      return (call) => run(call as unknown as Invocation<Spec>);
    },
  };
}
