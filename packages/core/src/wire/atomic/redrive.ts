import { ReplyShapeError } from "../../errors/errors.ts";
import type { EntryId } from "../../names/entry-id.ts";
import { groupKey } from "../../names/keys.ts";
import { decodeArray, decodeText } from "../reply.ts";
import type { Script } from "../script.ts";

export interface RedriveLetterOptions {
  readonly stream: string;
  readonly group: string;
  /** The dead letter's own id. */
  readonly id: EntryId;
  /** What to do with a dead letter whose entry is no longer in the stream. */
  readonly ifTrimmed: "add" | "skip";
}

/**
 * `entry-trimmed`: the message's entry is no longer in the stream · `pending`: the group has it pending, and may be
 * processing it · `not-read`: the group has not read it yet, and will · `not-a-letter`: Redis Batch did not write it.
 */
export type SkipReason = "entry-trimmed" | "pending" | "not-read" | "not-a-letter";

/**
 * `redriven`: pending again in its own group, released, as the entry it always was · `added`: a new entry of the stream, which
 * every group gets · `skipped`: nothing changed · `gone`: there is no such letter (any more).
 */
export type Redrive =
  | { readonly kind: "redriven"; readonly entryId: EntryId }
  | { readonly kind: "added"; readonly entryId: EntryId }
  | { readonly kind: "skipped"; readonly why: SkipReason }
  | { readonly kind: "missing" };

/** Returns the message of one dead letter to its group, with a delivery count of 0, and deletes the dead letter. */
export const redrive: Script<RedriveLetterOptions, Redrive> = {
  name: "redrive",
  keys: ({ stream, group }) => [stream, groupKey("dead", stream, group)],
  encode: ({ group, id, ifTrimmed }) => [group, id, ifTrimmed],
  decode(reply) {
    const [word, entryId] = decodeArray(reply, "redrive").map((item) => decodeText(item, "redrive"));
    switch (word) {
      case "redriven":
      case "added":
        return { kind: word, entryId: decodeText(entryId, "redrive") };
      case "entry-trimmed":
      case "pending":
      case "not-read":
      case "not-a-letter":
        return { kind: "skipped", why: word };
      case "missing":
        return { kind: "missing" };
      default:
        throw new ReplyShapeError("redrive: unknown answer");
    }
  },
};
