/** The last step of a consumer: releases what it holds, leaves its final report, and removes its name from the group. */
import { type EntryId, PermissionError, RedisBatchError } from "@redis-batch/core";
import type { StreamClient } from "@redis-batch/core/internal/connection";
import type { FinalReport } from "@redis-batch/core/internal/groups";
import { LATER, RELEASED } from "@redis-batch/core/internal/names";

const IDS_PER_COMMAND = 1_000;

export interface LastHeld {
  readonly neverOffered: readonly EntryId[];
  readonly offered: readonly EntryId[];
  /** Deferred messages, and for how much longer, in milliseconds. */
  readonly deferred: readonly { readonly id: EntryId; readonly delayMs: number }[];
}

/**
 * Releases what a leaving consumer holds, and removes its name unless messages are pending under it. Deferred messages keep
 * their time. Best effort: if the server cannot be asked, the messages stay pending and are released later, like those of a
 * process that died.
 */
export async function leaveGroup(
  client: StreamClient,
  who: { readonly stream: string; readonly group: string; readonly consumer: string },
  held: LastHeld,
  finalReport: FinalReport | undefined,
): Promise<{ readonly released: number; readonly nameRemoved: boolean }> {
  const { stream, group, consumer: from } = who;
  let released = 0;
  const move = async (to: string, kind: "neverOffered" | "offered", ids: readonly EntryId[]): Promise<void> => {
    const none = { neverOffered: [], offered: [] };
    for (const page of pages(ids)) {
      released += (await client.release({ stream, group, from, to, ...none, [kind]: page })).moved;
    }
  };
  try {
    await move(RELEASED, "neverOffered", held.neverOffered);
    await move(RELEASED, "offered", held.offered);
    const later = held.deferred.map(({ id }) => id);
    await move((await schedule(client, who, held.deferred)) ? LATER : RELEASED, "offered", later);
    const removal = await client.removeIfEmpty({ ...who, onlyIfSilent: false, finalReport });
    return { released, nameRemoved: removal === "removed" };
  } catch (error) {
    if (!RedisBatchError.is(error)) throw error;
    return { released, nameRemoved: false };
  }
}

/** Writes down when they are due → whether that is allowed. If not, they are released at once. */
async function schedule(
  client: StreamClient,
  { stream, group }: { readonly stream: string; readonly group: string },
  deferred: LastHeld["deferred"],
): Promise<boolean> {
  try {
    for (const delays of pages(deferred)) await client.scheduleLater({ stream, group, delays });
    return true;
  } catch (error) {
    if (PermissionError.is(error)) return false;
    throw error;
  }
}

function* pages<Item>(items: readonly Item[]): Generator<readonly Item[]> {
  for (let start = 0; start < items.length; start += IDS_PER_COMMAND) yield items.slice(start, start + IDS_PER_COMMAND);
}
