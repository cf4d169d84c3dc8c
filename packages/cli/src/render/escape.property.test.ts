import { nameOfBytes, parseName, showName } from "@redis-batch/core";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeJson, escapeMessage, escapeText, truncateText, typedName } from "./escape.ts";

const unsafe = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]|\p{Surrogate}/u;
const text = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({
    unit: fc.constantFrom("\u001b", "\n", "\t", "\u009b", "\u202e", "\u2067", "\ufeff", "\ud800", "\\", "a", "ü", "🎉"),
  }),
);

describe("whatever the text", () => {
  test("nothing of it steers a terminal", () => {
    fc.assert(
      fc.property(text, (value) => {
        expect(escapeText(value)).not.toMatch(unsafe);
      }),
    );
    fc.assert(
      fc.property(text, (value) => {
        expect(escapeMessage(value).replaceAll("\n", "")).not.toMatch(unsafe);
      }),
    );
    fc.assert(
      fc.property(text, (value) => {
        expect(encodeJson({ [value]: [value] })).not.toMatch(unsafe);
      }),
    );
  });

  test("different texts look different", () => {
    fc.assert(
      fc.property(text, text, (left, right) => {
        expect(escapeText(left) === escapeText(right)).toBe(left === right);
      }),
    );
  });

  test("JSON means the same value", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.parse(encodeJson(value, 2))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  test("no more characters are left than were asked for, and no half of one", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.integer({ min: 1, max: 20 }), (value, most) => {
        const cut = truncateText(value, most);
        expect(Array.from(cut).length).toBeLessThanOrEqual(Math.max(most, 1));
        expect(cut).not.toMatch(/\p{Surrogate}/u);
      }),
    );
  });
});

test("what people know is written as they know it", () => {
  expect(escapeText('\u001b[31m\n\t\r\u0000\u009b\\"ü🎉')).toBe('\\e[31m\\n\\t\\r\\x00\\u{9b}\\\\"ü🎉');
  expect(escapeText("a\u202eb")).toBe("a\\u{202e}b");
});

describe("a name of any bytes", () => {
  const name = fc.uint8Array({ maxLength: 12 }).map(nameOfBytes);

  test("is typed as core shows it", () => {
    fc.assert(
      fc.property(fc.oneof(name, text), (value) => {
        expect(typedName(value)).toBe(showName(value));
      }),
    );
  });

  test("can be typed as tables and JSON show it, unless it has characters that cannot be seen", () => {
    fc.assert(
      fc.property(name, (value) => {
        fc.pre(!/[\p{C}\u2028\u2029]/u.test(value.replaceAll(/\p{Surrogate}/gu, "")));
        expect(parseName(escapeText(value))).toBe(value);
        const inJson = JSON.parse(encodeJson(value)) as string;
        expect(value.isWellFormed() ? inJson : parseName(inJson)).toBe(value);
      }),
    );
  });

  test("looks different from a character with the same number", () => {
    expect([escapeText("\u0085"), escapeText(nameOfBytes(Buffer.of(0x85)))]).toEqual(["\\u{85}", "\\x85"]);
  });
});
