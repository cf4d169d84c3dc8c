import { expect, test } from "vitest";
import { ReplyShapeError } from "../../errors/errors.ts";
import { holdLease } from "./hold-lease.ts";

const options = { key: "k", holder: "me", leaseMs: 500 };

test("names the key, the holder and how long", () => {
  expect(holdLease.keys(options)).toEqual(["k"]);
  expect(holdLease.encode(options)).toEqual(["me", 500]);
});

test("says whether the holder has it", () => {
  expect(holdLease.decode(1, options)).toBe(true);
  expect(holdLease.decode(0, options)).toBe(false);
  expect(() => holdLease.decode(null, options)).toThrow(ReplyShapeError);
});
