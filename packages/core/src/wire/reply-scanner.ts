/**
 * Scans the server's bytes once, in chunks split anywhere, and takes the entries of XREADGROUP replies out of them. It
 * knows one shape, `[[key, [[id, [name, value, …]], …]], …]` in RESP2. A reply of any other shape, however late that is
 * noticed, is passed on complete and unchanged, to the ordinary decoder. After data that is not RESP2 everything is
 * passed on, because the ends of replies are unknown.
 *
 * | step     | expects                       | next                                                       |
 * |----------|-------------------------------|------------------------------------------------------------|
 * | STREAMS  | an array that is not empty    | STREAM                                                     |
 * | STREAM   | `*2`                          | KEY                                                        |
 * | KEY      | a bulk string                 | ENTRIES                                                    |
 * | ENTRIES  | an array                      | ENTRY · STREAM if it is empty                              |
 * | ENTRY    | `*2`                          | ID                                                         |
 * | ID       | a short bulk string, visible  | FIELDS                                                     |
 * | FIELDS   | an array of even length       | PART                                                       |
 * | PART     | a bulk string                 | PART · ENTRY · STREAM after the last entry                 |
 * | OTHER    | anything                      | STREAMS at the end of the reply                            |
 *
 * Anything unexpected leads to OTHER, and the end of the reply to STREAMS.
 */
import { nameOfBytes } from "../names/names.ts";
import type { StreamEntries, StreamEntry } from "./entry.ts";
import { FieldNames } from "./field-names.ts";
import { LONGEST_ID, type PackedBytes, PackedEntry } from "./packed-entry.ts";

const STREAMS = 0;
const STREAM = 1;
const KEY = 2;
const ENTRIES = 3;
const ENTRY = 4;
const ID = 5;
const FIELDS = 6;
const PART = 7;
const OTHER = 8;
/** Whether a step expects a bulk string; the others expect an array. */
const IS_BULK: readonly boolean[] = [false, false, true, false, false, true, false, true];

const NO_LINE = 0;
const IN_LINE = 1;
const AFTER_CR = 2;

const ARRAY = 42;
const BULK = 36;
const TEXT = 43;
const ERROR = 45;
const INTEGER = 58;
const CR = 13;
const LF = 10;
const MINUS = 45;
const ZERO = 48;
const TWO = 50;
const NINE = 57;
const FIRST_VISIBLE = 33;
const LAST_ASCII = 127;
const LINE_END = 2;

/** What a header says instead of a length. */
const NIL = -1;
const LINE = -2;
const CUT = -3;
const NO_RESP2 = -4;

// A header is at most a type, ten digits, CR and LF.
const MOST_DIGITS = 10;
const LONGEST_HEADER = 13;
// An entry that is split over chunks is joined into one buffer. Node 20 has none above 4 GiB; no entry is that large.
const LARGEST_CUT_ENTRY = 2 ** 30;

const NOTHING = Buffer.alloc(0);

export interface ReplySink {
  /** Receives bytes for the ordinary decoder. */
  pass(bytes: Buffer): void;
  /** Receives what one XREADGROUP reply brought, in place of its bytes. */
  take(streams: readonly StreamEntries[]): void;
}

export class ReplyScanner {
  readonly #sink: ReplySink;
  readonly #names = new FieldNames();
  #isBlind = false;
  #step: number = STREAMS;
  /** Values of the reply, at any depth, that have not arrived yet. */
  #left = 1;
  /** Remaining bytes of the current bulk string, including its line end. */
  #skip = 0;
  #line: number = NO_LINE;

  /** The current header: its type, its own length, and its position in the reply. */
  #type = 0;
  #headerLength = 0;
  #headerStart = 0;
  /** The beginning of a header that was split by the end of a chunk. */
  #stub: Buffer | undefined;

  /** The parts of the current reply in earlier chunks, as long as it may be an XREADGROUP reply. */
  #held: Buffer[] = [];
  #heldBytes = 0;
  #streams: StreamEntries[] = [];
  #streamsLeft = 0;
  /** The entries of the current stream. */
  #entries: StreamEntry[] = [];
  #entriesLeft = 0;
  /** Positions of the current stream's key and of the current entry, relative to the start of the reply. */
  #keyStart = 0;
  #keyEnd = 0;
  #entryStart = 0;
  #idStart = 0;
  #idEnd = 0;
  #fieldsStart = 0;
  #partsLeft = 0;
  #payloadBytes = 0;

