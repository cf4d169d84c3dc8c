import { ReplyShapeError } from "../errors/errors.ts";
import type { EntryId } from "../names/entry-id.ts";
import type { Deletion } from "./atomic/delete-if-all-groups-done.ts";
import type { Command } from "./command.ts";
import { decodeArray, decodeInteger } from "./reply.ts";
import type { XackOptions } from "./xack.ts";

export interface XackdelOptions extends Omit<XackOptions, "ids"> {
  readonly ids: readonly EntryId[];
}

/**
 * `XACKDEL key group ACKED IDS n id …` (Redis ≥ 8.2): acknowledges, and deletes entries that no group needs any more.
 * Ownership is not checked; an entry that is not pending in this group is `not-owned`, and is not deleted.
 */
export const xackdel: Command<XackdelOptions, ReadonlyMap<EntryId, Deletion>> = {
  name: "xackdel",
  encode: ({ stream, group, ids }) => [stream, group, "ACKED", "IDS", ids.length, ...ids],
  decode(reply, { ids }) {
    const codes = decodeArray(reply, "XACKDEL");
    if (codes.length !== ids.length)
      throw new ReplyShapeError(`XACKDEL: ${codes.length} answers for ${ids.length} ids`);
    return new Map(ids.map((id, index) => [id, decodeDeletion(codes[index])]));
  },
};

function decodeDeletion(reply: unknown): Deletion {
  const code = decodeInteger(reply, "XACKDEL");
  if (code === 1) return "deleted";
  if (code === 2) return "kept";
  if (code === -1) return "not-owned";
  throw new ReplyShapeError(`XACKDEL: unknown code ${code}`);
}
