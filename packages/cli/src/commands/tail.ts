import type { StreamClient } from "@redis-batch/core/internal/connection";
import { pause, systemClock } from "@redis-batch/core/internal/service";
import type { Run } from "../command.ts";
import { withClient } from "../connection/open.ts";
import type { tail } from "../table/inspect.ts";
import { entryPages } from "./entry-pages.ts";
import { askParts, mergeParts, type Part, partsOf } from "./parts.ts";
import { NOTHING_THERE, printEntries } from "./print-entries.ts";
import { SilenceWatch } from "./silence-watch.ts";

// Polling costs the server next to nothing, and needs no blocked connection.
const POLL_EVERY_MS = 200;

export const run: Run<typeof tail> = (call) =>
  withClient(call, async (client) => {
    const { args, options, signal, terminal } = call;
    const parts = await partsOf(client, args.stream);
    // A stream that is followed may not exist yet.
    if (!options.follow) await askParts(parts, ({ stream }) => client.xinfoStream({ stream }));
    const after = await startOfLast(client, parts, options.count);
    const pagesOf = ({ stream }: Part) => {
      const from = after.get(stream) ?? "-";
      return entryPages(client, { stream, from, to: "+", most: Number.POSITIVE_INFINITY, share: parts.length });
    };
    let isNone = true;
    const watch = new SilenceWatch(POLL_EVERY_MS, (sentence) => terminal.note(sentence, "warn"));
    try {
      while (!signal.aborted) {
        for await (const some of mergeParts(parts, { from: null, newestFirst: false }, pagesOf)) {
          await printEntries(
            some.map(({ placedId, entry }) => ({ ...entry, id: placedId })),
            call,
          );
          for (const { part, entry } of some) after.set(part.stream, `(${entry.id}`);
          isNone = false;
          if (signal.aborted) break;
        }
        if (!options.follow) {
          if (isNone) terminal.note(NOTHING_THERE);
          break;
        }
        watch.answered();
        await pause(systemClock, POLL_EVERY_MS, signal);
      }
    } finally {
      watch.end();
    }
  });

/** Finds where the last n entries of all parts begin in each of them, as in XRANGE, without holding them in memory. */
async function startOfLast(client: StreamClient, parts: readonly Part[], count: number): Promise<Map<string, string>> {
  const after = new Map<string, string>();
  let left = count;
  const pagesOf = ({ stream }: Part) =>
    entryPages(client, { stream, from: "-", to: "+", most: count, newestFirst: true, share: parts.length });
  for await (const some of mergeParts(parts, { from: null, newestFirst: true }, pagesOf)) {
    for (const { part, entry } of some) {
      if (left > 0) after.set(part.stream, entry.id);
      // The newest of a part that has none of the last n.
      else if (!after.has(part.stream)) after.set(part.stream, `(${entry.id}`);
      left--;
    }
    if (left <= 0 && after.size === parts.length) break;
  }
  return after;
}
