import { pause, type StreamClient, systemClock } from "@redis-batch/core/internal";
import type { Run } from "../command.ts";
import { withClient } from "../connection/open.ts";
import type { tail } from "../table/look.ts";
import { printEntries } from "./print-entries.ts";

const ENTRIES_AT_ONCE = 100;
// Asking costs the server next to nothing, and needs no connection that is blocked.
const LOOK_EVERY_MS = 200;

export const run: Run<typeof tail> = (call) =>
  withClient(call, async (client) => {
    const { args, options, signal } = call;
    // One that is followed may be yet to come.
    if (!options.follow) await client.xinfoStream({ stream: args.stream });
    let from = await startOfLast(client, args.stream, options.count);
    while (!signal.aborted) {
      const page = await client.xrange({ stream: args.stream, from, to: "+", count: ENTRIES_AT_ONCE });
      await printEntries(page, call);
      const last = page.at(-1);
      if (last !== undefined) from = `(${last.id}`;
      if (page.length === ENTRIES_AT_ONCE) continue;
      if (!options.follow) break;
      await pause(systemClock, LOOK_EVERY_MS, signal);
    }
  });

/** Where the last so many begin, found without holding them. */
async function startOfLast(client: StreamClient, stream: string, count: number): Promise<string> {
  let [to, first] = ["+", "-"];
  for (let left = count; left > 0; ) {
    const page = await client.xrevrange({ stream, from: "-", to, count: Math.min(left, ENTRIES_AT_ONCE) });
    const oldest = page.at(-1);
    if (oldest === undefined) break;
    left -= page.length;
    first = oldest.id;
    to = `(${oldest.id}`;
  }
  return first;
}
