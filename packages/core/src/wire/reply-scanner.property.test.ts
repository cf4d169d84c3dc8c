import * as fc from "fast-check";
import { Decoder, RESP_TYPES } from "ioredis/built/resp/decoder.js";
import { expect, test } from "vitest";
import { ReplyScanner } from "./reply-scanner.ts";
import { xreadgroup } from "./xreadgroup.ts";

/** How long each of these tests goes on, in minutes; without it they make a fixed number of runs. */
const MINUTES = Number(process.env["REDIS_BATCH_FUZZ_MINUTES"] ?? 0);

/** Checks a property with that many samples, or as many as there is time for: then it says how many, and how much memory it took. */
function check<Sample>(property: fc.IProperty<Sample>, numRuns: number): void {
  const endless = { numRuns: Number.MAX_SAFE_INTEGER, plugins: [fc.interruptAfterTimeLimit(MINUTES * 60_000)] };
  const details = fc.check(property, MINUTES > 0 ? endless : { numRuns });
  expect(fc.defaultReportMessage(details)).toBeUndefined();
  const peakMb = Math.round(process.resourceUsage().maxRSS / 1_024);
  if (MINUTES > 0) process.stdout.write(`${details.numRuns} samples, at most ${peakMb} MB\n`);
}

const options = { streams: ["s"], group: "g", consumer: "c", count: 10 };

/** A reply before it is written as bytes: a bulk string, nil, an array, or a line as it stands. */
type Shape = Buffer | null | readonly Shape[] | { readonly line: string };

function encode(shape: Shape): Buffer {
  if (shape === null) return Buffer.from("$-1\r\n");
  if (Buffer.isBuffer(shape)) return Buffer.concat([Buffer.from(`$${shape.length}\r\n`), shape, Buffer.from("\r\n")]);
  if ("line" in shape) return Buffer.from(`${shape.line}\r\n`);
  return Buffer.concat([Buffer.from(`*${shape.length}\r\n`), ...shape.map(encode)]);
}

type Read = { readonly entries: unknown } | { readonly reply: unknown } | { readonly error: string };

/** Everything that comes of the bytes; entries are compared as the ordinary path would give them. */
class Reading {
  readonly reads: Read[] = [];
  hasFailed = false;
  readonly #decoder: Decoder;

  constructor(onReply: (reply: unknown) => Read) {
    const mapping = { [RESP_TYPES.BLOB_STRING]: Buffer, [RESP_TYPES.SIMPLE_STRING]: Buffer };
    this.#decoder = new Decoder({
      getTypeMapping: () => mapping,
      onReply: (reply) => this.reads.push(onReply(reply)),
      onErrorReply: (error: unknown) => this.reads.push({ error: String(error) }),
      onPush: (push) => this.reads.push({ reply: push }),
    });
  }

  write(bytes: Buffer): void {
    if (this.hasFailed) return;
    try {
      this.#decoder.write(bytes);
    } catch {
      // ioredis takes this for the end of the connection.
      this.hasFailed = true;
    }
  }
}

function entriesOrReply(reply: unknown): Read {
  try {
    return { entries: xreadgroup.decode(reply, options) };
  } catch {
    return { reply };
  }
}

function readOrdinarily(chunks: readonly Buffer[]): Reading {
  const reading = new Reading(entriesOrReply);
  for (const chunk of chunks) reading.write(chunk);
  return reading;
}

function readWithScanner(chunks: readonly Buffer[]): Reading & { readonly taken: number } {
  const queue: unknown[] = [];
  let taken = 0;
  const token = Buffer.from(":77\r\n");
  const reading = new Reading((reply) => (reply === 77 ? { entries: queue.shift() } : entriesOrReply(reply)));
  const scanner = new ReplyScanner({
    pass: (bytes) => reading.write(bytes),
    take: (streams) => {
      taken++;
      queue.push(
        streams.map(({ stream, entries }) => ({ stream, entries: entries.map(({ id, fields }) => ({ id, fields })) })),
      );
      reading.write(token);
    },
  });
  for (const chunk of chunks) scanner.write(Buffer.from(chunk));
  return Object.assign(reading, { taken });
}

const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 12 }).map((array) => Buffer.from(array)),
  fc.constantFrom("", "\r\n", "$3\r\nabc\r\n", "*1\r\n*2\r\n", "order", "-1").map((text) => Buffer.from(text)),
  fc.integer({ min: 90, max: 300 }).map((length) => Buffer.alloc(length, "x")),
);
const id = fc
  .tuple(fc.bigInt(0n, 2n ** 64n - 1n), fc.bigInt(0n, 2n ** 64n - 1n))
  .map(([ms, sequence]) => Buffer.from(`${ms}-${sequence}`));
