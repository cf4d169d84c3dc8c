import { expect, test } from "vitest";
import { ReplyShapeError } from "../errors/errors.ts";
import { setIfFree } from "./set-if-free.ts";

const options = { key: "k", value: "me", expireMs: 500 };

test("sets the key only where it is free, and for a while", () => {
  expect(setIfFree.encode(options)).toEqual(["k", "me", "NX", "PX", 500]);
});

test("says whether it was free", () => {
  expect(setIfFree.decode(Buffer.from("OK"), options)).toBe(true);
  expect(setIfFree.decode(null, options)).toBe(false);
  expect(() => setIfFree.decode(undefined, options)).toThrow(ReplyShapeError);
});
