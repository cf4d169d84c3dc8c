import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { messageLine } from "./message-json.ts";
import { parseMessageLine, readPairs } from "./message-line.ts";
import { parseOutcomeLine } from "./outcome-line.ts";

const NDJSON = { format: "ndjson" } as const;
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 20 }).map((array) => Buffer.from(array)),
  fc.string({ unit: "binary" }).map((text) => Buffer.from(text)),
  fc.constantFrom("", "0", "10", "2", "__proto__", "fields", "base64").map((text) => Buffer.from(text)),
);

test("what is printed is read back, byte for byte and in order, whatever the fields are", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(bytes, bytes), { minLength: 1, maxLength: 6 }), (pairs) => {
      const line = messageLine({ id: "1-1", deliveries: 2, raw: pairs.flat() });
      expect(line.indexOf("\n")).toBe(line.length - 1);
      const read = parseMessageLine(line, NDJSON);
      expect(
        read.kind === "message" ? read.fields.map((pair) => pair.map((part) => Buffer.from(part as Buffer))) : read,
      ).toEqual(pairs);
    }),
  );
});

describe("parseMessageLine", () => {
  test("reads nothing but fields, and throws at nothing", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), fc.string({ unit: "binary" })), (line) => {
        for (const format of ["ndjson", "pairs"] as const) {
          const read = parseMessageLine(line, { format });
          expect(read.kind === "message" ? read.fields.length > 0 : read.why.length > 0).toBe(true);
        }
      }),
    );
  });

  test("splits pairs as a shell does", () => {
    expect(parseMessageLine(`a=1 b="x \\" y" c='$z \\' d=e\\ f g= `, { format: "pairs" })).toEqual({
      kind: "message",
      fields: [
        ["a", "1"],
        ["b", 'x " y'],
        ["c", "$z \\"],
        ["d", "e f"],
        ["g", ""],
      ],
    });
    expect(parseMessageLine('a="open', { format: "pairs" })).toEqual({
      kind: "malformed",
      why: "a quote is not closed",
    });
    expect(readPairs(["=1"]).kind).toBe("malformed");
  });

  test("a field named fields is a field, unless it is an object or a list", () => {
    expect(parseMessageLine('{"fields":"x"}', NDJSON)).toEqual({ kind: "message", fields: [["fields", "x"]] });
    expect(parseMessageLine('{"id":"1-1","fields":{"a":"1"}}', NDJSON)).toEqual({
      kind: "message",
      fields: [["a", "1"]],
    });
  });
});

test("outcomes are read from lines, and nothing else is one", () => {
  expect(parseOutcomeLine("ack 1-2")).toEqual({ kind: "ack", id: "1-2" });
  expect(parseOutcomeLine("retry 1-2 too busy\r")).toEqual({ kind: "retry", id: "1-2", reason: "too busy" });
  expect(parseOutcomeLine("dead-letter 1-2")).toEqual({ kind: "dead-letter", id: "1-2", reason: "" });
  for (const line of ["", "ack", "ack x", "ACK 1-2", "nack 1-2", "ack 01-2"])
    expect(parseOutcomeLine(line)).toBeUndefined();
});
