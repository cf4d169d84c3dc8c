/** What a consumer does last: it releases what it holds, says what it has done, and takes its name out of the group. */
import {
  type EntryId,
  type FinalReport,
  LATER,
  PermissionError,
  RELEASED,
  RedisBatchError,
  type StreamClient,
} from "@redis-batch/core/internal";

const IDS_PER_COMMAND = 1_000;

export interface LastHeld {
  readonly neverOffered: readonly EntryId[];
  readonly offered: readonly EntryId[];
  /** Put off, and for how much longer, in milliseconds. */
  readonly deferred: readonly { readonly id: EntryId; readonly delayMs: number }[];
}

/**
 * Gives back what a leaving consumer holds, and removes its name unless messages are pending under it. What is deferred
 * keeps its time; anybody may take the rest at once. Best effort: when the server cannot be asked, the messages stay
 * pending and are recovered like those of a process that died.
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

/** Writes down when they are due → whether that may be done; if not, they are due at once for whoever takes them. */
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
