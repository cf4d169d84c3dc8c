import {
  isRecordedMessage,
  type RecordedBatch,
  type RecordedMessage,
  recordBatch,
} from "@redis-batch/consumer/internal";
import { UsageError } from "@redis-batch/core";
import { describeShape } from "@redis-batch/core/internal/messages";
import type { CodecOption } from "./make-message.ts";
import { makeMessage } from "./make-message.ts";

/**
 * Makes a batch for a unit test of a handler, of values, of messages that `makeMessage` made, or of both. It writes down
 * what the handler says of each message: see its `outcomes`.
 *
 * @throws {UsageError} when `items` is no list
 * @throws {ConfigError} naming every wrong option
 * @throws {PayloadError} when the codec cannot write a value
 *
 * @example
 * const batch = makeBatch([{ orderId: "A-17" }, { orderId: "A-18" }]);
 * await runHandler(handler, batch);
 * batch.outcomes; // [{ kind: "acknowledged" }, { kind: "deadLettered", reason: "unknown order" }]
 */
export function makeBatch<Value, Input>(
  items: Iterable<Input | RecordedMessage<Value>>,
  options: CodecOption<Value, Input>,
): RecordedBatch<Value>;
export function makeBatch<Value>(items: Iterable<Value | RecordedMessage<Value>>): RecordedBatch<Value>;
export function makeBatch(items: Iterable<unknown>, options?: CodecOption<unknown>): RecordedBatch<unknown> {
  if (typeof (items as Partial<Iterable<unknown>> | null)?.[Symbol.iterator] !== "function") {
    throw new UsageError(`makeBatch: expected a list of values or messages, got ${describeShape(items)}`);
  }
  const messages = Array.from(items, (item): RecordedMessage<unknown> => {
    return isRecordedMessage(item) ? item : make(item, options);
  });
  return recordBatch(messages);
}

const make = (value: unknown, options: CodecOption<unknown> | undefined): RecordedMessage<unknown> =>
  options === undefined ? makeMessage(value) : makeMessage(value, options);
