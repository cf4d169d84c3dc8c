import { type EntryId, type Farewell, RedisBatchError, type StreamClient } from "@redis-batch/core/internal";

const IDS_PER_COMMAND = 1_000;
// Past any lease and any patience with foreign consumers, so that whoever recovers messages may take these at once.
const GIVEN_BACK_IDLE_MS = 86_400_000;

/**
 * Gives back what a leaving consumer holds, and removes its name unless messages are pending under it. Best effort:
 * when the server cannot be asked, the messages stay pending and are recovered like those of a process that died.
 */
export async function giveBack(
  client: StreamClient,
  consumer: { readonly stream: string; readonly group: string; readonly consumer: string },
  held: { readonly neverOffered: readonly EntryId[]; readonly offered: readonly EntryId[] },
  farewell: Farewell | undefined,
): Promise<{ readonly givenBack: number; readonly nameRemoved: boolean }> {
  let givenBack = 0;
  try {
    for (const neverOffered of pages(held.neverOffered)) {
      givenBack += await client.release({ ...consumer, neverOffered, offered: [], idleMs: GIVEN_BACK_IDLE_MS });
    }
    for (const offered of pages(held.offered)) {
      givenBack += await client.release({ ...consumer, neverOffered: [], offered, idleMs: GIVEN_BACK_IDLE_MS });
    }
    const removal = await client.removeIfEmpty({ ...consumer, onlyIfSilent: false, farewell });
    return { givenBack, nameRemoved: removal === "removed" };
  } catch (error) {
    if (!RedisBatchError.is(error)) throw error;
    return { givenBack, nameRemoved: false };
  }
}

function* pages(ids: readonly EntryId[]): Generator<readonly EntryId[]> {
  for (let start = 0; start < ids.length; start += IDS_PER_COMMAND) yield ids.slice(start, start + IDS_PER_COMMAND);
}
