import { type RecordedMessage, recordMessage } from "@redis-batch/consumer/internal";
import {
  type Codec,
  type Decoder,
  type Encoder,
  type EntryId,
  type Fields,
  type FieldsInput,
  fieldsCodec,
  isEntryId,
} from "@redis-batch/core";
import { encodeValue, type StreamEntry } from "@redis-batch/core/internal/messages";
import { OptionsReader } from "@redis-batch/core/internal/options";

export interface MessageOptions {
  /** The entry's id in the stream. Default: a new one each time, as if they were added one after the other in 2026. */
  readonly id?: EntryId | undefined;
  /** The key of its stream. Default `"stream"`. */
  readonly stream?: string | undefined;
  /** Its key, as the consumer's `orderBy` gives it, for `batch.byKey()`. Default: none. */
  readonly key?: string | undefined;
  /** How often it has been delivered, this time included, 1 to 2^53-1. Default 1: the first time. */
  readonly deliveries?: number | undefined;
  /**
   * What `message.fields` and `message.entries()` have. Default: what `codec` makes of the value; without one, the value
   * itself where it is a record of texts, numbers, booleans and bytes, and nothing otherwise.
   */
  readonly fields?: FieldsInput | undefined;
}

/** With the codec that producer and consumer have: the value is written by it, and read again. */
export interface CodecOption<Value, Input = Value> {
  readonly codec: Codec<Value, Input>;
}

const FIRST_ID_MS = Date.UTC(2026, 0);
let made = 0;

/**
 * Makes a message for a unit test of a handler. It writes down what the handler says of it: see its `outcome`.
 *
 * `message.value` is the value given here. With `codec` the value goes through it once, so that the test sees what a
 * handler would: dates that became texts, defaults of a schema.
 *
 * @throws {ConfigError} naming every wrong option
 * @throws {PayloadError} when the codec cannot write the value
 *
 * @example
 * const message = makeMessage({ orderId: "A-17" }, { deliveries: 3 });
 * message.retry({ delayMs: 5_000 });
 * message.outcome; // { kind: "retried", delayMs: 5_000, reason: undefined }
 */
export function makeMessage<Value, Input = Value>(
  value: Input,
  options: MessageOptions & CodecOption<Value, Input>,
): RecordedMessage<Value>;
export function makeMessage<Value = Fields>(value?: Value, options?: MessageOptions): RecordedMessage<Value>;
export function makeMessage(
  value: unknown = {},
  options: MessageOptions & Partial<CodecOption<unknown>> = {},
): RecordedMessage<unknown> {
  const reader = new OptionsReader("makeMessage", options, ["id", "stream", "key", "deliveries", "fields", "codec"]);
  const deliveries = reader.integer("deliveries", { default: 1, min: 1, max: Number.MAX_SAFE_INTEGER });
  const stream = reader.stream("stream", "stream");
  const { id = nextId(), key, codec, fields } = options;
  if (!isEntryId(id)) reader.problem('id must be an entry id such as "1700000000000-0"');
  if (codec !== undefined) for (const method of ["encode", "decode"] as const) reader.codec(method, codec);
  if (key !== undefined && typeof key !== "string") reader.problem("key must be a text");
  reader.finish({});
  const decoder: Decoder<unknown> = codec ?? { decode: () => value };
  return recordMessage(stream, { id, fields: fieldsOf(value, codec, fields) }, deliveries, decoder, key);
}

function nextId(): EntryId {
  return `${FIRST_ID_MS + made++}-0`;
}

/** The entry's fields: as given, as the codec writes the value, or the value itself where it can be written as fields. */
function fieldsOf(
  value: unknown,
  codec: Codec<unknown> | undefined,
  given: FieldsInput | undefined,
): StreamEntry["fields"] {
  if (given !== undefined) return write(fieldsCodec, given);
  if (codec !== undefined) return write(codec, value);
  try {
    return write(fieldsCodec, value as FieldsInput);
  } catch {
    return [];
  }
}

function write<Value>(codec: Encoder<Value>, value: Value): StreamEntry["fields"] {
  return encodeValue(codec, value).fields.map((part) => Buffer.from(Buffer.isBuffer(part) ? part : `${part}`));
}
