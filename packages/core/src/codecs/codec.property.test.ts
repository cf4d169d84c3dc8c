import * as fc from "fast-check";
import { expect, test } from "vitest";
import { PayloadError } from "../errors/errors.ts";
import { fieldsCodec, rawCodec } from "./codec.ts";
import { type EncodedFields, encodeValue } from "./encode-fields.ts";
import { jsonCodec } from "./json-codec.ts";

/** What the server releases of what was sent: bytes. */
const overTheWire = ({ fields }: EncodedFields): Buffer[] => fields.map((part) => Buffer.from(part as string));

// Any text that UTF-8 can hold.
const text = fc.string({ unit: "binary" });
const bytes = fc.uint8Array({ maxLength: 40 });

test("text that was written as fields is read as it was", () => {
  fc.assert(
    fc.property(fc.dictionary(text, text, { minKeys: 1, noNullPrototype: false }), (record) => {
      const decoded = fieldsCodec.decode(overTheWire(encodeValue(fieldsCodec, record)));
      expect(Object.entries(decoded)).toEqual(Object.entries(record));
    }),
  );
});

test("raw pairs come back byte for byte, in order, with duplicates", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(bytes, bytes), { minLength: 1, maxLength: 10 }), (pairs) => {
      const decoded = rawCodec.decode(overTheWire(encodeValue(rawCodec, pairs)));
      expect(decoded.map(([name, value]) => [[...name], [...value]])).toEqual(
        pairs.map(([name, value]) => [[...name], [...value]]),
      );
    }),
  );
});

test("any JSON comes back as JSON.parse gives it, whatever the field is called", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.string({ unit: "binary", minLength: 1 }), (value, field) => {
      const codec = jsonCodec({ field });
      expect(codec.decode(overTheWire(encodeValue(codec, value)))).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});

test("the bytes counted are the bytes sent", () => {
  fc.assert(
    fc.property(fc.dictionary(text, fc.oneof(text, bytes), { minKeys: 1 }), (record) => {
      const encoded = encodeValue(fieldsCodec, record);
      expect(encoded.bytes).toBe(Buffer.concat(overTheWire(encoded)).length);
    }),
  );
});

test("nothing but a payload error comes out of any value, and it never quotes a value", () => {
  fc.assert(
    fc.property(fc.anything({ withBigInt: true, withDate: true, withMap: true, withTypedArray: true }), (value) => {
      const error = errorOf(() => encodeValue(fieldsCodec, { secret: value } as never));
      expect(error === undefined || PayloadError.is(error)).toBe(true);
      expect(error?.message ?? 'field "secret" is fine').toMatch(/^field "secret" (is|holds half) /);
    }),
  );
});

function errorOf(run: () => unknown): Error | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    return error as Error;
  }
}
