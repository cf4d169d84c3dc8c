/** The size of the next page of a count: counting must not fill the memory with payloads. */

// Maximum bytes for a whole count, and approximate bytes per page.
const COUNTED_BYTES = 4_194_304;
const PAGE_BYTES = 262_144;
const FIRST_PAGE = 10;
const LARGEST_PAGE = 500;

export interface CountSoFar {
  readonly entries: number;
  readonly bytes: number;
}

/** 0: the count is over, because of `limit` or because of the bytes it has read. */
export function decideCountPage({ entries, bytes }: CountSoFar, limit: number): number {
  if (entries >= limit || bytes >= COUNTED_BYTES) return 0;
  const meanBytes = entries === 0 ? PAGE_BYTES / FIRST_PAGE : Math.max(bytes / entries, 1);
  return Math.min(Math.max(Math.floor(PAGE_BYTES / meanBytes), 1), LARGEST_PAGE, limit - entries);
}
