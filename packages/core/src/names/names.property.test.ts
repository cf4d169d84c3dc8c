import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  bytesOfName,
  encodeShownJson,
  isName,
  nameOfBytes,
  parseName,
  quoteName,
  showBytes,
  showName,
} from "./names.ts";

const anyBytes = fc.oneof(
  fc.uint8Array({ maxLength: 12 }),
  // Parts of characters, bytes that are part of none, and what looks escaped.
  fc
    .array(
      fc.constantFrom("c3", "a9", "e2", "82", "ac", "f0", "9f", "8e", "89", "ff", "ed", "b3", "bf", "5c", "78", "6666"),
    )
    .map((parts) => new Uint8Array(Buffer.from(parts.join(""), "hex"))),
);
const anyText = fc.string({ unit: "grapheme" });

describe("a name", () => {
  test("keeps its bytes, whatever they are", () => {
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        expect([...bytesOfName(nameOfBytes(bytes))]).toEqual([...bytes]);
      }),
    );
  });

  test("that is UTF-8 is just itself", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(nameOfBytes(Buffer.from(text))).toBe(text);
        expect(bytesOfName(text)).toEqual(Buffer.from(text));
      }),
    );
  });

  test("differs from every other one", () => {
    fc.assert(
      fc.property(anyBytes, anyBytes, (left, right) => {
        expect(nameOfBytes(left) === nameOfBytes(right)).toBe(Buffer.from(left).equals(Buffer.from(right)));
      }),
    );
  });

  test("is read back as it is shown, and shown as text that can be written anywhere", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          anyBytes,
          anyText.map((text) => Buffer.from(text)),
        ),
        (bytes) => {
          const name = nameOfBytes(bytes);
          expect(parseName(showName(name))).toBe(name);
          expect(showName(name).isWellFormed()).toBe(true);
          // As tables show it, with every backslash doubled.
          expect(parseName(showBytes(name.replaceAll("\\", "\\\\")))).toBe(name);
        },
      ),
    );
  });

  test("has one form only", () => {
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        expect(isName(nameOfBytes(bytes))).toBe(true);
      }),
    );
    // An é in two bytes, and halves of pairs that stand for no byte.
    for (const text of ["\udcc3\udca9", "\ud800", "\udc00", "a\udfff"]) expect(isName(text)).toBe(false);
  });
});

test("people see bytes as \\xff, and everything else as it is", () => {
  const name = nameOfBytes(Buffer.from("caf\xe9 \xff", "latin1"));
  expect(showName(name)).toBe("caf\\xe9 \\xff");
  expect(showName("host\\node \\ü")).toBe("host\\node \\ü");
  expect(showName("a\\xff")).toBe("a\\\\xff");
  expect(showName(`\\${nameOfBytes(Buffer.of(255))}`)).toBe("\\\\\\xff");
  expect(parseName("host\\node")).toBe("host\\node");
  expect(parseName("\\xC3\\xa9\\XFF\\x0a")).toBe("é\\XFF\n");
  expect(quoteName(name)).toBe('"caf\\xe9 \\xff"');
});

test("JSON has shown names, and all other text as it is", () => {
  const name = nameOfBytes(Buffer.of(97, 255));
  expect(JSON.parse(encodeShownJson({ name, path: "C:\\\\x", list: [name] }))).toEqual({
    ...{ name: "a\\xff", path: "C:\\\\x", list: ["a\\xff"] },
  });
});
