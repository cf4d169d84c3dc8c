import type { EntryId } from "../../names/entry-id.ts";
import { decodeArray, decodeText } from "../reply.ts";
import type { Script } from "../script.ts";
import { type DeliveredEntry, decodeDelivered } from "./redeliver-own.ts";

export interface TakeOptions {
  readonly stream: string;
  readonly group: string;
  /** The consumer that takes the messages. */
  readonly consumer: string;
  /** Start after this message; `null`: at the beginning. */
  readonly after: EntryId | null;
  /** Number of messages to examine, at most 1,000. */
  readonly scan: number;
  /** Maximum number of messages to take. */
  readonly count: number;
  /** Stop after this many bytes of fields and values: at most one message exceeds it. */
  readonly maxBytes: number;
  /** A message is a suspect from this delivery on, including this one; `Infinity`: never. */
  readonly suspectFrom: number;
  /** Maximum number of suspects to take; the others are skipped. */
  readonly suspects: number;
  /** Messages to leave for other consumers. */
  readonly notWanted: readonly EntryId[];
}

export interface TakeResult {
  /** In stream order, with their delivery counts, including this delivery. */
  readonly entries: readonly DeliveredEntry[];
  /** Deleted from the stream meanwhile; the server has dropped them from the pending list. */
  readonly trimmed: readonly EntryId[];
  /** Where the next call starts; `null` if the end of the list was reached. */
  readonly next: EntryId | null;
}

/** Delivers released messages to a consumer. Two consumers never take the same message. */
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
