import type { EntryId } from "../../entry-id.ts";
import { decodeFields, type StreamEntry } from "../entry.ts";
import { decodeArray, decodeInteger, decodeText } from "../reply.ts";
import type { Script } from "../script.ts";
import { inStreamOrder, type OwnMessages } from "./own-messages.ts";

/** An entry with how often it has now been delivered, this time included. */
export interface DeliveredEntry extends StreamEntry {
  readonly deliveries: number;
}

export interface RecoverOwnResult {
  /** In stream order. */
  readonly entries: readonly DeliveredEntry[];
  /** Deleted from the stream underneath; the server has dropped them from the pending list. */
  readonly vanished: readonly EntryId[];
}

/** Delivers again, to their own owner, what the consumer still owns. What is in neither list is not its own any more. */
export const recoverOwn: Script<OwnMessages, RecoverOwnResult> = {
  name: "recoverOwn",
  keys: ({ stream }) => [stream],
  encode: ({ group, consumer, ids }) => [group, consumer, ...inStreamOrder(ids)],
  decode(reply) {
    const [entries, vanished] = decodeArray(reply, "recoverOwn");
    return {
      entries: decodeArray(entries, "recoverOwn").map((item) => {
        const [id, deliveries, fields] = decodeArray(item, "recoverOwn");
        return {
          id: decodeText(id, "recoverOwn"),
          deliveries: decodeInteger(deliveries, "recoverOwn"),
          fields: decodeFields(fields, "recoverOwn"),
        };
      }),
      vanished: decodeArray(vanished, "recoverOwn").map((id) => decodeText(id, "recoverOwn")),
    };
  },
};
