import { compareEntryIds, type EntryId } from "../../names/entry-id.ts";
import { decodeFields, type StreamEntry } from "../entry.ts";
import { inParts } from "../parts.ts";
import { decodeArray, decodeInteger, decodeText } from "../reply.ts";
import type { ScriptInParts } from "../script.ts";

export interface RedeliverOwnOptions {
  readonly stream: string;
  readonly group: string;
  readonly consumer: string;
  /** Any number of messages that the consumer should own, each with its new delivery count, including this delivery. */
  readonly messages: readonly { readonly id: EntryId; readonly deliveries: number }[];
}

/** An entry with its delivery count, including this delivery. */
export interface DeliveredEntry extends StreamEntry {
  readonly deliveries: number;
}

export interface RedeliverOwnResult {
  /** In stream order. */
  readonly entries: readonly DeliveredEntry[];
  /** Deleted from the stream meanwhile; the server has dropped them from the pending list. */
  readonly trimmed: readonly EntryId[];
}

/**
 * Redelivers messages that the consumer still owns to itself, and sets their delivery counts to the given ones, so a call
 * whose reply was lost may be repeated. A message in neither list no longer belongs to it.
 */
export const redeliverOwn: ScriptInParts<RedeliverOwnOptions, RedeliverOwnResult> = {
  name: "redeliverOwn",
  keys: ({ stream }) => [stream],
  encode: ({ group, consumer, messages }) => [
    ...[group, consumer],
    ...inOrder(messages).flatMap(({ id, deliveries }) => [id, Math.min(deliveries, Number.MAX_SAFE_INTEGER)]),
  ],
  decode(reply) {
    const [entries, trimmed] = decodeArray(reply, "redeliverOwn");
    return {
      entries: decodeArray(entries, "redeliverOwn").map((item) => decodeDelivered(item, "redeliverOwn")),
      trimmed: decodeArray(trimmed, "redeliverOwn").map((id) => decodeText(id, "redeliverOwn")),
    };
  },
  split: ({ messages, ...own }) => inParts(inOrder(messages)).map((part) => ({ ...own, messages: part })),
  merge: (results) => ({
    entries: results.flatMap(({ entries }) => entries),
    trimmed: results.flatMap(({ trimmed }) => trimmed),
  }),
};

const inOrder = (messages: RedeliverOwnOptions["messages"]): RedeliverOwnOptions["messages"] =>
  messages.toSorted((left, right) => compareEntryIds(left.id, right.id));

/** `[id, deliveries, [name, value, …]]`. */
export function decodeDelivered(reply: unknown, what: string): DeliveredEntry {
  const [id, deliveries, fields] = decodeArray(reply, what);
  return {
    id: decodeText(id, what),
    deliveries: decodeInteger(deliveries, what),
    fields: decodeFields(fields, what),
  };
}
