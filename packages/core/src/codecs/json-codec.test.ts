import { inspect } from "node:util";
import { describe, expect, expectTypeOf, test } from "vitest";
import { z } from "zod";
import { PayloadError } from "../errors/errors.ts";
import type { Codec } from "./codec.ts";
import { encodeValue } from "./encode-fields.ts";
import { jsonCodec } from "./json-codec.ts";

const SECRET = "hunter2";
const raw = (...parts: (string | Uint8Array)[]): Buffer[] => parts.map((part) => Buffer.from(part as string));

function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (PayloadError.is(error)) return inspect(error);
    throw error;
  }
  throw new Error("it was accepted");
}

describe("jsonCodec writes", () => {
  test("JSON into the field data, or another", () => {
    expect(jsonCodec().encode({ a: [1, null] })).toEqual({ data: '{"a":[1,null]}' });
    expect(jsonCodec({ field: "body" }).encode("x")).toEqual({ body: '"x"' });
  });

  test.each([
    ["undefined", undefined, "undefined cannot be written as JSON"],
    ["a function", () => SECRET, "a function cannot be written as JSON"],
    ["a BigInt inside", { secret: SECRET, n: 1n }, "a BigInt cannot be written as JSON"],
  ])("not %s", (_what, value, message) => {
    const text = refusal(() => encodeValue(jsonCodec<unknown>(), value));
    expect(text).toContain(message);
    expect(text).not.toContain(SECRET);
  });

  test("not a value that contains itself", () => {
    const cyclic: Record<string, unknown> = {};
    cyclic[SECRET] = cyclic;
    const text = refusal(() => encodeValue(jsonCodec<unknown>(), cyclic));
    expect(text).toContain("a value that contains itself cannot be written as JSON");
    expect(text).not.toContain(SECRET);
  });

  test("not a value whose toJSON throws, and keeps its words to itself", () => {
    const value = {
      toJSON() {
        throw new Error(SECRET);
      },
    };
    const text = refusal(() => encodeValue(jsonCodec<unknown>(), value));
    expect(text).toContain("encoding threw an error of class Error");
    expect(text).not.toContain(SECRET);
  });

  test("half of a surrogate pair, escaped", () => {
    expect(jsonCodec().encode("\uD800")).toEqual({ data: '"\\ud800"' });
  });
});

describe("jsonCodec reads", () => {
  test("the field among others, the last one when it repeats", () => {
    expect(jsonCodec().decode(raw("v", "1", "data", "1", "data", '{"a":2}', "w", "2"))).toEqual({ a: 2 });
  });

  test("not an entry without the field", () => {
    expect(refusal(() => jsonCodec().decode(raw("body", SECRET)))).toContain('no field "data" in this entry; ');
  });

  test("not text that is no JSON, which it does not quote", () => {
    const text = refusal(() => jsonCodec().decode(raw("data", SECRET)));
    expect(text).toContain('field "data" holds 7 characters that are not JSON');
    expect(text).not.toContain(SECRET);
  });

  test("not bytes that are not UTF-8", () => {
    expect(refusal(() => jsonCodec().decode(raw("data", Uint8Array.of(0x22, 0xff, 0x22))))).toContain("is not UTF-8");
  });
});

describe("jsonCodec's options", () => {
  test("are refused together when they are wrong", () => {
    const options = { field: "", schema: {}, feild: "x" } as unknown as { field: string };
    expect(() => jsonCodec(options)).toThrow(
      'jsonCodec: unknown option "feild", did you mean "field"?; field must be a non-empty text, got an empty text; ' +
        "schema must be a Standard Schema",
    );
  });

  test("take a schema that gives both types", () => {
    const codec = jsonCodec({ schema: z.object({ id: z.string(), cents: z.int().default(0) }) });
    expectTypeOf(codec).toEqualTypeOf<
      Codec<{ id: string; cents: number }, { id: string; cents?: number | undefined }>
    >();
    expect(codec.encode({ id: "a" })).toEqual({ data: '{"id":"a"}' });
    expect(codec.decode(raw("data", '{"id":"a"}'))).toEqual({ id: "a", cents: 0 });
  });

  test("take a type on trust", () => {
    expectTypeOf(jsonCodec<{ id: string }>()).toEqualTypeOf<Codec<{ id: string }>>();
  });
});
