import { inspect } from "node:util";
import { runInNewContext } from "node:vm";
import { ODD_VALUES, thenable } from "@redis-batch/test-support";
import { describe, expect, test } from "vitest";
import { PayloadError } from "../errors/errors.ts";
import { type Codec, fieldsCodec } from "./codec.ts";
import { encodeValue } from "./encode-fields.ts";
import { guardPayload } from "./payload-guard.ts";
import type { StandardSchema } from "./standard-schema.ts";
import { withSchema } from "./with-schema.ts";

const SECRET = "hunter2";
const FIELDS = [Buffer.from("password"), Buffer.from(SECRET)];

function refusal(run: () => unknown): PayloadError {
  try {
    run();
  } catch (error) {
    if (PayloadError.is(error)) return error;
    throw error;
  }
  throw new Error("it was accepted");
}

test.each(ODD_VALUES)("a codec that throws %s is a PayloadError", (_what, value) => {
  const error = refusal(() =>
    guardPayload("decoding", () => {
      throw value;
    }),
  );
  expect(error.message).toContain("decoding threw");
  expect(inspect(error).length).toBeLessThan(10_000);
});

/** How it ends: well, or with a PayloadError; anything else is thrown. */
function end(run: () => unknown): string {
  try {
    run();
    return "done";
  } catch (error) {
    if (!PayloadError.is(error)) throw error;
    return error.code;
  }
}

test.each(ODD_VALUES)("a value that is %s is written, or refused with a PayloadError", (_what, value) => {
  for (const given of [value, { field: value }, [[value, "x"]]]) {
    expect(["done", "PAYLOAD"]).toContain(end(() => encodeValue(fieldsCodec, given as never)));
  }
});

describe.each([
  ["of this realm", () => Promise.reject(new Error(SECRET))],
  ["of another realm", () => runInNewContext(`Promise.reject(new Error("${SECRET}"))`) as Promise<never>],
  ["that is only like one", () => thenable((_, reject) => reject(new Error(SECRET))) as Promise<never>],
])("a codec is synchronous: a promise %s", (_what, promise) => {
  const asynchronous = { encode: promise, decode: promise } as unknown as Codec<unknown>;
  const schema: StandardSchema = { "~standard": { version: 1, vendor: "test", validate: promise } };
  const anything: StandardSchema = { "~standard": { version: 1, vendor: "test", validate: (value) => ({ value }) } };

  // What it rejects with would end this process as well, were nobody to take it.
  test.each([
    ["by decode", () => guardPayload("decoding", () => asynchronous.decode(FIELDS))],
    ["by encode", () => encodeValue(asynchronous, { password: SECRET })],
    ["by a schema", () => withSchema(fieldsCodec, schema).decode(FIELDS)],
    ["by a codec inside a schema", () => withSchema(asynchronous, anything).decode(FIELDS)],
  ])("given %s is refused at once, and its payload stays out of the trace", (_by, run) => {
    const error = refusal(run);
    expect(error.message).toContain("a promise");
    expect(inspect(error)).not.toContain(SECRET);
  });
});

test.each(ODD_VALUES)("a schema that answers %s refuses the value with a PayloadError", (_what, answer) => {
  const schema: StandardSchema = { "~standard": { version: 1, vendor: "test", validate: () => answer as never } };
  expect(["done", "PAYLOAD"]).toContain(end(() => withSchema(fieldsCodec, schema).decode(FIELDS)));
});
