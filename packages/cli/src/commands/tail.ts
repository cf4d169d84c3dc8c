import type { StreamClient } from "@redis-batch/core/internal/connection";
import { pause, systemClock } from "@redis-batch/core/internal/service";
import type { Run } from "../command.ts";
import { withStream } from "../connection/open.ts";
import type { tail } from "../table/inspect.ts";
import { entryPages } from "./entry-pages.ts";
import { NOTHING_THERE, printEntries } from "./print-entries.ts";
import { SilenceWatch } from "./silence-watch.ts";

// Polling costs the server next to nothing, and needs no blocked connection.
const POLL_EVERY_MS = 200;

export const run: Run<typeof tail> = (call) =>
  withStream(call, async (client) => {
    const { args, options, signal, terminal } = call;
    // A stream that is followed may not exist yet.
    if (!options.follow) await client.xinfoStream({ stream: args.stream });
    let from = await startOfLast(client, args.stream, options.count);
    const watch = new SilenceWatch(POLL_EVERY_MS, (sentence) => terminal.note(sentence, "warn"));
    try {
      while (!signal.aborted) {
        const range = { stream: args.stream, from, to: "+", most: Number.POSITIVE_INFINITY };
        for await (const page of entryPages(client, range)) {
          await printEntries(page, call);
          from = `(${page.at(-1)?.id ?? ""}`;
          if (signal.aborted) break;
        }
        if (!options.follow) {
          if (from === "-") terminal.note(NOTHING_THERE);
          break;
        }
        watch.answered();
        await pause(systemClock, POLL_EVERY_MS, signal);
      }
    } finally {
      watch.end();
    }
  });

/** Finds where the last n entries begin, without holding them in memory. */
async function startOfLast(client: StreamClient, stream: string, count: number): Promise<string> {
  let first = "-";
  const range = { stream, from: "-", to: "+", most: count, newestFirst: true };
  for await (const page of entryPages(client, range)) first = page.at(-1)?.id ?? first;
  return first;
}
