import type { StandardSchemaV1 } from "@standard-schema/spec";
import { describe, expect, expectTypeOf, test } from "vitest";
import { z } from "zod";
import { ConfigError, PayloadError } from "../errors/errors.ts";
import { type Codec, fieldsCodec } from "./codec.ts";
import { encodeValue } from "./encode-fields.ts";
import { jsonCodec } from "./json-codec.ts";
import type { StandardSchema } from "./standard-schema.ts";
import { withSchema } from "./with-schema.ts";

const SECRET = "hunter2";
const raw = (...parts: string[]): Buffer[] => parts.map((part) => Buffer.from(part));

function refusal(run: () => unknown): PayloadError {
  try {
    run();
  } catch (error) {
    if (PayloadError.is(error)) return error;
    throw error;
  }
  throw new Error("it was accepted");
}

test("our copy of the interface takes every Standard Schema, and every Standard Schema user takes ours", () => {
  expectTypeOf<StandardSchemaV1<string, number>>().toExtend<StandardSchema<string, number>>();
  expectTypeOf<StandardSchema<string, number>>().toExtend<StandardSchemaV1<string, number>>();
});

describe("a schema around fieldsCodec", () => {
  const codec = withSchema(fieldsCodec, z.object({ id: z.string(), cents: z.coerce.number<string | number>().int() }));

  test("decides the types", () => {
    expectTypeOf(codec).toEqualTypeOf<Codec<{ id: string; cents: number }, { id: string; cents: string | number }>>();
  });

  test("converts once, when reading", () => {
    expect(encodeValue(codec, { id: "a", cents: "12" }).fields).toEqual(["id", "a", "cents", "12"]);
    expect(codec.decode(raw("id", "a", "cents", "12"))).toEqual({ id: "a", cents: 12 });
  });

  test("refuses in both directions, saying where", () => {
    expect(refusal(() => codec.encode({ id: "a", cents: "x" })).message).toBe(
      'the value does not fit the schema: 1 issue at "cents"',
    );
    expect(refusal(() => codec.decode(raw("total", SECRET))).message).toBe(
      'the value does not fit the schema: 2 issues at "id", "cents"',
    );
  });
});

test("a transforming schema is not applied to what is written", () => {
  const codec = jsonCodec({ schema: z.string().transform((text) => `${text}!`) });
  expect(codec.encode("a")).toEqual({ data: '"a"' });
  expect(codec.decode(raw("data", '"a"'))).toBe("a!");
});

describe("issues", () => {
  test("never quote the value, whatever the validator says", () => {
    const schema = z.object({
      password: z.string().refine(() => false, { error: ({ input }) => `bad: ${String(input)}` }),
    });
    const error = refusal(() => jsonCodec({ schema }).decode(raw("data", JSON.stringify({ password: SECRET }))));
    expect(error.message).toBe('the value does not fit the schema: 1 issue at "password"');
    expect(error.cause).toBeUndefined();
  });

  test("are listed by up to five paths, nested ones with dots, none twice", () => {
    const schema = z.object({ a: z.array(z.object({ b: z.number() })), c: z.number() });
    const wrong = { a: Array.from({ length: 9 }, () => ({ b: "x" })), c: "x" };
    expect(refusal(() => jsonCodec({ schema }).encode(wrong as never)).message).toBe(
      'the value does not fit the schema: 10 issues at "a.0.b", "a.1.b", "a.2.b", "a.3.b", "a.4.b" and more',
    );
  });

  test("of the value as a whole are at the top level", () => {
    expect(refusal(() => jsonCodec({ schema: z.number() }).encode("x" as never)).message).toBe(
      "the value does not fit the schema: 1 issue at the top level",
    );
  });
});

describe("a schema that cannot be used", () => {
  test("because it validates asynchronously refuses every value, saying so", () => {
    const codec = jsonCodec({ schema: z.string().refine(async () => false) });
    expect(refusal(() => codec.encode("x")).message).toContain("validates asynchronously");
    expect(refusal(() => codec.decode(raw("data", '"x"'))).message).toContain("use a synchronous schema");
  });

  test("because a check throws refuses the value without the check's words", () => {
    const fail = (): never => {
      throw new Error(SECRET);
    };
    const zod = refusal(() => jsonCodec({ schema: z.string().refine(fail) }).encode("x"));
    expect(zod.message).toContain("or one of its checks threw");
    const schema: StandardSchema = { "~standard": { version: 1, vendor: "test", validate: fail } };
    const other = refusal(() => jsonCodec({ schema }).encode("x"));
    expect(other.message).toContain("validation threw an error of class Error");
    for (const error of [zod, other]) expect(error.message).not.toContain(SECRET);
  });

  test("because it is none is a fault of configuration", () => {
    expect(() => withSchema(fieldsCodec, {} as never)).toThrow(ConfigError);
  });
});

test.each([[undefined], [5], [true]])("a schema that answers with no result refuses every value (%s)", (answer) => {
  const schema = { "~standard": { version: 1, vendor: "test", validate: () => answer } } as never;
  const codec = withSchema(fieldsCodec, schema);
  const refused = /^the schema returned .*, not \{ value \} or \{ issues \}$/;
  expect(refusal(() => codec.encode({ a: 1 } as never)).message).toMatch(refused);
  expect(refusal(() => codec.decode(raw("a", "1"))).message).toMatch(refused);
});
