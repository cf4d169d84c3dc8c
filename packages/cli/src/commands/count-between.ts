import type { StreamClient } from "@redis-batch/core/internal/connection";
import { entryPages } from "./entry-pages.ts";

/** A number of entries; if `isAll` is false, there are at least that many. */
export interface Count {
  readonly value: number;
  readonly isAll: boolean;
}

// Counting reads the entries. Beyond this number or size, "at least" is good enough.
const COUNTED_MOST = 20_000;
const COUNTED_BYTES = 134_217_728;

/** Counts the entries after one id, up to and including another. */
export async function countBetween(client: StreamClient, stream: string, after: string, to: string): Promise<Count> {
  let [value, bytes] = [0, 0];
  for await (const page of entryPages(client, { stream, from: `(${after}`, to, most: COUNTED_MOST })) {
    value += page.length;
    bytes += page.reduce((sum, { fields }) => sum + fields.reduce((all, { length }) => all + length, 0), 0);
    if (bytes > COUNTED_BYTES) return { value, isAll: false };
  }
  return { value, isAll: value < COUNTED_MOST };
}

/** Counts what a group at this position still has to read. */
export async function countAfter(client: StreamClient, stream: string, position: string): Promise<Count> {
  if (position === "end") return { value: 0, isAll: true };
  if (position === "start") return { value: await client.xlen({ stream }), isAll: true };
  return countBetween(client, stream, position, "+");
}

/** Counts the entries before this one. */
export async function countBefore(client: StreamClient, stream: string, id: string): Promise<Count> {
  // The range before the smallest id is one that the server refuses.
  return id === "0-0" ? { value: 0, isAll: true } : countBetween(client, stream, "0-0", `(${id}`);
}