const pairs = fc.array(fc.tuple(bytes, bytes), { minLength: 1, maxLength: 5 }).map((list) => list.flat());
const entry: fc.Arbitrary<Shape> = fc.tuple(id, pairs);
const streams: fc.Arbitrary<Shape> = fc.array(fc.tuple(bytes, fc.array(entry, { maxLength: 6 })), {
  minLength: 1,
  maxLength: 3,
});

const { anything } = fc.letrec<{ anything: Shape }>((tie) => ({
  anything: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom<Shape>(null, { line: "+OK" }, { line: ":12" }, { line: "-ERR no" }, { line: "*-1" }, { line: "+" }),
    // What only RESP3 has: a push, a map, and others.
    fc.constantFrom(">1\r\n+x", "%1\r\n+a\r\n+b", "~1\r\n:1", "_", "#t", ",1.5", "(9").map((line) => ({ line })),
    bytes,
    fc.array(tie("anything"), { maxLength: 4 }),
  ),
}));
// Nearly right: an entry that was deleted, half a pair, more than was asked for, a piece of another kind.
const nearly: fc.Arbitrary<Shape> = fc
  .tuple(bytes, fc.array(entry, { maxLength: 3 }), anything)
  .chain(([key, entries, odd]) =>
    fc.constantFrom<Shape>(
      [[key, [...entries, odd]]],
      [[key, [...entries, [Buffer.from("1-1"), null]]]],
      [[key, [...entries, [Buffer.from("1-1"), [Buffer.from("half")]]]]],
      [[key, [...entries, [Buffer.from("1-1"), []]]]],
      [[key, [...entries, [Buffer.from("1-1"), [key, odd]]]]],
      [[key, [...entries, [Buffer.from("1-1"), [key, key], odd]]]],
      [[key, [...entries, [Buffer.from("é"), [key, key]]]]],
      [[key, [...entries, [Buffer.from("1\r-1"), [key, key]]]]],
      [[key, [...entries, [Buffer.alloc(50, "9"), [key, key]]]]],
      [[key, entries], odd],
      [
        [key, entries],
        [odd, entries],
      ],
      [
        [key, []],
        [key, [...entries, odd]],
      ],
      [
        [key, []],
        [key, entries, odd],
      ],
      [[key, entries, odd]],
      [[odd, entries]],
      [[key, odd]],
      [odd],
    ),
  );
const replies = fc.array(fc.oneof({ arbitrary: streams, weight: 3 }, nearly, anything), { minLength: 1, maxLength: 6 });
const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 });

function cut(whole: Buffer, at: readonly number[]): Buffer[] {
  const places = [...at.map((share) => Math.floor(share * whole.length)), whole.length].toSorted((a, b) => a - b);
  return places.map((place, index) => whole.subarray(places[index - 1] ?? 0, place));
}

test("whatever a server sends, cut anywhere, is read as ioredis reads it", () => {
  check(
    fc.property(replies, cuts, (shapes, at) => {
      const chunks = cut(Buffer.concat(shapes.map(encode)), at);
      expect(readWithScanner(chunks).reads).toEqual(readOrdinarily(chunks).reads);
    }),
    500,
  );
});

test("byte by byte, too", () => {
  check(
    fc.property(replies, (shapes) => {
      const whole = Buffer.concat(shapes.map(encode));
      const chunks = Array.from(whole, (_, index) => whole.subarray(index, index + 1));
      expect(readWithScanner(chunks).reads).toEqual(readOrdinarily([whole]).reads);
    }),
    100,
  );
});

test("every XREADGROUP reply is taken, however it was cut", () => {
  check(
    fc.property(fc.array(streams, { minLength: 1, maxLength: 5 }), cuts, (shapes, at) => {
      expect(readWithScanner(cut(Buffer.concat(shapes.map(encode)), at)).taken).toBe(shapes.length);
    }),
    100,
  );
});

test("bytes that were damaged never make a message that ioredis would not have read there", () => {
  const damage = fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(255)), {
    minLength: 1,
    maxLength: 4,
  });
  check(
    fc.property(replies, damage, cuts, (shapes, changes, at) => {
      const whole = Buffer.concat(shapes.map(encode));
      for (const [share, byte] of changes) whole[Math.floor(share * (whole.length - 1))] = byte;
      const chunks = cut(whole, at);
      const expected = readOrdinarily(chunks);
      const { reads, hasFailed } = readWithScanner(chunks);
      expect(reads).toEqual(expected.reads);
      expect(hasFailed).toBe(expected.hasFailed);
    }),
    1_000,
  );
});
