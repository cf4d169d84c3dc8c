import { describe, expect, test } from "vitest";
import { ReplyShapeError } from "../errors/errors.ts";
import { decodeArray, decodeBytes, decodeInteger, decodeIntegerOrNull, decodeNamed, decodeText } from "./reply.ts";

describe("decodeInteger", () => {
  test.each([
    [0, 0],
    [-1, -1],
    [42n, 42],
    ["42", 42],
    [Buffer.from("-7"), -7],
  ])("reads %o", (reply, expected) => {
    expect(decodeInteger(reply, "X")).toBe(expected);
  });

  test.each([null, undefined, "", "1.5", "1e3", "x", Buffer.from("0x10"), 1.5, Number.NaN, true, [1], {}])(
    "does not take %o for one",
    (reply) => {
      expect(() => decodeInteger(reply, "X")).toThrow(ReplyShapeError);
    },
  );
});

describe("decodeIntegerOrNull", () => {
  test("keeps what the server does not know, and never makes it 0", () => {
    expect(decodeIntegerOrNull(null, "X")).toBeNull();
    expect(decodeIntegerOrNull(undefined, "X")).toBeNull();
    expect(decodeIntegerOrNull(0, "X")).toBe(0);
  });
});

describe("decodeBytes", () => {
  test("hands over a Buffer as it is and a text as UTF-8", () => {
    const bytes = Buffer.from([0, 255, 13, 10]);
    expect(decodeBytes(bytes, "X")).toBe(bytes);
    expect(decodeBytes("é", "X")).toEqual(Buffer.from("é"));
  });

  test.each([null, 1, [Buffer.from("x")], new Uint8Array(2)])("does not take %o for bytes", (reply) => {
    expect(() => decodeBytes(reply, "X")).toThrow(ReplyShapeError);
  });
});

describe("decodeText", () => {
  test("reads Buffers as UTF-8", () => {
    expect(decodeText(Buffer.from("orders-é"), "X")).toBe("orders-é");
    expect(decodeText("orders", "X")).toBe("orders");
  });

  test.each([null, 1, []])("does not take %o for a text", (reply) => {
    expect(() => decodeText(reply, "X")).toThrow(ReplyShapeError);
  });
});

describe("decodeNamed", () => {
  const expected = new Map<string, unknown>([
    ["length", 3],
    ["lag", null],
  ]);

  test("reads a flat list of names and values, and a map", () => {
    expect(decodeNamed([Buffer.from("length"), 3, "lag", null], "X")).toEqual(expected);
    expect(
      decodeNamed(
        new Map<unknown, unknown>([
          [Buffer.from("length"), 3],
          ["lag", null],
        ]),
        "X",
      ),
    ).toEqual(expected);
  });

  test.each([[["length"]], [[1, 2]], [null], [new Map([[1, 2]])]])("does not take %o for one", (reply) => {
    expect(() => decodeNamed(reply, "X")).toThrow(ReplyShapeError);
  });
});

test("an error says whose reply it was, what was expected and what came instead, but not what was in it", () => {
  expect(() => decodeArray(null, "XRANGE")).toThrow("XRANGE: expected an array, got nil");
  expect(() => decodeArray("hunter2", "XRANGE")).toThrow("XRANGE: expected an array, got string");
  expect(() => decodeText([1, 2], "XADD")).toThrow("XADD: expected a text, got an array of 2");
});
