/**
 * An entry that is decoded only when it is read: most handlers read a field or two, and some none. Its bytes are part of
 * the socket's chunk, shared with other entries, so an entry that is kept keeps at most one chunk (64 KiB) alive. Values
 * that are read from it keep no other entries alive.
 */
import { type Fields, fieldsCodec } from "../codecs/codec.ts";
import type { EntryId } from "../names/entry-id.ts";
import type { RawFields, StreamEntry } from "./entry.ts";
import type { FieldNames } from "./field-names.ts";
import {
  decodeTraceContext,
  ownFields,
  type TraceContext,
  traceContextAmong,
  traceFieldsAmong,
} from "./trace-context.ts";

const CR = 13;
const LF = 10;
const BULK = 36;
const ZERO = 48;
/** Two numbers below 2^64 and a dash. */
export const LONGEST_ID = 41;
/** Such an id as a bulk string. */
export const LONGEST_ID_BULK = LONGEST_ID + 7;
/** A value that is cut out of the text of its entry keeps that alive: no more than this. */
const LONGEST_WHOLE = 1_024;

/** Bytes that entries are in, and the names that were seen there: shared by all entries of a chunk. */
export interface PackedBytes {
  readonly bytes: Buffer;
  readonly names: FieldNames;
}

export class PackedEntry implements StreamEntry {
  // Without a value to begin with: each would be written twice, which is a tenth of a scan.
  declare private readonly packed: PackedBytes;
  declare private readonly idStart: number;
  /** Of its fields: one bulk string after the other, names and values alternating. */
  declare private readonly start: number;
  declare private readonly end: number;
  /** The size of the payload in bytes, names included. */
  declare readonly payloadBytes: number;
  declare private knownId: EntryId | undefined;
  declare private unpacked: RawFields | undefined;
  /** The field that was read alone. */
  declare private read: { readonly name: string; readonly text: string } | undefined;

  /**
   * Nothing is checked here: the entry must be complete.
   *
   * @param idStart where the id begins, which a line end follows
   * @param start where the fields begin, and `end` where they end
   */
  constructor(packed: PackedBytes, idStart: number, start: number, end: number, payloadBytes: number) {
    this.packed = packed;
    this.idStart = idStart;
    this.start = start;
    this.end = end;
    this.payloadBytes = payloadBytes;
    this.knownId = undefined;
    this.unpacked = undefined;
    this.read = undefined;
  }

  get id(): EntryId {
    this.knownId ??= this.packed.bytes.toString("latin1", this.idStart, this.#idEnd);
    return this.knownId;
  }

  /** Writes the id as a bulk string → where that ends. No text is made of it. */
  copyId(target: Buffer, start: number): number {
    const { bytes } = this.packed;
    const end = this.#idEnd;
    const length = end - this.idStart;
    let at = start;
    target[at++] = BULK;
    if (length > 9) target[at++] = ZERO + Math.floor(length / 10);
    target[at++] = ZERO + (length % 10);
    target[at++] = CR;
    target[at++] = LF;
    for (let from = this.idStart; from < end; from++) target[at++] = bytes[from] as number;
    target[at++] = CR;
    target[at++] = LF;
    return at;
  }

  get #idEnd(): number {
    const { bytes } = this.packed;
    let end = this.idStart;
    while (bytes[end] !== CR) end++;
    return end;
  }

  get fields(): RawFields {
    this.unpacked ??= this.#unpack();
    return this.unpacked;
  }

  /** The application's fields as UTF-8 text, without a prototype. If a name repeats, the last value counts. */
  get text(): Fields {
    const { bytes, names } = this.packed;
    const { start } = this;
    const length = this.end - start;
    const bounds = boundsOf(bytes, start, this.end);
    const end = bounds.length - 4 * traceFieldsAmong(bytes, bounds);
    const record = Object.create(null) as Record<string, string>;
    // Each call to decode costs more than the text itself. Where each byte is a character, one call is enough for all values.
    const whole = length <= LONGEST_WHOLE ? bytes.toString("utf8", start, start + length) : "";
    const isEvery = whole.length === length;
    for (let index = 0; index < end; index += 4) {
      const name = names.textOf(index / 4, bytes, bounds[index] as number, bounds[index + 1] as number);
      const [from, to] = [bounds[index + 2] as number, bounds[index + 3] as number];
      if (isEvery) record[name] = whole.slice(from - start, to - start);
      else record[name] = name === this.read?.name ? this.read.text : bytes.toString("utf8", from, to);
    }
    return record;
  }

