import type { EntryId } from "../../entry-id.ts";
import { ReplyShapeError } from "../../errors.ts";
import { groupKey } from "../../keys.ts";
import { decodeArray, decodeInteger, decodeText } from "../reply.ts";
import type { Script } from "../script.ts";

export interface BuryOptions {
  readonly stream: string;
  readonly group: string;
  readonly consumer: string;
  readonly id: EntryId;
  /** Why, in a word or a sentence; kept beside the message. */
  readonly reason: string;
  /** The error's text, `""` where there was none. */
  readonly error: string;
}

/**
 * `buried`: it is in the dead letters under `deadId` · `not-owned`: pending for somebody else, or for nobody ·
 * `vanished`: deleted from the stream before; it was acknowledged.
 */
export type Burial =
  | { readonly kind: "buried"; readonly deadId: EntryId }
  | { readonly kind: "not-owned" }
  | { readonly kind: "vanished" };

/** Moves one message, byte for byte and with its history, into the group's dead letters. */
export const bury: Script<BuryOptions, Burial> = {
  name: "bury",
  keys: ({ stream, group }) => [stream, groupKey("dead", stream, group)],
  encode: ({ group, consumer, id, reason, error }) => [group, consumer, id, reason, error],
  decode(reply) {
    const [code, deadId] = decodeArray(reply, "bury");
    switch (decodeInteger(code, "bury")) {
      case 1:
        return { kind: "buried", deadId: decodeText(deadId, "bury") };
      case 0:
        return { kind: "not-owned" };
      case -1:
        return { kind: "vanished" };
      default:
        throw new ReplyShapeError("bury: unknown code");
    }
  },
};
