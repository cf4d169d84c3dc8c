import type { StreamClient } from "@redis-batch/core/internal";

/** How many there are; where `isAll` is false, at least so many. */
export interface Count {
  readonly value: number;
  readonly isAll: boolean;
}

const ENTRIES_AT_ONCE = 1_000;
// Counting reads the entries: beyond this many "at least" is answer enough.
const COUNTED_MOST = 20_000;

/** Counts the entries after one id, up to another one and with it. */
export async function countBetween(client: StreamClient, stream: string, after: string, to: string): Promise<Count> {
  let [value, from] = [0, `(${after}`];
  while (value < COUNTED_MOST) {
    const page = await client.xrange({ stream, from, to, count: ENTRIES_AT_ONCE });
    value += page.length;
    const last = page.at(-1);
    if (last === undefined || page.length < ENTRIES_AT_ONCE) return { value, isAll: true };
    from = `(${last.id}`;
  }
  return { value, isAll: false };
}

/** What a group at this position would still get. */
export async function countAfter(client: StreamClient, stream: string, position: string): Promise<Count> {
  if (position === "end") return { value: 0, isAll: true };
  if (position === "start") return { value: await client.xlen({ stream }), isAll: true };
  return countBetween(client, stream, position, "+");
}

/** Counts the entries before this one. */
export async function countBefore(client: StreamClient, stream: string, id: string): Promise<Count> {
  return countBetween(client, stream, "0-0", `(${id}`);
}
