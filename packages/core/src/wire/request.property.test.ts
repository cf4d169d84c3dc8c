import * as fc from "fast-check";
import { Command } from "ioredis";
import { expect, test } from "vitest";
import type { Argument } from "./command.ts";
import { encodeRequests } from "./request.ts";

const argument: fc.Arbitrary<Argument> = fc.oneof(
  fc.string({ unit: "grapheme-ascii", maxLength: 120 }),
  fc.string({ unit: "binary", maxLength: 120 }),
  fc.integer(),
  fc.uint8Array({ maxLength: 120 }).map((bytes) => Buffer.from(bytes)),
);

/** What ioredis makes of one call. */
function ioredisWrites(name: string, args: readonly Argument[]): Buffer {
  const written = new Command(name, [...args]).toWritable({});
  return typeof written === "string" ? Buffer.from(written) : written;
}

function joined(pieces: readonly (string | Buffer)[]): Buffer {
  return Buffer.concat(pieces.map((piece) => (typeof piece === "string" ? Buffer.from(piece) : piece)));
}

test("calls are written as ioredis writes them, wherever a piece ends", () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(argument, { maxLength: 12 }), { maxLength: 20 }),
      fc.integer({ min: 1, max: 400 }),
      (calls, pieceBytes) => {
        const pieces = encodeRequests("xadd", calls, pieceBytes);
        const expected = Buffer.concat(calls.map((args) => ioredisWrites("xadd", args)));
        expect(joined(pieces).equals(expected)).toBe(true);
      },
    ),
  );
});

test("text is cut into pieces, and large bytes are passed on as they are", () => {
  const [text, bytes] = ["é".repeat(10_000), Buffer.alloc(100_000, 1)];
  const calls: Argument[][] = [["a", text], ["b", bytes], ...Array.from({ length: 2_000 }, () => ["n", "1"])];
  const pieces = encodeRequests("xadd", calls, 5_000);
  expect(joined(pieces).equals(Buffer.concat(calls.map((args) => ioredisWrites("xadd", args))))).toBe(true);
  expect(pieces).toContain(bytes);
  expect(pieces.length).toBeGreaterThan(6);
});

test("no calls take no bytes", () => {
  expect(encodeRequests("xadd", [])).toEqual([]);
});
