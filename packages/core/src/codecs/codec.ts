/** Converts between the values of an application and the fields of a stream entry. */
import type { RawFields } from "../wire/entry.ts";

/** The value of one field. Text is written as UTF-8, numbers and booleans as text, bytes unchanged. */
export type FieldValue = string | number | bigint | boolean | Uint8Array;

/** Fields in the given order. A name may be bytes, and may occur more than once. A `Map` fits as well. */
export type FieldPairs = Iterable<readonly [name: string | Uint8Array, value: FieldValue]>;

/** The fields of one entry, as a record or pair by pair. At least one. */
export type FieldsInput = Readonly<Record<string, FieldValue>> | FieldPairs;

/** The fields of one entry as text. Without a prototype, so that no field can shadow or reach a built-in property. */
export type Fields = Readonly<Record<string, string>>;

/** Turns a value into the fields of an entry. */
export interface Encoder<Value> {
  /**
   * Must be synchronous, and must not put the value into the errors it throws.
   *
   * @throws {PayloadError} when the value cannot be written
   */
  encode(value: Value): FieldsInput;
}

/** Turns the fields of an entry into a value. */
export interface Decoder<Value> {
  /**
   * Must be synchronous, and must not put the fields' contents into the errors it throws.
   *
   * @param fields name, value, name, value … byte for byte, in the order they were added
   * @throws {PayloadError} when the fields cannot be decoded; the raw message then goes to the dead letters
   */
  decode(fields: RawFields): Value;
}

/**
 * Encodes and decodes. `Value` is what a consumer gets. `Input` is what a producer takes; it differs only if the codec
 * converts: with a schema that has defaults, a producer may leave out properties that a consumer gets.
 *
 * @example
 * const orders: Codec<Order> = {
 *   encode: (order) => ({ protobuf: Order.encode(order) }),
 *   decode: ([_name, bytes]) => Order.decode(bytes),
 * };
 */
export interface Codec<Value, Input = Value> extends Encoder<Input>, Decoder<Value> {}

/**
 * The default: the value is the fields. Encodes text, numbers, bigints, booleans and bytes; decodes every field as text.
 * Bytes that are not UTF-8 become replacement characters (use {@link rawCodec} or the message's `entries()` for them).
 * If a name occurs twice, the last value counts.
 */
export const fieldsCodec: Codec<Fields, FieldsInput> = {
  encode: (fields) => fields,
  decode(fields) {
    const record = Object.create(null) as Record<string, string>;
    for (let index = 0; index + 1 < fields.length; index += 2) {
      record[String(fields[index])] = String(fields[index + 1]);
    }
    return record;
  },
};

/** Encodes and decodes the fields as pairs of raw bytes: for binary names and values, and for repeated names. */
export const rawCodec: Codec<readonly (readonly [name: Buffer, value: Buffer])[], FieldPairs> = {
  encode: (pairs) => pairs,
  decode(fields) {
    const pairs: [Buffer, Buffer][] = [];
    for (let index = 0; index + 1 < fields.length; index += 2) {
      pairs.push([fields[index] as Buffer, fields[index + 1] as Buffer]);
    }
    return pairs;
  },
};
