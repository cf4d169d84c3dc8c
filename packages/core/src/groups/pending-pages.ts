import type { StreamClient } from "../stream-client.ts";
import type { PendingEntry } from "../wire/xpending.ts";

export interface PendingPagesOptions {
  readonly stream: string;
  readonly group: string;
  /** The consumer whose pending messages are read. */
  readonly consumer: string;
  /** Messages in a page. */
  readonly pageSize: number;
}

/**
 * The pending messages of one consumer, by id, page by page. Messages that are removed meanwhile do not disturb it, and
 * the server is never busy for longer than a page.
 */
export async function* pendingPages(
  client: Pick<StreamClient, "xpendingRange">,
  { pageSize, ...owner }: PendingPagesOptions,
): AsyncGenerator<readonly PendingEntry[], void, undefined> {
  let from = "-";
  for (;;) {
    const page = await client.xpendingRange({ ...owner, from, to: "+", count: pageSize });
    const last = page.at(-1);
    if (last === undefined) return;
    yield page;
    if (page.length < pageSize) return;
    from = `(${last.id}`;
  }
}
