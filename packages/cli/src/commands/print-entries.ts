import type { StreamEntry } from "@redis-batch/core/internal/messages";
import type { Invocation } from "../command.ts";
import { messageLine } from "../messages/message-json.ts";
import { renderMessage } from "../render/message-text.ts";

/** Printed on standard error, for a person who expects a line. */
export const NOTHING_THERE = "there are no messages";

/** Prints one message per line: as NDJSON, or for a person. */
export async function printEntries(
  entries: readonly StreamEntry[],
  { options, terminal }: Pick<Invocation, "options" | "terminal">,
): Promise<void> {
  if (entries.length === 0) return;
  const lines = entries.map(({ id, fields }) =>
    options.json ? messageLine({ id, raw: fields }) : renderMessage(id, fields, terminal.paint),
  );
  await terminal.write(lines.join(""));
}
