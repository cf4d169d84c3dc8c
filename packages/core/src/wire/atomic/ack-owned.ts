import { ReplyShapeError } from "../../errors/errors.ts";
import type { EntryId } from "../../names/entry-id.ts";
import { decodeArray, decodeInteger } from "../reply.ts";
import type { ScriptInParts } from "../script.ts";
import { inStreamOrder, type OwnMessages, splitIds } from "./own-messages.ts";

export interface AckOwnedResult {
  readonly acknowledged: readonly EntryId[];
  /** Pending for another consumer, or not pending: already acknowledged, or the group was created again. */
  readonly notOwned: readonly EntryId[];
}

/** Acknowledges the messages that the consumer still owns. */
export const ackOwned: ScriptInParts<OwnMessages, AckOwnedResult> = {
  name: "ackOwned",
  keys: ({ stream }) => [stream],
  encode: ({ group, consumer, ids }) => [group, consumer, ...inStreamOrder(ids)],
  decode(reply, { ids }) {
    const codes = decodeArray(reply, "ackOwned");
    const ordered = inStreamOrder(ids);
    const owned = ordered.map((_, index) => decodeOwned(codes[index]));
    return {
      acknowledged: ordered.filter((_, index) => owned[index] === true),
      notOwned: ordered.filter((_, index) => owned[index] === false),
    };
  },
  split: splitIds,
  merge: (results) => ({
    acknowledged: results.flatMap(({ acknowledged }) => acknowledged),
    notOwned: results.flatMap(({ notOwned }) => notOwned),
  }),
};

function decodeOwned(reply: unknown): boolean {
  const code = decodeInteger(reply, "ackOwned");
  if (code === 1) return true;
  if (code === 0) return false;
  throw new ReplyShapeError(`ackOwned: unknown code ${code}`);
}
