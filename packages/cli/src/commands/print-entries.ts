import type { StreamEntry } from "@redis-batch/core/internal";
import type { Invocation } from "../command.ts";
import { messageLine } from "../messages/message-json.ts";
import { renderMessage } from "../render/message-text.ts";

/** For the person who waits for a line, on standard error. */
export const NOTHING_THERE = "there is no message";

/** Prints messages, a line each: NDJSON, or for a person. */
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
