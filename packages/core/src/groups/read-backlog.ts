import { type Backlog, backlogOfCount, decideBacklog } from "../decisions/backlog.ts";
import { decideCountPage } from "../decisions/count-page.ts";
import { nullIfForbidden } from "../errors/null-if-forbidden.ts";
import { compareEntryIds, type EntryId } from "../names/entry-id.ts";
import type { StreamClient } from "../stream-client.ts";
import type { GroupInfo, StreamInfo } from "../wire/xinfo.ts";

type BacklogClient = Pick<StreamClient, "xrange" | "mayCall">;

export interface ReadBacklogOptions {
  readonly stream: string;
  readonly group: GroupInfo;
  /** Of the same stream, read after the group: entries added in between make the stream longer, not shorter. */
  readonly info: StreamInfo;
  /** If the server does not know the lag, messages are counted up to this limit; 0: not at all. */
  readonly countLimit: number;
}

export interface WaitingMessages {
  readonly backlog: Backlog;
  /** The oldest of them; `null` if there is none, or if this user may not read entries. */
  readonly firstWaitingId: EntryId | null;
}

/**
 * The number of messages that wait for a group, and the first of them. Never reads the whole backlog. Without the right to
 * read entries, a number that the server does not know stays unknown.
 */
export async function readBacklog(client: BacklogClient, options: ReadBacklogOptions): Promise<WaitingMessages> {
  const { stream, group, info, countLimit } = options;
  const { lastDeliveredId, lag } = group;
  const ends = knownFirst(lastDeliveredId, info);
  // Asked first: the server logs each read that it refuses.
  const mayRead = ends === undefined && (await mayReadEntries(client, stream));
  const read = mayRead ? await readFirst(client, stream, lastDeliveredId) : undefined;
  const first = ends === undefined ? read : ends;
  const firstWaitingId = first ?? null;
  const { length, firstEntryId } = info;
  const verdict = decideBacklog({ length, firstEntryId, lastDeliveredId, lag, firstWaitingId: first });
  if (verdict.kind === "known") return { backlog: verdict.backlog, firstWaitingId };
  if (countLimit === 0 || read === undefined) return { backlog: { messages: null, source: "unknown" }, firstWaitingId };
  return { backlog: await count(client, stream, lastDeliveredId, countLimit), firstWaitingId };
}

/** The oldest waiting entry, where the ends of the stream show it; `undefined` otherwise. */
function knownFirst(lastDeliveredId: EntryId, { firstEntryId, lastEntryId }: StreamInfo): EntryId | null | undefined {
  if (firstEntryId === null || lastEntryId === null) return null;
  if (compareEntryIds(lastEntryId, lastDeliveredId) <= 0) return null;
  return compareEntryIds(firstEntryId, lastDeliveredId) > 0 ? firstEntryId : undefined;
}

async function mayReadEntries(client: BacklogClient, stream: string): Promise<boolean> {
  const [isAllowed = true] = (await client.mayCall({ commands: [["XRANGE", stream, "-", "+"]] })) ?? [];
  return isAllowed;
}

/** The first entry after another; `undefined` if this user may not read it after all. */
async function readFirst(client: BacklogClient, stream: string, after: EntryId): Promise<EntryId | null | undefined> {
  const entries = await nullIfForbidden(client.xrange({ stream, from: `(${after}`, to: "+", count: 1 }));
  return entries === null ? undefined : (entries[0]?.id ?? null);
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
