import type { EntryId } from "../../entry-id.ts";
import { decodeArray, decodeInteger } from "../reply.ts";
import type { Script } from "../script.ts";
import { inStreamOrder, type OwnMessages } from "./own-messages.ts";

export interface AckOwnedResult {
  readonly acknowledged: readonly EntryId[];
  /** Pending for somebody else, or for nobody: acknowledged before, or the group was created anew. */
  readonly notOwned: readonly EntryId[];
}

/** Acknowledges what the consumer still owns. */
export const ackOwned: Script<OwnMessages, AckOwnedResult> = {
  name: "ackOwned",
  keys: ({ stream }) => [stream],
  encode: ({ group, consumer, ids }) => [group, consumer, ...inStreamOrder(ids)],
  decode(reply, { ids }) {
    const owned = decodeArray(reply, "ackOwned").map((item) => decodeInteger(item, "ackOwned") === 1);
    const ordered = inStreamOrder(ids);
    return {
      acknowledged: ordered.filter((_, index) => owned[index] === true),
      notOwned: ordered.filter((_, index) => owned[index] !== true),
    };
  },
};
