/** Turns the value given to a producer into the arguments of XADD. */
import { types } from "node:util";
import { PayloadError } from "../errors/errors.ts";
import { isThenable, letGo, letGoOfParts } from "../errors/thrown.ts";
import type { Argument } from "../wire/command.ts";
import type { Encoder, FieldsInput } from "./codec.ts";
import { describeShape, guardPayload, refusePromise } from "./payload-guard.ts";

/** An entry's fields, ready to be sent. */
export interface EncodedFields {
  /** Name, value, name, value … at least one pair. */
  readonly fields: readonly Argument[];
  /** Total size of names and values, in bytes. */
  readonly bytes: number;
}

/** Where a producer writes the key of a message, for `orderBy` of a consumer. */
export const KEY_FIELD = "key";

/**
 * Encodes `value`, as a snapshot: bytes are copied, so the caller may reuse its buffer at once.
 *
 * @param key the message's key, which becomes one more field
 * @throws {PayloadError} when the value cannot be written; names the field, never its contents
 */
export function encodeValue<Value>(encoder: Encoder<Value>, value: Value, key?: string): EncodedFields {
  // Before the codec sees it: JSON turns a promise into {}.
  if (isThenable(value)) {
    letGo(value);
    throw new PayloadError("the value is a promise; await it before you add it");
  }
  return guardPayload("encoding", () => {
    const input = encoder.encode(value);
    // Inside the guard, because an iterable may also run the caller's code.
    try {
      return encodeFields(input, key);
    } catch (error) {
      letGoOfParts(input);
      throw error;
    }
  });
}

function encodeFields(input: FieldsInput, key: string | undefined): EncodedFields {
  if (typeof input !== "object" || input === null) {
    throw new PayloadError(
      `expected a record of fields, got ${describeShape(input)}; use jsonCodec() for values that are not records`,
    );
  }
  refusePromise("encoding", input);
  const fields: Argument[] = [];
  let bytes = 0;
  const add = (rawName: unknown, rawValue: unknown): void => {
    const name = encodeName(rawName);
    const value = encodeFieldValue(rawValue, name);
    fields.push(name, value);
    bytes += byteLength(name) + byteLength(value);
  };
  if (Symbol.iterator in input) {
    for (const pair of input) {
      if (!Array.isArray(pair) || pair.length !== 2) {
        throw new PayloadError("expected [name, value] pairs; use jsonCodec() for other lists");
      }
      add(pair[0], pair[1]);
    }
  } else for (const name of Object.keys(input)) add(name, input[name]);
  if (fields.length === 0) throw new PayloadError("a message needs at least one field, but this one has none");
  if (key !== undefined && !hasKey(fields, key)) add(KEY_FIELD, key);
  return { fields, bytes };
}

/** Whether the fields have the key already. @throws {PayloadError} when they have another one */
function hasKey(fields: readonly Argument[], key: string): boolean {
  let isThere = false;
  for (let index = 0; index < fields.length; index += 2) {
    if (String(fields[index]) !== KEY_FIELD) continue;
    // As bytes: as text, those that are not UTF-8 would all be the same.
    if (!Buffer.from(key).equals(Buffer.from(fields[index + 1] as string))) {
      throw refusal(
        KEY_FIELD,
        "differs from the option key, and is where the key is written; rename the field, or leave the option out",
      );
    }
    isThere = true;
  }
  return isThere;
}

function encodeName(name: unknown): string | Buffer {
  if (typeof name === "string" && name.isWellFormed()) return name;
  if (types.isUint8Array(name)) return Buffer.from(name);
  throw new PayloadError(`a field name must be well-formed text or bytes, got ${describeShape(name)}`);
}

function encodeFieldValue(value: unknown, name: string | Buffer): string | Buffer {
  switch (typeof value) {
    case "string":
      // As UTF-8, half of a surrogate pair would silently become another character.
      if (value.isWellFormed()) return value;
      throw refusal(name, "contains half of a surrogate pair, which UTF-8 cannot represent; call toWellFormed() on it");
    case "number":
      if (Number.isFinite(value)) return String(value);
      throw refusal(name, `is ${value}; leave out the field, or write it as text`);
    case "bigint":
    case "boolean":
      return String(value);
    case "undefined":
      throw refusal(name, "is undefined; leave out the field");
    default:
      if (types.isUint8Array(value)) return Buffer.from(value);
      if (value === null) throw refusal(name, 'is null; leave out the field, or write ""');
      if (isThenable(value)) throw refusal(name, "is a promise; await it before you add the message");
      if (types.isDate(value)) throw refusal(name, "is a Date; write its toISOString() or getTime()");
      throw refusal(name, `is ${describeShape(value)}; write JSON.stringify() of it, or use jsonCodec()`);
  }
}

function refusal(name: string | Buffer, sentence: string): PayloadError {
  const text = String(name);
  return new PayloadError(`field ${JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text)} ${sentence}`);
}

function byteLength(part: string | Buffer): number {
  return typeof part === "string" ? Buffer.byteLength(part) : part.length;
}
