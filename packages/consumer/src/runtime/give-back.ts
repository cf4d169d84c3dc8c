import { type EntryId, type Farewell, RELEASED, RedisBatchError, type StreamClient } from "@redis-batch/core/internal";

/**
 * Releases what a leaving consumer holds, and removes its name unless messages are pending under it. Best effort:
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
    const { stream, group, consumer: from } = consumer;
    givenBack = (await client.release({ stream, group, from, to: RELEASED, ...held })).moved;
    const removal = await client.removeIfEmpty({ ...consumer, onlyIfSilent: false, farewell });
    return { givenBack, nameRemoved: removal === "removed" };
  } catch (error) {
    if (!RedisBatchError.is(error)) throw error;
    return { givenBack, nameRemoved: false };
  }
}