  #chunk: Buffer = NOTHING;
  /** How far the chunk was read. */
  #at = 0;
  /** Where in the chunk the current reply begins, or continues. */
  #replyStart = 0;
  /** The chunk, for the entries that are whole in it. */
  #packed: PackedBytes | undefined;
  /** Start of the bytes before the current reply that must be passed on. */
  #passStart = 0;

  constructor(sink: ReplySink) {
    this.#sink = sink;
  }

  /** Scans the next bytes. The chunk must not be changed afterwards: entries refer to it. */
  write(chunk: Buffer): void {
    if (this.#isBlind) return this.#sink.pass(chunk);
    this.#chunk = chunk;
    this.#packed = undefined;
    this.#at = 0;
    this.#replyStart = 0;
    this.#passStart = 0;
    while (this.#at < chunk.length && !this.#isBlind) {
      if (this.#skip > 0) this.#skipBulk();
      else if (this.#line !== NO_LINE) this.#skipLine();
      else if (this.#stub !== undefined || !this.#readEntries()) this.#readHeader();
    }
    this.#endChunk();
    this.#chunk = NOTHING;
    this.#packed = undefined;
  }

  /**
   * Fast path: reads the entries from here on that are whole in this chunk → whether there were any. Most bytes take this
   * path; anything unusual, and an entry that the end of the chunk has cut, is left to the slow path.
   */
  #readEntries(): boolean {
    if (this.#step !== ENTRY) return false;
    const chunk = this.#chunk;
    const first = this.#at;
    const entries = this.#entries;
    const most = this.#entriesLeft;
    this.#packed ??= { bytes: chunk, names: this.#names };
    const packed = this.#packed;
    let at = first;
    let count = 0;
    next: while (count < most) {
      // `*2`, and the id.
      if (chunk[at] !== ARRAY || chunk[at + 1] !== TWO || !isLineEnd(chunk, at + 2) || chunk[at + 4] !== BULK) break;
      const idLength = lengthAt(chunk, at + 5);
      const idStart = at + 5 + lineLength(idLength);
      const idEnd = idStart + idLength;
      if (idLength < 0 || idLength > LONGEST_ID || chunk[idEnd + LINE_END] !== ARRAY) break;
      for (let place = idStart; place < idEnd; place++) if (!isOfId(chunk[place])) break next;
      // Names and values.
      const partsAt = idEnd + LINE_END + 1;
      const parts = lengthAt(chunk, partsAt);
      if (parts <= 0 || parts % 2 !== 0) break;
      const start = partsAt + lineLength(parts);
      let payloadBytes = 0;
      let end = start;
      for (let left = parts; left > 0; left--) {
        if (chunk[end] !== BULK) break next;
        const length = lengthAt(chunk, end + 1);
        if (length < 0) break next;
        payloadBytes += length;
        end += 1 + lineLength(length) + length + LINE_END;
      }
      if (end > chunk.length) break;
      entries.push(new PackedEntry(packed, idStart, start, end, payloadBytes));
      at = end;
      count++;
    }
    if (count === 0) return false;
    this.#at = at;
    this.#entriesLeft -= count;
    this.#expectEntry();
    // The last of them may end the reply.
    this.#left -= count - 1;
    this.#endValue();
    return true;
  }

  #skipBulk(): void {
    const step = Math.min(this.#skip, this.#chunk.length - this.#at);
    this.#at += step;
    this.#skip -= step;
    if (this.#skip > 0) return;
    if (this.#step === PART && --this.#partsLeft === 0) this.#endEntry();
    this.#endValue();
  }

  #skipLine(): void {
    if (this.#line === IN_LINE) {
      const cr = this.#chunk.indexOf(CR, this.#at);
      this.#at = cr < 0 ? this.#chunk.length : cr + 1;
      if (cr >= 0) this.#line = AFTER_CR;
      return;
    }
    if (this.#chunk[this.#at] !== LF) return this.#goBlind();
    this.#at++;
    this.#line = NO_LINE;
    this.#endValue();
  }

  #readHeader(): void {
    const stub = this.#stub;
    this.#headerStart = this.#heldBytes + this.#at - this.#replyStart - (stub?.length ?? 0);
    const bytes =
      stub === undefined
        ? this.#chunk
        : Buffer.concat([stub, this.#chunk.subarray(this.#at, this.#at + LONGEST_HEADER)]);
    const start = stub === undefined ? this.#at : 0;
    const said = this.#parseHeader(bytes, start);
    if (said === NO_RESP2) return this.#goBlind();
    if (said === CUT) {
      this.#stub = stub === undefined ? Buffer.from(bytes.subarray(start)) : bytes;
      this.#at = this.#chunk.length;
      return;
    }
    this.#at += this.#headerLength - (stub?.length ?? 0);
    this.#stub = undefined;
    this.#beginValue(said);
  }

  /** The length in a header, or its other meaning. */
  #parseHeader(bytes: Buffer, start: number): number {
    const type = bytes[start] as number;
    this.#type = type;
    if (type === TEXT || type === ERROR || type === INTEGER) {
      this.#headerLength = 1;
      return LINE;
    }
    if (type !== BULK && type !== ARRAY) return NO_RESP2;
    const isNil = bytes[start + 1] === MINUS;
    const first = isNil ? start + 2 : start + 1;
    const last = Math.min(bytes.length, start + LONGEST_HEADER - 1);
    let length = 0;
    for (let at = first; at < last; at++) {
      const byte = bytes[at] as number;
      if (byte === CR) {
        if (at === first || (isNil && length !== 1)) return NO_RESP2;
        if (at + 1 === bytes.length) return CUT;
        this.#headerLength = at + 2 - start;
        return bytes[at + 1] === LF ? (isNil ? NIL : length) : NO_RESP2;
      }
      if (byte < ZERO || byte > NINE) return NO_RESP2;
      length = length * 10 + byte - ZERO;
    }
    return bytes.length - start < LONGEST_HEADER ? CUT : NO_RESP2;
  }

  #beginValue(said: number): void {
    if (this.#step !== OTHER && !this.#isExpected(said)) this.#giveUp();
    if (said === LINE) {
      this.#line = IN_LINE;
    } else if (said === NIL) {
      this.#endValue();
    } else if (this.#type === BULK) {
      this.#skip = said + LINE_END;
    } else {
      this.#left += said;
      this.#endValue();
    }
  }

  /** Whether the value that begins here is the next of an XREADGROUP reply; goes one step on if so. */
  #isExpected(length: number): boolean {
    // A line, or nil, is never expected.
    if (length < 0 || (this.#type === BULK) !== IS_BULK[this.#step]) return false;
    const position = this.#headerStart + this.#headerLength;
    switch (this.#step) {
      case STREAMS:
        this.#streamsLeft = length;
        this.#step = STREAM;
        return length > 0;
      case STREAM:
        this.#streamsLeft--;
        this.#step = KEY;
        return length === 2;
      case KEY:
        this.#keyStart = position;
        this.#keyEnd = position + length;
        this.#step = ENTRIES;
        return true;
      case ENTRIES:
        this.#beginStream(length);
        return true;
      case ENTRY:
        this.#entryStart = this.#headerStart;
        this.#step = ID;
        return length === 2;
      case ID:
        this.#idStart = position;
        this.#idEnd = position + length;
        this.#step = FIELDS;
        return length <= LONGEST_ID;
      case FIELDS:
        this.#fieldsStart = position;
        this.#partsLeft = length;
        this.#payloadBytes = 0;
        this.#step = PART;
        // XADD accepts no entry without fields.
        return length > 0 && length % 2 === 0;
      default:
        this.#payloadBytes += length;
        return true;
    }
  }

  #beginStream(length: number): void {
    const isWhole = this.#keyStart >= this.#heldBytes;
    const bytes = isWhole ? this.#chunk : this.#join(this.#keyStart);
    const shift = isWhole ? this.#replyStart - this.#heldBytes : -this.#keyStart;
    this.#entries = [];
    this.#entriesLeft = length;
    const stream = nameOfBytes(bytes.subarray(this.#keyStart + shift, this.#keyEnd + shift));
    this.#streams.push({ stream, entries: this.#entries });
    this.#expectEntry();
  }

  /** The next entry of this stream, or the next stream. */
  #expectEntry(): void {
    this.#step = this.#entriesLeft === 0 && this.#streamsLeft > 0 ? STREAM : ENTRY;
  }

  #endEntry(): void {
    const end = this.#heldBytes + this.#at - this.#replyStart;
    const isWhole = this.#entryStart >= this.#heldBytes;
    if (!isWhole && end - this.#entryStart > LARGEST_CUT_ENTRY) return this.#giveUp();
    const bytes = isWhole ? this.#chunk : this.#join(this.#entryStart);
    // Converts positions in the reply to positions in these bytes.
    const shift = isWhole ? this.#replyStart - this.#heldBytes : -this.#entryStart;
    const idStart = this.#idStart + shift;
    const idEnd = this.#idEnd + shift;
    for (let at = idStart; at < idEnd; at++) if (!isOfId(bytes[at])) return this.#giveUp();
    const start = this.#fieldsStart + shift;
    const packed = { bytes, names: this.#names };
    this.#entries.push(new PackedEntry(packed, idStart, start, end + shift, this.#payloadBytes));
    this.#entriesLeft--;
    this.#expectEntry();
  }

  /** The bytes of the reply that were read so far, from this position on, in one buffer. */
  #join(position: number): Buffer {
    const inChunk = this.#at - this.#replyStart;
    const joined = Buffer.allocUnsafeSlow(this.#heldBytes + inChunk - position);
    let end = joined.length - inChunk;
    this.#chunk.copy(joined, end, this.#replyStart, this.#at);
    for (let index = this.#held.length - 1; end > 0; index--) {
      const piece = this.#held[index] as Buffer;
      const length = Math.min(piece.length, end);
      end -= length;
      piece.copy(joined, end, piece.length - length);
    }
    return joined;
  }

  #endValue(): void {
    this.#left--;
    if (this.#left === 0) this.#endReply();
  }

  #endReply(): void {
    const isTaken = this.#step !== OTHER;
    const streams = this.#streams;
    this.#forgetReply();
    this.#step = STREAMS;
    this.#left = 1;
    if (isTaken) {
      this.#pass(this.#replyStart);
      this.#passStart = this.#at;
      this.#sink.take(streams);
    }
    this.#replyStart = this.#at;
  }

  /** This is not an XREADGROUP reply: pass on the bytes that were held back, and the rest. */
  #giveUp(): void {
    this.#step = OTHER;
    const held = this.#held;
    this.#forgetReply();
    for (const piece of held) this.#sink.pass(piece);
  }

  #goBlind(): void {
    this.#giveUp();
    this.#isBlind = true;
  }

  #forgetReply(): void {
    this.#held = [];
    this.#heldBytes = 0;
    this.#streams = [];
  }

  #endChunk(): void {
    const end = this.#chunk.length;
    if (this.#step === OTHER) return this.#pass(end);
    this.#pass(this.#replyStart);
    if (this.#replyStart === end) return;
    this.#held.push(this.#replyStart === 0 ? this.#chunk : this.#chunk.subarray(this.#replyStart));
    this.#heldBytes += end - this.#replyStart;
  }

  /** Passes on the waiting bytes of this chunk, up to here. */
  #pass(end: number): void {
    if (end > this.#passStart) this.#sink.pass(this.#chunk.subarray(this.#passStart, end));
  }
}

/** The length in the line that begins here; `NIL` if there is none, or no end of it in this chunk. */
function lengthAt(chunk: Buffer, start: number): number {
  let length = 0;
  let at = start;
  for (let byte = chunk[at]; byte !== undefined && byte >= ZERO && byte <= NINE; byte = chunk[++at]) {
    length = length * 10 + byte - ZERO;
  }
  return at - start === digitsOf(length) && at - start <= MOST_DIGITS && isLineEnd(chunk, at) ? length : NIL;
}

/** Whether an id may have this byte: a line end would end it early. */
function isOfId(byte = 0): boolean {
  return byte >= FIRST_VISIBLE && byte <= LAST_ASCII;
}

function isLineEnd(chunk: Buffer, at: number): boolean {
  return chunk[at] === CR && chunk[at + 1] === LF;
}

/** How many bytes a line has with this length in it, behind its type. */
function lineLength(length: number): number {
  return digitsOf(length) + LINE_END;
}

function digitsOf(length: number): number {
  if (length < 10) return 1;
  if (length < 100) return 2;
  if (length < 1_000) return 3;
  let digits = 4;
  for (let rest = length; rest >= 10_000; rest /= 10) digits++;
  return digits;
}
