/** From the value given to a producer to the arguments of XADD. */
import { types } from "node:util";
import { PayloadError } from "../errors/errors.ts";
import { isThenable, letGo, letGoOfParts } from "../errors/thrown.ts";
import type { Argument } from "../wire/command.ts";
import type { Encoder, FieldsInput } from "./codec.ts";
import { describeShape, guardPayload, refusePromise } from "./payload-guard.ts";

/** An entry's fields as they go out. */
export interface EncodedFields {
  /** Name, value, name, value … at least one pair. */
  readonly fields: readonly Argument[];
  /** How many bytes names and values have together. */
  readonly bytes: number;
}

/**
 * What `encoder` makes of `value`, as a snapshot: bytes are copied, so the caller may reuse its buffer at once.
 *
 * @throws {PayloadError} when the value cannot be written; names the field, never its contents
 */
export function encodeValue<Value>(encoder: Encoder<Value>, value: Value): EncodedFields {
  // Before the codec sees it: JSON makes {} of a promise.
  if (isThenable(value)) {
    letGo(value);
    throw new PayloadError("the value is a promise; await it before it is added");
  }
  return guardPayload("encoding", () => {
    const input = encoder.encode(value);
    // Inside the guard, because an iterable may run the caller's code as well.
    try {
      return encodeFields(input);
    } catch (error) {
      letGoOfParts(input);
      throw error;
    }
  });
}

function encodeFields(input: FieldsInput): EncodedFields {
  if (typeof input !== "object" || input === null) {
    throw new PayloadError(
      `expected a record of fields, got ${describeShape(input)}; for other values than records use jsonCodec()`,
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
        throw new PayloadError("expected [name, value] pairs; to write a list of other things use jsonCodec()");
      }
      add(pair[0], pair[1]);
    }
  } else for (const name of Object.keys(input)) add(name, input[name]);
  if (fields.length === 0) throw new PayloadError("a message needs at least one field, and this one has none");
  return { fields, bytes };
}

function encodeName(name: unknown): string | Buffer {
  if (typeof name === "string" && name.isWellFormed()) return name;
  if (types.isUint8Array(name)) return Buffer.from(name);
  throw new PayloadError(`a field's name must be well-formed text or bytes, got ${describeShape(name)}`);
}

function encodeFieldValue(value: unknown, name: string | Buffer): string | Buffer {
  switch (typeof value) {
    case "string":
      // Written as UTF-8, half of a surrogate pair would silently become another character.
      if (value.isWellFormed()) return value;
      throw refusal(name, "holds half of a surrogate pair, which UTF-8 cannot hold; call toWellFormed() on it");
    case "number":
      if (Number.isFinite(value)) return String(value);
      throw refusal(name, `is ${value}; leave the field out, or write a text that says what it means`);
    case "bigint":
    case "boolean":
      return String(value);
    case "undefined":
      throw refusal(name, "is undefined; leave the field out");
    default:
      if (types.isUint8Array(value)) return Buffer.from(value);
      if (value === null) throw refusal(name, 'is null; leave the field out, or write ""');
      if (isThenable(value)) throw refusal(name, "is a promise; await it before the message is added");
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
