/** Tells, after a lost reply, a first attempt that succeeded from messages that now belong to another consumer. */
import { type EntryId, NoGroupError } from "@redis-batch/core";
import type { StreamClient } from "@redis-batch/core/internal/connection";

/**
 * Which of these messages are pending for any consumer. After a lost reply this explains why an outcome is refused: if the
 * message is not pending, the first attempt succeeded; if it is pending, it belongs to another consumer. If the group is gone
 * nobody knows, and all of them are taken to be pending.
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
