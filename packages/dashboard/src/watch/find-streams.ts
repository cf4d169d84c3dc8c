/** Which streams there are. */
import type { StreamClient } from "@redis-batch/core/internal/connection";
import { joinPartitions } from "@redis-batch/core/internal/groups";
import { isOwnKey } from "@redis-batch/core/internal/names";

const KEYS_AT_ONCE = 1_000;

export interface FoundStreams {
  /** Sorted. */
  readonly names: readonly string[];
  /** Whether there are more than were asked for. */
  readonly isCut: boolean;
}

/** Looks up the streams of the server, without those that Redis Batch keeps for itself. Partitions are found as the whole. */
export async function findStreams(
  client: Pick<StreamClient, "scanStreams" | "textOf">,
  most: number,
  signal: AbortSignal,
): Promise<FoundStreams> {
  const names = new Set<string>();
  let cursor: string | null = null;
  do {
    signal.throwIfAborted();
    const page = await client.scanStreams({ match: undefined, count: KEYS_AT_ONCE, cursor: cursor ?? undefined });
    for (const name of page.names) if (!isOwnKey(name)) names.add(name);
    cursor = page.cursor;
  } while (cursor !== null && names.size <= most);
  const sorted = (await joinPartitions(client, [...names])).toSorted();
  return { names: sorted.slice(0, most), isCut: cursor !== null || sorted.length > most };
}
