import { ReplyShapeError } from "../../errors/errors.ts";
import type { EntryId } from "../../names/entry-id.ts";
import { decodeArray, decodeInteger } from "../reply.ts";
import type { ScriptInParts } from "../script.ts";
import { inStreamOrder, mergeEnds, type OwnMessages, splitIds } from "./own-messages.ts";

/** `kept`: acknowledged, but another group still has to read or acknowledge it. */
export type Deletion = "deleted" | "kept" | "not-owned";

/** Acknowledges the messages that the consumer still owns, and deletes those that no group needs any more. */
export const deleteIfAllGroupsDone: ScriptInParts<OwnMessages, ReadonlyMap<EntryId, Deletion>> = {
  name: "deleteIfAllGroupsDone",
  keys: ({ stream }) => [stream],
  encode: ({ group, consumer, ids }) => [group, consumer, ...inStreamOrder(ids)],
  decode(reply, { ids }) {
    const codes = decodeArray(reply, "deleteIfAllGroupsDone");
    return new Map(inStreamOrder(ids).map((id, index) => [id, decodeDeletion(codes[index])]));
  },
  split: splitIds,
  merge: mergeEnds,
};

function decodeDeletion(reply: unknown): Deletion {
  const code = decodeInteger(reply, "deleteIfAllGroupsDone");
  if (code === 1) return "deleted";
  if (code === 2) return "kept";
  if (code === 0) return "not-owned";
  throw new ReplyShapeError(`deleteIfAllGroupsDone: unknown code ${code}`);
}
