import type { EntryId } from "../../names/entry-id.ts";
import { decodeArray, decodeText } from "../reply.ts";
import type { Script } from "../script.ts";
import { type DeliveredEntry, decodeDelivered } from "./redeliver-own.ts";

export interface TakeOptions {
  readonly stream: string;
  readonly group: string;
  /** Who takes. */
  readonly consumer: string;
  /** Where the look begins: behind this message; `null` at the beginning. */
  readonly after: EntryId | null;
  /** How many messages are looked at, at most 1,000. */
  readonly scan: number;
  /** How many messages are taken at most. */
  readonly count: number;
  /** Once fields and values come to as many bytes, no more is taken: one message more than fits, at most. */
  readonly maxBytes: number;
  /** From which delivery on, counted with this one, a message is a suspect; `Infinity`: none is. */
  readonly suspectFrom: number;
  /** How many suspects are taken at most; the others are passed over. */
  readonly suspects: number;
  /** Messages that somebody else is to take. */
  readonly notWanted: readonly EntryId[];
}

export interface TakeResult {
  /** In stream order, with the count of deliveries that includes this one. */
  readonly entries: readonly DeliveredEntry[];
  /** Deleted from the stream underneath; the server has dropped them from the pending list. */
  readonly trimmed: readonly EntryId[];
  /** Where the next look begins; `null` when the list was gone through to its end. */
  readonly next: EntryId | null;
}

/** Delivers released messages to a consumer. Two consumers never take the same one. */
export const take: Script<TakeOptions, TakeResult> = {
  name: "take",
  keys: ({ stream }) => [stream],
  encode: ({ group, consumer, after, scan, count, maxBytes, suspectFrom, suspects, notWanted }) => [
    ...[group, consumer, after ?? "", scan, count, maxBytes],
    ...[Number.isFinite(suspectFrom) ? suspectFrom : "", suspects, ...notWanted],
  ],
  decode(reply) {
    const [entries, trimmed, next] = decodeArray(reply, "take");
    const nextId = decodeText(next, "take");
    return {
      entries: decodeArray(entries, "take").map((item) => decodeDelivered(item, "take")),
      trimmed: decodeArray(trimmed, "take").map((id) => decodeText(id, "take")),
      next: nextId === "" ? null : nextId,
    };
  },
};
