import { ReplyShapeError } from "../../errors/errors.ts";
import type { EntryId } from "../../names/entry-id.ts";
import { groupKey } from "../../names/keys.ts";
import { decodeArray, decodeInteger, decodeText } from "../reply.ts";
import type { Script } from "../script.ts";

export interface MoveToDeadLettersOptions {
  readonly stream: string;
  readonly group: string;
  readonly consumer: string;
  readonly id: EntryId;
  /** The reason, as a word or a sentence; stored with the message. */
  readonly reason: string;
  /** The error's text, `""` if there was none. */
  readonly error: string;
}

/**
 * `dead-lettered`: it is in the dead letters under `deadId` · `not-owned`: pending for another consumer, or not pending ·
 * `trimmed`: deleted from the stream before; it was acknowledged.
 */
export type MoveToDeadLettersResult =
  | { readonly kind: "dead-lettered"; readonly deadId: EntryId }
  | { readonly kind: "not-owned" }
  | { readonly kind: "trimmed" };

/** Moves one message, byte for byte and with its history, into the group's dead letters. */
export const moveToDeadLetters: Script<MoveToDeadLettersOptions, MoveToDeadLettersResult> = {
  name: "moveToDeadLetters",
  keys: ({ stream, group }) => [stream, groupKey("dead", stream, group)],
  encode: ({ group, consumer, id, reason, error }) => [group, consumer, id, reason, error],
  decode(reply) {
    const [code, deadId] = decodeArray(reply, "moveToDeadLetters");
    switch (decodeInteger(code, "moveToDeadLetters")) {
      case 1:
        return { kind: "dead-lettered", deadId: decodeText(deadId, "moveToDeadLetters") };
      case 0:
        return { kind: "not-owned" };
      case -1:
        return { kind: "trimmed" };
      default:
        throw new ReplyShapeError("moveToDeadLetters: unknown code");
    }
  },
};
