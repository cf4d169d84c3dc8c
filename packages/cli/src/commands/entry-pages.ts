import type { StreamClient } from "@redis-batch/core/internal/connection";
import { FIRST_PAGE_SIZE, nextPageSize, type StreamEntry } from "@redis-batch/core/internal/messages";

// Entries per page if they are small.
const LARGEST_PAGE = 1_000;

interface EntryRange {
  readonly stream: string;
  /** As in XRANGE: an id, `(` before an id to exclude it, `-`, or `+`. */
  readonly from: string;
  readonly to: string;
  /** The maximum number of entries. */
  readonly most: number;
  readonly newestFirst?: boolean;
  /** How many ranges have a page in memory together: their pages are as much smaller. Default 1. */
  readonly share?: number;
}

/** Reads a range page by page: never more than one page is in memory, however large the entries are. */
export async function* entryPages(
  client: Pick<StreamClient, "xrange" | "xrevrange">,
  { stream, most, newestFirst = false, share = 1, ...range }: EntryRange,
): AsyncGenerator<readonly StreamEntry[], void, undefined> {
  let { from, to } = range;
  let size = Math.ceil(FIRST_PAGE_SIZE / share);
  for (let left = most; left > 0; ) {
    const count = Math.min(left, size);
    const page = await (newestFirst ? client.xrevrange : client.xrange).call(client, { stream, from, to, count });
    const last = page.at(-1);
    if (last === undefined) return;
    yield page;
    if (page.length < count) return;
    left -= page.length;
    size = nextPageSize(page, LARGEST_PAGE, share);
    if (newestFirst) to = `(${last.id}`;
    else from = `(${last.id}`;
  }
}
