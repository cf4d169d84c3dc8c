import type { EntryId } from "../../names/entry-id.ts";
import { decodeArray, decodeInteger, decodeText } from "../reply.ts";
import type { Script } from "../script.ts";

export interface TrimToSafePointOptions {
  readonly stream: string;
  /** Whether to drop entries, or only to say up to where they could be. */
  readonly dryRun: boolean;
}

/** How far every group of a stream is done with it. */
export interface SafeTrim {
  /** No group needs an entry before this one. */
  readonly safeId: EntryId;
  /** The group that needs this one, or the first after it. */
  readonly pinnedBy: string;
  /** How many entries were dropped; 0 when there are none left to drop at small cost. */
  readonly dropped: number;
}

/** Drops, at most 10,000 at a time, entries that no group needs any more → `null` where the stream has no group. */
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
