import type { Message } from "@redis-batch/consumer";
import {
  isRecordedMessage,
  type RecordedBatch,
  type RecordedMessage,
  recordBatch,
} from "@redis-batch/consumer/internal";
import { type Codec, UsageError } from "@redis-batch/core";
import { describeShape } from "@redis-batch/core/internal/messages";
import { OptionsReader } from "@redis-batch/core/internal/options";
import { type CodecOption, makeMessage } from "./make-message.ts";

export interface BatchOptions<Value> {
  /** The key of the stream that its messages are from. Default: that of the first message that you made, or `"stream"`. */
  readonly stream?: string | undefined;
  /**
   * The consumer's `orderBy`, for `batch.byKey()`. Messages that were made with a `key` keep theirs. Default:
   * none; `byKey()` then works if one of the messages was made with a `key`.
   */
  readonly orderBy?: string | ((message: Message<Value>) => string | null | undefined) | undefined;
}

/**
 * Makes a batch for a unit test of a handler, of values, of messages that `makeMessage` made, or of both. It writes down
 * what the handler says of each message: see its `outcomes`.
 *
 * @throws {UsageError} when `items` is no list
 * @throws {ConfigError} naming every wrong option, or when messages are of several streams: a batch has one
 * @throws {PayloadError} when the codec cannot write a value, or `orderBy` throws or returns something else than a text or nothing
 *
 * @example
 * const batch = makeBatch([{ orderId: "A-17" }, { orderId: "A-18" }]);
 * await runHandler(handler, batch);
 * batch.outcomes; // [{ kind: "acknowledged" }, { kind: "deadLettered", reason: "unknown order" }]
 */
export function makeBatch<Value, Input>(
  items: Iterable<Input | RecordedMessage<Value>>,
  options: BatchOptions<Value> & CodecOption<Value, Input>,
): RecordedBatch<Value>;
export function makeBatch<Value>(
  items: Iterable<Value | RecordedMessage<Value>>,
  options?: BatchOptions<Value>,
): RecordedBatch<Value>;
export function makeBatch(
  items: Iterable<unknown>,
  options: BatchOptions<never> & Partial<CodecOption<unknown>> = {},
): RecordedBatch<unknown> {
  if (typeof (items as Partial<Iterable<unknown>> | null)?.[Symbol.iterator] !== "function") {
    throw new UsageError(`makeBatch: expected a list of values or messages, got ${describeShape(items)}`);
  }
  const listed = [...items];
  const made = listed.filter(isRecordedMessage);
  const reader = new OptionsReader("makeBatch", options, ["stream", "orderBy", "codec"]);
  const stream = reader.stream("stream", made[0]?.stream ?? "stream");
  const { codec, orderBy } = options;
  const other = made.find((message) => message.stream !== stream);
  if (other !== undefined) {
    reader.problem(`a batch has messages of one stream, not of "${stream}" and "${other.stream}": make one for each`);
  }
  if (orderBy !== undefined && typeof orderBy !== "function" && (typeof orderBy !== "string" || orderBy === "")) {
    reader.problem(`orderBy must be the name of a field or a function, not ${describeShape(orderBy)}`);
  }
  if (codec !== undefined) for (const method of ["encode", "decode"] as const) reader.codec(method, codec);
  reader.finish({});
  const messages = listed.map((item) => (isRecordedMessage(item) ? item : make(item, stream, codec)));
  const isUnknown = messages.length === 0 && options.stream === undefined;
  return recordBatch(messages, { stream: isUnknown ? null : stream, orderBy });
}

const make = (value: unknown, stream: string, codec: Codec<unknown> | undefined): RecordedMessage<unknown> =>
  codec === undefined ? makeMessage(value, { stream }) : makeMessage(value, { stream, codec });
