/**
 * Ids in a stream with partitions: `3/1700000000000-0` is `1700000000000-0` in partition 3, because an id is unique within its
 * partition only. In the order of time, two of the same id come in the order of their partitions.
 */
import { type EntryId, isEntryId, nextEntryId, previousEntryId } from "./entry-id.ts";

/** An id, and the partition that it is in; `null`: none is named. */
export interface Placed {
  readonly partition: number | null;
  readonly id: EntryId;
}

const PLACED = /^(?:(0|[1-9]\d{0,2})\/)?([^/]+)$/;

/** Reads `3/1700000000000-0`, or an id alone; `null` if it is neither. */
export function parsePlacedId(text: string): Placed | null {
  const [, partition, id = ""] = PLACED.exec(text) ?? [];
  return isEntryId(id) ? { partition: partition === undefined ? null : Number(partition), id } : null;
}

/** The id as text, with its partition in front where it has one. */
export function encodePlacedId({ partition, id }: Placed): string {
  return partition === null ? id : `${partition}/${id}`;
}

/** Which way ids are gone through, and over how many partitions; `null`: the stream has none. */
export interface Walk {
  readonly partitions: number | null;
  readonly newestFirst: boolean;
}

/** The first possible one behind this; `null` behind the last. */
export function placeBehind({ partition, id }: Placed, { partitions, newestFirst }: Walk): Placed | null {
  const step = newestFirst ? previousEntryId : nextEntryId;
  if (partition !== null && partitions !== null) {
    const beside = newestFirst ? partition - 1 : partition + 1;
    if (beside >= 0 && beside < partitions) return { partition: beside, id };
  }
  const next = step(id);
  const first = partitions === null ? null : newestFirst ? partitions - 1 : 0;
  return next === null ? null : { partition: first, id: next };
}

/** Where reading starts in a partition, if it starts here in the whole; `null`: nothing of this partition comes. */
export function startIn(partition: number | null, from: Placed, newestFirst: boolean): EntryId | null {
  if (partition === null || from.partition === null || partition === from.partition) return from.id;
  const isBehind = newestFirst ? partition < from.partition : partition > from.partition;
  return isBehind ? from.id : (newestFirst ? previousEntryId : nextEntryId)(from.id);
}
