import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { StreamEntry } from "./entry.ts";
import { FieldNames } from "./field-names.ts";
import { ownFieldsOf, PackedEntry, textOf, traceContextOf } from "./packed-entry.ts";

const bytesOf = (part: string | Buffer): Buffer => Buffer.from(part);

function pack(parts: readonly (string | Buffer)[], names = new FieldNames(), around = 0): PackedEntry {
  const bulks = parts.flatMap((part) => [
    Buffer.from(`$${bytesOf(part).length}\r\n`),
    ...[bytesOf(part), Buffer.from("\r\n")],
  ]);
  const id = Buffer.from("1-1\r\n");
  const bytes = Buffer.concat([Buffer.alloc(around), id, ...bulks, Buffer.alloc(around)]);
  const payloadBytes = parts.reduce((sum, part) => sum + bytesOf(part).length, 0);
  return new PackedEntry({ bytes, names }, around, around + id.length, bytes.length - around, payloadBytes);
}

const odd = Buffer.from([0, 255, 13, 10, 36]);

test.each([0, 500])("gives its fields byte for byte, %i bytes away from its neighbours", (around) => {
  const entry: StreamEntry = pack(["a", odd, "a", "", "", "x".repeat(300)], undefined, around);
  const expected = ["a", odd, "a", "", "", "x".repeat(300)].map(bytesOf);
  expect(entry.fields).toEqual(expected);
  expect(entry.fields).toBe(entry.fields);
});

test("gives its fields as text, before and after they were given as bytes", () => {
  const entry = pack(["a", "1", "grüße", "日本", "a", "2", "__proto__", "x", "bad", odd], undefined, 500);
  const expected = { a: "2", grüße: "日本", ["__proto__"]: "x", bad: odd.toString() };
  for (const text of [entry.text, (void entry.fields, entry.text)]) {
    expect(Object.getPrototypeOf(text)).toBeNull();
    expect(Object.entries(text)).toEqual(Object.entries(expected));
  }
});

test("the context of a trace is not among its text, and can be asked for", () => {
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const context = ["rb:tracestate", "vendor=1", "rb:traceparent", traceparent];
  const own = ["a", "1", "traceparent", "x"];
  for (const [parts, tracestate] of [
    [[...own, ...context], "vendor=1"],
    [[...own, ...context.slice(2)], undefined],
  ] as const) {
    const entry = pack(parts, undefined, 500);
    expect({ ...entry.text }).toEqual({ a: "1", traceparent: "x" });
    expect({ ...textOf({ id: entry.id, fields: entry.fields }) }).toEqual({ a: "1", traceparent: "x" });
    expect(ownFieldsOf(entry)).toEqual(own.map(bytesOf));
    expect(traceContextOf(entry)).toEqual({ traceparent, tracestate });
    expect(entry.textOfField("rb:traceparent")).toBeUndefined();
    expect(entry.textOfField("traceparent")).toBe("x");
  }
  expect(traceContextOf(pack(own))).toBeUndefined();
});

test("gives one field as text, the last of its name, before and after all of them", () => {
  const parts = ["a", "1", "grüße", "日本", "a", "2", "__proto__", "x", "bad", odd, "", "nameless", "empty", ""];
  const expected = pack(parts).text;
  for (const around of [0, 500]) {
    for (const name of ["a", "grüße", "__proto__", "bad", "", "empty", "missing", "toString"]) {
      const entry = pack(parts, undefined, around);
      expect([name, entry.textOfField(name)]).toEqual([name, expected[name]]);
      expect(entry.text).toEqual(expected);
      expect(entry.fields.map(String)).toEqual(parts.map((part) => bytesOf(part).toString()));
      expect(entry.textOfField(name)).toBe(expected[name]);
    }
  }
});

test("gives the text that its bytes are, whatever they are and however long", () => {
  const someBytes = fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes));
  const someText = fc.string({ unit: "binary", maxLength: 400 }).map((text) => Buffer.from(text));
  const parts = fc.array(fc.tuple(fc.oneof(someText, someBytes), fc.oneof(someText, someBytes)), { maxLength: 6 });
  fc.assert(
    fc.property(parts, fc.nat(3), (fields, around) => {
      const expected = Object.create(null) as Record<string, string>;
      for (const [name, value] of fields) expected[name.toString()] = value.toString();
      expect({ ...pack(fields.flat(), undefined, around).text }).toEqual({ ...expected });
    }),
  );
});

test("knows names again by their bytes, not by their place or length", () => {
  const names = new FieldNames();
  const long = "n".repeat(200);
  for (const name of ["one", "two", "one", "", "tw", long, `${long}x`]) {
    expect(Object.keys(pack([name, "v"], names).text)).toEqual([name]);
  }
  const many = Array.from({ length: 400 }, (_, n) => `f${n}`);
  for (let round = 0; round < 2; round++) {
    expect(
      Object.keys(
        pack(
          many.flatMap((name) => [name, "v"]),
          names,
        ).text,
      ),
    ).toEqual(many);
  }
});
