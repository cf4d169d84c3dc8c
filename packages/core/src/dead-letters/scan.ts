import { compareEntryIds, type EntryId, nextEntryId } from "../names/entry-id.ts";
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
 * @param share how many scans have their pages in memory together: their pages are as much smaller
 */
export async function* scan(
  read: (from: string, count: number) => Promise<readonly StreamEntry[]>,
  from: string,
  mostPerPage: number = LARGEST_PAGE,
  step: (id: EntryId) => EntryId | null = nextEntryId,
  share: number = 1,
): AsyncGenerator<readonly StreamEntry[], void, undefined> {
  let next: EntryId | null = from;
  let size = Math.ceil(FIRST_PAGE / share);
  while (next !== null) {
    const count = Math.min(size, mostPerPage);
    const entries = await read(next, count);
    const last = entries.at(-1);
    if (last === undefined) return;
    yield entries;
    if (entries.length < count) return;
    next = step(last.id);
    size = nextPageSize(entries, LARGEST_PAGE, share);
  }
}

/** An entry, and the number of the scan that it comes from. */
export interface Merged<Entry> {
  readonly scan: number;
  readonly entry: Entry;
}

interface Page<Entry> {
  readonly scan: number;
  readonly entries: readonly Entry[];
  at: number;
}

/**
 * Several scans as one, in the order of the ids: those of the same id in the order of the scans, or the other way round. Holds
 * one page of each, and gives entries as soon as it is sure that none comes before them.
 */
export async function* mergeScans<Entry extends { readonly id: EntryId }>(
  scans: readonly AsyncIterator<readonly Entry[]>[],
  newestFirst: boolean,
): AsyncGenerator<readonly Merged<Entry>[], void, undefined> {
  const read = async (number: number): Promise<Page<Entry>[]> => {
    const page = await scans[number]?.next();
    return page === undefined || page.done === true ? [] : [{ scan: number, entries: page.value, at: 0 }];
  };
  let pages = (await Promise.all(scans.map((_, number) => read(number)))).flat();
  while (pages.length > 0) {
    const merged: Merged<Entry>[] = [];
    let used = pages.find(isUsedUp);
    while (used === undefined) {
      const [page, entry] = firstOf(pages, newestFirst);
      merged.push({ scan: page.scan, entry });
      page.at++;
      if (isUsedUp(page)) used = page;
    }
    if (merged.length > 0) yield merged;
    const more = await read(used.scan);
    pages = pages.flatMap((page) => (page === used ? more : [page]));
  }
}

const isUsedUp = ({ entries, at }: Page<unknown>): boolean => at === entries.length;

/** The page that has the entry that comes first. None of them is used up. */
function firstOf<Entry extends { readonly id: EntryId }>(pages: readonly Page<Entry>[], newestFirst: boolean) {
  const heads = pages.map((page) => [page, page.entries[page.at] as Entry] as const);
  return heads.reduce((first, head) => {
    const order = compareEntryIds(head[1].id, first[1].id) || head[0].scan - first[0].scan;
    return (newestFirst ? order > 0 : order < 0) ? head : first;
  });
}

/**
 * The number of entries of the next page, estimated from the last page: about 4 MiB.
 *
 * @param largest maximum number of entries per page, however small they are
 * @param share how many such pages are in memory together: all of them have about 4 MiB
 */
export function nextPageSize(entries: readonly StreamEntry[], largest: number, share: number = 1): number {
  const meanBytes = entries.reduce((sum, entry) => sum + bytesOf(entry), 0) / entries.length;
  return Math.max(1, Math.min(largest, Math.floor(PAGE_BYTES / share / Math.max(1, meanBytes))));
}

/** Payload and history, names included. */
export function bytesOf({ fields }: StreamEntry): number {
  return fields.reduce((sum, field) => sum + field.length, 0);
}