  /** The context of the trace that it belongs to; `undefined` if it carries none. */
  get traceContext(): TraceContext | undefined {
    return traceContextAmong(this.packed.bytes, boundsOf(this.packed.bytes, this.start, this.end));
  }

  /** One field as UTF-8 text, which costs a fraction of all of them; `undefined` if there is none of this name. */
  textOfField(name: string): string | undefined {
    // The context of a trace is not among the application's fields.
    if (name.startsWith("rb:")) return this.text[name];
    const { bytes, names } = this.packed;
    const { start, end } = this;
    let from = -1;
    let to = -1;
    for (let at = start, place = 0; at < end; place++) {
      let length = 0;
      for (at++; bytes[at] !== CR; at++) length = length * 10 + (bytes[at] as number) - ZERO;
      const nameAt = at + 2;
      const nameEnd = nameAt + length;
      length = 0;
      for (at = nameEnd + 3; bytes[at] !== CR; at++) length = length * 10 + (bytes[at] as number) - ZERO;
      if (names.textOf(place, bytes, nameAt, nameEnd) === name) {
        from = at + 2;
        to = from + length;
      }
      at += length + 4;
    }
    if (from < 0) return undefined;
    const text = bytes.toString("utf8", from, to);
    this.read = { name, text };
    return text;
  }

  #unpack(): RawFields {
    const bytes = withoutNeighbours(this.packed.bytes, this.start, this.end);
    const shift = bytes === this.packed.bytes ? 0 : this.start;
    const bounds = boundsOf(bytes, this.start - shift, this.end - shift);
    const fields: Buffer[] = [];
    for (let index = 0; index < bounds.length; index += 2)
      fields.push(bytes.subarray(bounds[index], bounds[index + 1]));
    return fields;
  }
}

/** The same bytes, or a copy of these alone: Buffers that are kept keep no other entries alive. */
function withoutNeighbours(bytes: Buffer, start: number, end: number): Buffer {
  return bytes.buffer.byteLength <= 2 * (end - start) ? bytes : Buffer.from(bytes.subarray(start, end));
}

/** Start and end of each name and value, one pair after the other. */
function boundsOf(bytes: Buffer, start: number, end: number): number[] {
  const bounds: number[] = [];
  for (let at = start; at < end; ) {
    let length = 0;
    // After the `$`.
    for (at++; bytes[at] !== CR; at++) length = length * 10 + (bytes[at] as number) - ZERO;
    bounds.push(at + 2, at + 2 + length);
    at += length + 4;
  }
  return bounds;
}

/** The size of an entry's payload in bytes, names included. */
export function payloadBytesOf(entry: StreamEntry): number {
  if (entry instanceof PackedEntry) return entry.payloadBytes;
  let bytes = 0;
  for (const part of entry.fields) bytes += part.length;
  return bytes;
}

/** One of an entry's fields as UTF-8 text; `undefined` if it has none of this name. If the name repeats, the last value counts. */
export function textOfField(entry: StreamEntry, name: string): string | undefined {
  return entry instanceof PackedEntry ? entry.textOfField(name) : textOf(entry)[name];
}

/** The application's fields of an entry as UTF-8 text, without a prototype. If a name repeats, the last value counts. */
export function textOf(entry: StreamEntry): Fields {
  return entry instanceof PackedEntry ? entry.text : fieldsCodec.decode(ownFields(entry.fields));
}

/** The application's fields of an entry, byte for byte. */
export const ownFieldsOf = (entry: StreamEntry): RawFields => ownFields(entry.fields);

/** The context of the trace that an entry belongs to; `undefined` if it carries none. */
export const traceContextOf = (entry: StreamEntry): TraceContext | undefined =>
  entry instanceof PackedEntry ? entry.traceContext : decodeTraceContext(entry.fields);
