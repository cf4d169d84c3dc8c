import { compareEntryIds, type EntryId } from "../../entry-id.ts";

/** Messages that a consumer believes to own. Every operation on them checks that first. */
export interface OwnMessages {
  readonly stream: string;
  readonly group: string;
  readonly consumer: string;
  readonly ids: readonly EntryId[];
}

/** The scripts look at the range between the first and the last id, so the ids go out in stream order. */
export function inStreamOrder(ids: readonly EntryId[]): EntryId[] {
  return ids.toSorted(compareEntryIds);
}
