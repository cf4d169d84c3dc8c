import type { EntryId } from "../names/entry-id.ts";
import type { Command } from "./command.ts";
import { decodeArray, decodeInteger, decodeText } from "./reply.ts";

export interface PendingSummary {
  readonly count: number;
  /** `null` when nothing is pending. */
  readonly firstId: EntryId | null;
  readonly lastId: EntryId | null;
  /** Consumers with at least one pending entry. */
  readonly consumers: ReadonlyMap<string, number>;
}

/** `XPENDING key group` → a summary of the group. */
export const xpendingSummary: Command<{ readonly stream: string; readonly group: string }, PendingSummary> = {
  name: "xpending",
  encode: ({ stream, group }) => [stream, group],
  decode(reply) {
    const [count, firstId, lastId, consumers] = decodeArray(reply, "XPENDING");
    const owners = consumers === null ? [] : decodeArray(consumers, "XPENDING");
    return {
      count: decodeInteger(count, "XPENDING"),
      firstId: firstId === null ? null : decodeText(firstId, "XPENDING"),
      lastId: lastId === null ? null : decodeText(lastId, "XPENDING"),
      consumers: new Map(
        owners.map((owner) => {
          const [name, pending] = decodeArray(owner, "XPENDING");
          return [decodeText(name, "XPENDING"), decodeInteger(pending, "XPENDING")];
        }),
      ),
    };
  },
};

export interface XpendingRangeOptions {
  readonly stream: string;
  readonly group: string;
  /** Only entries of this owner. */
  readonly consumer?: string | undefined;
  /** First id, inclusive; `(id` is exclusive, `-` the very first. */
  readonly from: string;
  /** Last id, inclusive; `+` is the very last. */
  readonly to: string;
  readonly count: number;
}

export interface PendingEntry {
  readonly id: EntryId;
  /** The owner; `""` if it was released by XNACK. */
  readonly consumer: string;
  /** Milliseconds since the last delivery or lease renewal, by the server's clock; -1 for an entry released. */
  readonly idleMs: number;
  /** The number of deliveries. Inexact above 2^53, where only "too often" matters. */
  readonly deliveries: number;
}

/** `XPENDING key group from to count [consumer]` → one page of the pending list, by id. Has no side effects. */
export const xpendingRange: Command<XpendingRangeOptions, readonly PendingEntry[]> = {
  name: "xpending",
  encode: ({ stream, group, consumer, from, to, count }) => [
    ...[stream, group, from, to, count],
    ...(consumer === undefined ? [] : [consumer]),
  ],
  decode: (reply) =>
    decodeArray(reply, "XPENDING").map((item) => {
      const [id, consumer, idleMs, deliveries] = decodeArray(item, "XPENDING");
      return {
        id: decodeText(id, "XPENDING"),
        consumer: decodeText(consumer, "XPENDING"),
        idleMs: decodeInteger(idleMs, "XPENDING"),
        deliveries: decodeInteger(deliveries, "XPENDING"),
      };
    }),
};
