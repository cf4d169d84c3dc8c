import type { Run } from "../command.ts";
import { completionScript } from "../command-line/completion.ts";
import { Failure } from "../failure.ts";
import type { completion } from "../table/setup.ts";

export const run: Run<typeof completion> = async ({ args: { shell }, commands, terminal }) => {
  // The command line has seen to it already; the types do not know.
  if (shell !== "bash" && shell !== "zsh" && shell !== "fish") throw new Failure("usage", "the shell is not known");
  await terminal.write(completionScript(shell, commands));
};
