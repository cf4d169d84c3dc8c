import { type EntryId, nextEntryId } from "../names/entry-id.ts";
import type { StreamEntry } from "../wire/entry.ts";

/** The first page is small, because the size of the dead letters is not known yet. */
export const FIRST_PAGE = 10;
/** Maximum dead letters per page, so a page takes at most this many times the largest dead letter. */
export const LARGEST_PAGE = 100;
/** Approximate payload bytes per page. */
const PAGE_BYTES = 4_194_304;

/**
 * Reads a stream page by page, until a page is shorter than requested.
 *
 * @param read reads one page, starting at an id (inclusive)
 * @param step the next id in the direction of the pages
 * @param mostPerPage the maximum that the caller can use at once
 */
export async function* scan(
  read: (from: string, count: number) => Promise<readonly StreamEntry[]>,
  from: string,
  mostPerPage: number = LARGEST_PAGE,
  step: (id: EntryId) => EntryId | null = nextEntryId,
): AsyncGenerator<readonly StreamEntry[], void, undefined> {
  let next: EntryId | null = from;
  let size = FIRST_PAGE;
  while (next !== null) {
    const count = Math.min(size, mostPerPage);
    const entries = await read(next, count);
    const last = entries.at(-1);
    if (last === undefined) return;
    yield entries;
    if (entries.length < count) return;
    next = step(last.id);
    size = nextPageSize(entries, LARGEST_PAGE);
  }
}

/**
 * The number of entries of the next page, estimated from the last page: about 4 MiB.
 *
 * @param largest maximum number of entries per page, however small they are
 */
export function nextPageSize(entries: readonly StreamEntry[], largest: number): number {
  const meanBytes = entries.reduce((sum, entry) => sum + bytesOf(entry), 0) / entries.length;
  return Math.max(1, Math.min(largest, Math.floor(PAGE_BYTES / Math.max(1, meanBytes))));
}

/** Payload and history, names included. */
export function bytesOf({ fields }: StreamEntry): number {
  return fields.reduce((sum, field) => sum + field.length, 0);
}
