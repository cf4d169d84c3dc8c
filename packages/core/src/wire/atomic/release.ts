import type { EntryId } from "../../names/entry-id.ts";
import { inParts } from "../parts.ts";
import { decodeArray, decodeInteger, decodeText } from "../reply.ts";
import type { ScriptInParts } from "../script.ts";
import { inStreamOrder } from "./own-messages.ts";

export interface ReleaseOptions {
  readonly stream: string;
  readonly group: string;
  /** The current owner: only messages pending under this name move. */
  readonly from: string;
  /** The new owner. The same name as `from` only decrements the count of `neverOffered`, and resets their idle time. */
  readonly to: string;
  /** Ids that reached the consumer's code: their delivery count stays. Any number of them. */
  readonly offered: readonly EntryId[];
  /** Ids that were delivered but never reached its code: their delivery count goes back by one. Any number of them. */
  readonly neverOffered: readonly EntryId[];
}

export interface ReleaseResult {
  readonly moved: number;
  /** Deleted from the stream meanwhile; the server has dropped them from the pending list. */
  readonly trimmed: readonly EntryId[];
}

/**
 * Moves messages from one name to another. Messages that `from` does not own (any more) are left alone. A call whose
 * reply was lost may be repeated if `to` is another name: messages that have moved no longer belong to `from`.
 */
export const release: ScriptInParts<ReleaseOptions, ReleaseResult> = {
  name: "release",
  keys: ({ stream }) => [stream],
  encode: ({ group, from, to, neverOffered, offered }) => [
    ...[group, from, to, neverOffered.length],
    ...inStreamOrder(neverOffered),
    ...inStreamOrder(offered),
  ],
  decode(reply) {
    const [moved, trimmed] = decodeArray(reply, "release");
    return {
      moved: decodeInteger(moved, "release"),
      trimmed: decodeArray(trimmed, "release").map((id) => decodeText(id, "release")),
    };
  },
  split: ({ neverOffered, offered, ...move }) => [
    ...inParts(inStreamOrder(neverOffered)).map((ids) => ({ ...move, neverOffered: ids, offered: [] })),
    ...inParts(inStreamOrder(offered)).map((ids) => ({ ...move, neverOffered: [], offered: ids })),
  ],
  merge: (results) => ({
    moved: results.reduce((sum, { moved }) => sum + moved, 0),
    trimmed: results.flatMap(({ trimmed }) => trimmed),
  }),
};
