import { type EntryId, NoGroupError, type StreamClient } from "@redis-batch/core/internal";

/**
 * Which of these messages are pending, for whomever. After a reply that was lost this tells what an outcome came to that
 * is refused now: what is pending for nobody has it, from the first attempt; what is pending was somebody else's. When the
 * group is gone, nothing tells, and all of them are taken to be lost.
 */
export async function stillPending(
  client: StreamClient,
  { stream, group }: { readonly stream: string; readonly group: string },
  ids: readonly EntryId[],
): Promise<ReadonlySet<EntryId>> {
  const looks = ids.map((id) => client.xpendingRange({ stream, group, from: id, to: id, count: 1 }));
  try {
    return new Set((await Promise.all(looks)).flat().map(({ id }) => id));
  } catch (error) {
    if (NoGroupError.is(error)) return new Set(ids);
    throw error;
  }
}
