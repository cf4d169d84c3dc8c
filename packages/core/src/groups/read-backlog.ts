import { type Backlog, backlogOfCount, decideBacklog } from "../decisions/backlog.ts";
import { decideCountPage } from "../decisions/count-page.ts";
import type { EntryId } from "../names/entry-id.ts";
import type { StreamClient } from "../stream-client.ts";
import type { GroupInfo, StreamInfo } from "../wire/xinfo.ts";

type BacklogClient = Pick<StreamClient, "xrange">;

export interface ReadBacklogOptions {
  readonly stream: string;
  readonly group: GroupInfo;
  /** Of the same stream, read after the group: entries added in between make the stream longer, not shorter. */
  readonly info: StreamInfo;
  /** If the server does not know the lag, messages are counted up to this limit; 0: not at all. */
  readonly countLimit: number;
}

/** The number of messages that wait for a group, and the first of them. Never reads the whole backlog. */
export async function readBacklog(
  client: BacklogClient,
  { stream, group: { lastDeliveredId, lag }, info: { length, firstEntryId }, countLimit }: ReadBacklogOptions,
): Promise<{ readonly backlog: Backlog; readonly firstWaitingId: EntryId | null }> {
  const [first] = await client.xrange({ stream, from: `(${lastDeliveredId}`, to: "+", count: 1 });
  const firstWaitingId = first?.id ?? null;
  const verdict = decideBacklog({ length, firstEntryId, lastDeliveredId, lag, firstWaitingId });
  if (verdict.kind === "known") return { backlog: verdict.backlog, firstWaitingId };
  if (countLimit === 0) return { backlog: { messages: null, source: "unknown" }, firstWaitingId };
  return { backlog: await count(client, stream, lastDeliveredId, countLimit), firstWaitingId };
}

/** Counts the entries after an entry, up to a limit. */
async function count(client: BacklogClient, stream: string, after: EntryId, limit: number): Promise<Backlog> {
  let [entries, bytes, from] = [0, 0, `(${after}`];
  for (;;) {
    const size = decideCountPage({ entries, bytes }, limit);
    if (size === 0) return backlogOfCount(entries, false);
    const page = await client.xrange({ stream, from, to: "+", count: size });
    entries += page.length;
    for (const { fields } of page) for (const field of fields) bytes += field.length;
    const last = page.at(-1);
    if (last === undefined || page.length < size) return backlogOfCount(entries, true);
    from = `(${last.id}`;
  }
}
