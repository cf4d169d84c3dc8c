import type { EntryId } from "../../names/entry-id.ts";
import { decodeArray, decodeInteger, decodeText } from "../reply.ts";
import type { Script } from "../script.ts";

export interface TrimToSafePointOptions {
  readonly stream: string;
  /** Whether to delete entries, or only to report the safe point. */
  readonly dryRun: boolean;
}

/** How far all groups of a stream have finished with it. */
export interface SafeTrim {
  /** No group needs an entry before this one. */
  readonly safeId: EntryId;
  /** The group that needs this entry, or the next one. */
  readonly pinnedBy: string;
  /** How many entries were deleted; 0 if none are left that are cheap to delete. */
  readonly dropped: number;
}

/** Deletes entries that no group needs any more, at most 10,000 per call → `null` if the stream has no group. */
export const trimToSafePoint: Script<TrimToSafePointOptions, SafeTrim | null> = {
  name: "trimToSafePoint",
  keys: ({ stream }) => [stream],
  encode: ({ dryRun }) => [dryRun ? "look" : "trim"],
  decode(reply) {
    const items = decodeArray(reply, "trimToSafePoint");
    if (items.length === 0) return null;
    const [safeId, pinnedBy, dropped] = items;
    return {
      safeId: decodeText(safeId, "trimToSafePoint"),
      pinnedBy: decodeText(pinnedBy, "trimToSafePoint"),
      dropped: decodeInteger(dropped, "trimToSafePoint"),
    };
  },
};
