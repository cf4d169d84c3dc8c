import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { PayloadError, UsageError } from "../errors/errors.ts";
import { type Encoder, fieldsCodec, rawCodec } from "./codec.ts";
import { encodeValue } from "./encode-fields.ts";
import { jsonCodec } from "./json-codec.ts";

const SECRET = "hunter2";

/** The error of encoding what no caller in TypeScript could pass. */
function refusal(value: unknown, encoder: Encoder<never> = fieldsCodec): PayloadError {
  try {
    encodeValue(encoder as Encoder<unknown>, value);
  } catch (error) {
    if (PayloadError.is(error)) return error;
    throw error;
  }
  throw new Error("it was accepted");
}

describe("a record of fields", () => {
  test("is written in order: text and bytes as they are, numbers, bigints and booleans as text", () => {
    const bytes = Uint8Array.of(0, 255);
    const { fields } = encodeValue(fieldsCodec, { a: "ä", b: -0.5, c: 2n ** 64n, d: true, e: bytes, f: "" });
    expect(fields).toEqual([
      "a",
      "ä",
      "b",
      "-0.5",
      "c",
      "18446744073709551616",
      "d",
      "true",
      "e",
      Buffer.from(bytes),
      "f",
      "",
    ]);
  });

  test("may hold bytes of another realm, such as a Buffer in Jest's jsdom", () => {
    const bytes = runInNewContext("Uint8Array.of(0, 255)") as Uint8Array;
    expect(encodeValue(fieldsCodec, { a: bytes }).fields).toEqual(["a", Buffer.of(0, 255)]);
    expect(encodeValue(rawCodec, [[bytes, bytes]]).fields).toEqual([Buffer.of(0, 255), Buffer.of(0, 255)]);
    const date: unknown = runInNewContext("new Date(0)");
    expect(refusal({ a: date }).message).toContain('field "a" is a Date');
    expect(refusal(bytes, { encode: (value) => value }).message).not.toContain("object");
  });

  test("counts the bytes of names and values", () => {
    expect(encodeValue(fieldsCodec, { ä: "€", b: Uint8Array.of(1, 2, 3) }).bytes).toBe(2 + 3 + 1 + 3);
  });

  test("is a snapshot: bytes changed later go out as they were", () => {
    const bytes = Uint8Array.of(1, 2, 3);
    const { fields } = encodeValue(fieldsCodec, { bytes });
    bytes.fill(9);
    expect(fields[1]).toEqual(Buffer.from([1, 2, 3]));
  });

  test("may be a Map, or pairs with binary names and duplicates", () => {
    expect(encodeValue(fieldsCodec, new Map([["a", 1]])).fields).toEqual(["a", "1"]);
    const name = Buffer.from([0xff]);
    expect(encodeValue(rawCodec, [[name, "1"] as const, [name, "2"] as const]).fields).toEqual([name, "1", name, "2"]);
  });
});

describe("a value that cannot be written", () => {
  test.each([
    ["undefined", undefined, "leave out the field"],
    ["null", null, 'write ""'],
    ["NaN", Number.NaN, "leave out the field"],
    ["infinity", Number.POSITIVE_INFINITY, "leave out the field"],
    ["an object", { secret: SECRET }, "jsonCodec()"],
    ["an array", [SECRET], "jsonCodec()"],
    ["a Date", new Date(0), "toISOString()"],
    ["a function", () => SECRET, "jsonCodec()"],
    ["a symbol", Symbol(SECRET), "jsonCodec()"],
    ["half of a surrogate pair", `${SECRET}\uD800`, "toWellFormed()"],
  ])("is refused by the field's name: %s", (_what, value, advice) => {
    const { message } = refusal({ fine: "1", total: value });
    expect(message).toContain('field "total"');
    expect(message).toContain(advice);
    expect(message).not.toContain(SECRET);
  });

  test("is refused when there is no field at all", () => {
    expect(refusal({}).message).toBe("a message needs at least one field, but this one has none");
    expect(refusal([]).message).toBe("a message needs at least one field, but this one has none");
  });

  test.each([
    ["text", SECRET],
    ["undefined", undefined],
    ["null", null],
    ["a number", 5],
  ])("is refused when it is no record: %s", (what, value) => {
    expect(refusal(value).message).toBe(
      `expected a record of fields, got ${what}; use jsonCodec() for values that are not records`,
    );
  });

  test("is refused when it is a list of something else than pairs", () => {
    expect(refusal([SECRET]).message).toContain("expected [name, value] pairs");
    expect(refusal(Uint8Array.of(1)).message).toContain("expected [name, value] pairs");
  });

  test("is refused when a name is no text", () => {
    expect(refusal([[5, SECRET]]).message).toBe("a field name must be well-formed text or bytes, got a number");
  });

  test("is refused with a long name cut short", () => {
    expect(refusal({ ["n".repeat(5_000)]: null }).message.length).toBeLessThan(300);
  });
});

describe("a codec that throws", () => {
  test("is named by the class of its error, without the message, with the stack", () => {
    class ProtobufError extends Error {}
    const error = refusal(
      {},
      {
        encode() {
          throw new ProtobufError(`cannot write ${SECRET}\n    at ${SECRET}`);
        },
      },
    );
    expect(error.message).toContain("an error of class ProtobufError");
    expect(error.cause).toBeInstanceOf(Error);
    const cause = error.cause as Error;
    expect(cause.stack).toContain("encode-fields.test.ts");
    for (const text of [error.message, error.stack, cause.message, cause.stack]) expect(text).not.toContain(SECRET);
  });

  test("may throw what is no error", () => {
    const error = refusal(
      {},
      {
        encode() {
          const thrown: unknown = SECRET;
          throw thrown;
        },
      },
    );
    expect(error.message).toContain("encoding threw text");
    expect(error.cause).toBeUndefined();
  });

  test("passes on an error of Redis Batch", () => {
    const own = new UsageError("mine");
    const encoder = {
      encode(): never {
        throw own;
      },
    };
    expect(() => encodeValue(encoder, {})).toThrow(own);
  });
});

describe("a promise that should have been awaited", () => {
  // biome-ignore lint/suspicious/useAwait: it is to reject
  const failing = async (): Promise<never> => {
    throw new Error(SECRET);
  };

  test.each([
    ["the default codec", fieldsCodec],
    ["JSON, which makes {} of it", jsonCodec()],
  ])("is refused as a value, and how it ends does not end the process (%s)", (_what, codec) => {
    expect(refusal(failing(), codec as Encoder<never>).message).toBe(
      "the value is a promise; await it before you add it",
    );
  });

  test("is refused as a field, as are those beside it", () => {
    expect(refusal({ a: failing(), b: failing() }).message).toBe(
      'field "a" is a promise; await it before you add the message',
    );
  });
});
