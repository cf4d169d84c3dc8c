import type { StreamClient } from "@redis-batch/core/internal/connection";
import { FIRST_PAGE_SIZE, nextPageSize, type StreamEntry } from "@redis-batch/core/internal/messages";

const LARGEST_PAGE = 1_000;
// Of one answer: a question must not read a whole server.
const MOST_BYTES = 67_108_864;

interface EntryRange {
  readonly stream: string;
  /** As in XRANGE. */
  readonly from: string;
  readonly to: string;
  readonly newestFirst: boolean;
  /** How many ranges have a page in memory together: their pages are as much smaller. Default 1. */
  readonly share?: number;
}

/** How much is read for one answer: a number of entries, and 64 MiB of them. */
export class ReadBudget {
  #entries: number;
  #bytes = MOST_BYTES;

  constructor(entries: number) {
    this.#entries = entries;
  }

  /** Whether there is enough left for another entry, which is then paid for. */
  spend({ fields }: Pick<StreamEntry, "fields">): boolean {
    if (this.#entries === 0 || this.#bytes <= 0) return false;
    this.#entries--;
    for (const { length } of fields) this.#bytes -= length;
    return true;
  }
}

/** Reads a range page by page: however large the entries are, few of them are in memory. */
export async function* entryPages(
  client: Pick<StreamClient, "xrange" | "xrevrange">,
  { stream, newestFirst, share = 1, ...range }: EntryRange,
): AsyncGenerator<readonly StreamEntry[], void, undefined> {
  let { from, to } = range;
  for (let count = Math.ceil(FIRST_PAGE_SIZE / share); ; ) {
    const options = { stream, from, to, count };
    const page = newestFirst ? await client.xrevrange(options) : await client.xrange(options);
    const last = page.at(-1);
    if (last === undefined) return;
    yield page;
    if (page.length < count) return;
    count = nextPageSize(page, LARGEST_PAGE, share);
    if (newestFirst) to = `(${last.id}`;
    else from = `(${last.id}`;
  }
}
