import { ReplyShapeError } from "../../errors/errors.ts";
import type { EntryId } from "../../names/entry-id.ts";
import { decodeArray, decodeInteger } from "../reply.ts";
import type { ScriptInParts } from "../script.ts";
import { inStreamOrder, mergeEnds, type OwnMessages, splitIds } from "./own-messages.ts";

/**
 * `kept`: the lease is renewed · `taken`: pending for another consumer, or not pending · `trimmed`: deleted from the
 * stream meanwhile; the server has dropped it from the pending list.
 */
export type Renewal = "kept" | "taken" | "trimmed";

/** Renews the leases of messages that the consumer still owns; delivery counts stay. */
export const renewOwned: ScriptInParts<OwnMessages, ReadonlyMap<EntryId, Renewal>> = {
  name: "renewOwned",
  keys: ({ stream }) => [stream],
  encode: ({ group, consumer, ids }) => [group, consumer, ...inStreamOrder(ids)],
  decode(reply, { ids }) {
    const codes = decodeArray(reply, "renewOwned");
    return new Map(inStreamOrder(ids).map((id, index) => [id, decodeRenewal(codes[index])]));
  },
  split: splitIds,
  merge: mergeEnds,
};

function decodeRenewal(reply: unknown): Renewal {
  const code = decodeInteger(reply, "renewOwned");
  if (code === 1) return "kept";
  if (code === 0) return "taken";
  if (code === -1) return "trimmed";
  throw new ReplyShapeError(`renewOwned: unknown code ${code}`);
}
