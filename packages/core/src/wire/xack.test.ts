import * as fc from "fast-check";
import { expect, test } from "vitest";
import { withBytes } from "./command.ts";
import type { StreamEntry } from "./entry.ts";
import { PackedEntry } from "./packed-entry.ts";
import { ReplyScanner } from "./reply-scanner.ts";
import { encodeRequests } from "./request.ts";
import { xack, xackBytes } from "./xack.ts";

const options = { stream: "s", group: "g", ids: ["1-1", "2-1"] };

/** Entries with these ids, as they come out of a reply that is cut at this place. */
function read(ids: readonly string[], cut: number): readonly StreamEntry[] {
  const entries = ids.map((id) => `*2\r\n$${id.length}\r\n${id}\r\n*2\r\n$1\r\nf\r\n$1\r\nv\r\n`);
  const reply = Buffer.from(`*1\r\n*2\r\n$1\r\ns\r\n*${ids.length}\r\n${entries.join("")}`);
  const taken: StreamEntry[] = [];
  const scanner = new ReplyScanner({
    pass: () => {},
    take: (streams) => taken.push(...streams.flatMap((one) => one.entries)),
  });
  scanner.write(reply.subarray(0, cut % reply.length));
  scanner.write(reply.subarray(cut % reply.length));
  return taken;
}

test("names stream, group and every id, also that of an entry", () => {
  expect(xack.encode(options)).toEqual(["s", "g", "1-1", "2-1"]);
  expect(xack.encode({ ...options, ids: read(["1-1", "2-1"], 0) })).toEqual(["s", "g", "1-1", "2-1"]);
});

test("replies how many were pending", () => {
  expect(xack.decode(1, options)).toBe(1);
});

test("is the same as bytes, wherever the reply was cut that brought the entries", () => {
  const part = fc.bigInt(0n, 2n ** 64n - 1n);
  const id = fc.tuple(part, part).map(([ms, sequence]) => `${ms}-${sequence}`);
  fc.assert(
    fc.property(fc.array(id, { minLength: 1, maxLength: 30 }), fc.nat(), (ids, cut) => {
      // Names of any bytes.
      const named = { stream: "grüße", group: "\udcff" };
      const entries = read(ids, cut);
      expect(entries).toHaveLength(ids.length);
      expect(entries.every((entry) => entry instanceof PackedEntry)).toBe(true);
      const args = withBytes(xack.encode({ ...named, ids }));
      const expected = encodeRequests(xack.name, [args]).map((piece) => Buffer.from(piece as string));
      expect(xackBytes({ ...named, ids: entries })).toEqual(Buffer.concat(expected));
    }),
  );
});

test("is no bytes where an id is text, or of an entry that came another way", () => {
  expect(xackBytes(options)).toBeUndefined();
  expect(xackBytes({ ...options, ids: [...read(["1-1"], 0), { id: "2-1", fields: [] }] })).toBeUndefined();
});
