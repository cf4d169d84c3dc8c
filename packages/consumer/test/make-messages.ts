/** Messages for tests that need no server: nobody takes their outcomes. */
import { type EntryId, fieldsCodec } from "@redis-batch/core";
import { type Message, type MessageKeeper, ReadChunk } from "../src/message.ts";

type Value = Readonly<Record<string, string>>;

const keeper: MessageKeeper<Value> = {
  stream: "orders",
  codec: fieldsCodec,
  ack: () => {},
  retry: () => {},
  deadLetter: () => {},
};

export interface MadeMessage {
  readonly deliveries?: number;
  readonly atMs?: number;
  readonly ripeAtMs?: number;
  /** 2 at least. */
  readonly bytes?: number;
  readonly isSuspect?: boolean;
  readonly takenBy?: MessageKeeper<Value>;
}

export function makeMessage(id: EntryId, made: MadeMessage = {}): Message<Value> {
  const message = makeChunk([id], made).messageAt(0);
  message.isSuspect = made.isSuspect ?? false;
  return message;
}

/** The messages of one read. */
export function makeChunk(ids: readonly EntryId[], made: MadeMessage = {}): ReadChunk<Value> {
  const { deliveries = 1, atMs = 0, ripeAtMs = atMs, bytes = 2, takenBy = keeper } = made;
  const entries = ids.map((id) => ({ id, fields: [Buffer.alloc(1), Buffer.alloc(bytes - 1)] }));
  const arrival = { deliveries, arrivedAtMs: atMs, heldSinceMs: atMs, ripeAtMs, epoch: 1 };
  return new ReadChunk(entries, arrival, takenBy);
}
