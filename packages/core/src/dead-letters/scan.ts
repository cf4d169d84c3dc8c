import { type EntryId, nextEntryId } from "../names/entry-id.ts";
import type { StreamEntry } from "../wire/entry.ts";

/** The first page is small, because nothing is known yet of how large letters are. */
export const FIRST_PAGE = 10;
/** No page has more letters than this, so a page takes at most this many times the largest letter. */
export const LARGEST_PAGE = 100;
/** About how many payload bytes a page shall have. */
const PAGE_BYTES = 4_194_304;

/**
 * Walks through a stream, page by page: ends with the first page that is shorter than was asked for.
 *
 * @param read one page, oldest first, from an id on, that id included
 * @param mostPerPage what the caller can use at once
 */
export async function* scan(
  read: (from: string, count: number) => Promise<readonly StreamEntry[]>,
  from: string,
  mostPerPage: number = LARGEST_PAGE,
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
    next = nextEntryId(last.id);
    size = nextPageSize(entries, LARGEST_PAGE);
  }
}

/**
 * How many entries the next page has, going by those of the last one: about 4 MiB of them.
 *
 * @param largest as many as a page has at most, however small they are
 */
export function nextPageSize(entries: readonly StreamEntry[], largest: number): number {
  const meanBytes = entries.reduce((sum, entry) => sum + bytesOf(entry), 0) / entries.length;
  return Math.max(1, Math.min(largest, Math.floor(PAGE_BYTES / Math.max(1, meanBytes))));
}

/** Payload and history, names included. */
export function bytesOf({ fields }: StreamEntry): number {
  return fields.reduce((sum, field) => sum + field.length, 0);
}
