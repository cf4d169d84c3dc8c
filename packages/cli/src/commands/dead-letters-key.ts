import { deadLetterKey } from "@redis-batch/core";
import { quoteWord } from "@redis-batch/core/internal/diagnosis";
import type { Run } from "../command.ts";
import type { key } from "../table/dead-letters.ts";

export const run: Run<typeof key> = async ({ args: { stream, group }, options, terminal }) => {
  const name = deadLetterKey(stream, group);
  if (!options.json) return terminal.write(`${quoteWord(name)}\n`);
  const facts = Object.entries({ stream, group, key: name }).map(([of, value]) => ({ key: of, value }));
  await terminal.report({ facts }, true);
};
