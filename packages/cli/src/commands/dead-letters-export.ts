import type { Run } from "../command.ts";
import { letterLine } from "../messages/letter-line.ts";
import type { exportLetters } from "../table/dead-letters.ts";
import { chosenLetters, filterOf, refuseMissingGroup, withLetters } from "./letters.ts";

export const run: Run<typeof exportLetters> = (call) =>
  withLetters(call, async (deadLetters) => {
    const { options, terminal } = call;
    let exported = 0;
    for await (const letter of chosenLetters(
      deadLetters,
      { kind: "filter", filter: filterOf(options) ?? "all" },
      options.limit,
    )) {
      await terminal.write(letterLine(letter));
      exported++;
    }
    if (exported > 0) return;
    await refuseMissingGroup(call);
    terminal.note("there are no dead letters to export");
  });
