import { FIRST_PAGE_SIZE, nextPageSize, type StreamClient, type StreamEntry } from "@redis-batch/core/internal";

// As many as a page has where they are small.
const LARGEST_PAGE = 1_000;

interface EntryRange {
  readonly stream: string;
  /** As XRANGE has it: an id, `(` before one that is not meant, `-`, or `+`. */
  readonly from: string;
  readonly to: string;
  /** As many as are wanted at most. */
  readonly most: number;
  readonly newestFirst?: boolean;
}

/** The entries of a range, a page at a time, however large they are: no more than a page is in memory. */
export async function* entryPages(
  client: Pick<StreamClient, "xrange" | "xrevrange">,
  { stream, most, newestFirst = false, ...range }: EntryRange,
): AsyncGenerator<readonly StreamEntry[], void, undefined> {
  let { from, to } = range;
  let size = FIRST_PAGE_SIZE;
  for (let left = most; left > 0; ) {
    const count = Math.min(left, size);
    const page = await (newestFirst ? client.xrevrange : client.xrange).call(client, { stream, from, to, count });
    const last = page.at(-1);
    if (last === undefined) return;
    yield page;
    if (page.length < count) return;
    left -= page.length;
    size = nextPageSize(page, LARGEST_PAGE);
    if (newestFirst) to = `(${last.id}`;
    else from = `(${last.id}`;
  }
}
