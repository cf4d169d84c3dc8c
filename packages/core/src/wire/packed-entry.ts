/**
 * An entry that is left as the server sent it until somebody looks into it: most handlers read a field or two, and some
 * none. Its bytes are the socket's own, shared with its neighbours, so whoever keeps an entry keeps at most one chunk
 * of the socket (64 KiB) beside it. What is taken out of it keeps nothing of its neighbours.
 */
import { type Fields, fieldsCodec } from "../codec.ts";
import type { EntryId } from "../entry-id.ts";
import type { RawFields, StreamEntry } from "./entry.ts";
import type { FieldNames } from "./field-names.ts";

const CR = 13;
const ZERO = 48;

/** Where the fields of an entry lie: one bulk string after the other, names and values in turn. */
export interface PackedFields {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
  /** How many names and values there are. */
  readonly parts: number;
}

export class PackedEntry implements StreamEntry {
  readonly id: EntryId;
  /** Names and values together, in bytes. */
  readonly payloadBytes: number;
  readonly #names: FieldNames;
  #packed: PackedFields;
  #fields: RawFields | undefined;

  /** What is packed must be whole: nothing is checked here. */
  constructor(id: EntryId, packed: PackedFields, payloadBytes: number, names: FieldNames) {
    this.id = id;
    this.payloadBytes = payloadBytes;
    this.#packed = packed;
    this.#names = names;
  }

  get fields(): RawFields {
    if (this.#fields === undefined) {
      this.#packed = ownedFields(this.#packed);
      const { bytes } = this.#packed;
      const bounds = boundsOf(this.#packed);
      const fields: Buffer[] = [];
      for (let index = 0; index < bounds.length; index += 2)
        fields.push(bytes.subarray(bounds[index], bounds[index + 1]));
      this.#fields = fields;
    }
    return this.#fields;
  }

  /** The fields as UTF-8 text, without a prototype; of several with one name, the last. */
  get text(): Fields {
    const { bytes } = this.#packed;
    const bounds = boundsOf(this.#packed);
    const record = Object.create(null) as Record<string, string>;
    for (let index = 0; index < bounds.length; index += 4) {
      const name = this.#names.textOf(index / 4, bytes, bounds[index] as number, bounds[index + 1] as number);
      record[name] = bytes.toString("utf8", bounds[index + 2], bounds[index + 3]);
    }
    return record;
  }
}

/** Start and end of each name and value, one pair after the other. */
function boundsOf({ bytes, start, parts }: PackedFields): number[] {
  const bounds: number[] = [];
  let at = start;
  for (let part = 0; part < parts; part++) {
    let length = 0;
    // Behind the `$`.
    for (at++; bytes[at] !== CR; at++) length = length * 10 + (bytes[at] as number) - ZERO;
    bounds.push(at + 2, at + 2 + length);
    at += length + 4;
  }
  return bounds;
}

/** The same fields, in bytes that hold little else: Buffers of them may be kept for as long as anyone likes. */
function ownedFields(packed: PackedFields): PackedFields {
  const { bytes, start, end, parts } = packed;
  if (bytes.buffer.byteLength <= 2 * (end - start)) return packed;
  return { bytes: Buffer.from(bytes.subarray(start, end)), start: 0, end: end - start, parts };
}

/** The size of an entry's payload in bytes, names included. */
export function payloadBytesOf(entry: StreamEntry): number {
  if (entry instanceof PackedEntry) return entry.payloadBytes;
  let bytes = 0;
  for (const part of entry.fields) bytes += part.length;
  return bytes;
}

/** An entry's fields as UTF-8 text, without a prototype; of several with one name, the last. */
export function textOf(entry: StreamEntry): Fields {
  return entry instanceof PackedEntry ? entry.text : fieldsCodec.decode(entry.fields);
}
