import { expect, test } from "vitest";
import { time } from "./time.ts";

test("is whole milliseconds made of seconds and microseconds", () => {
  expect(time.encode({})).toEqual([]);
  expect(time.decode([Buffer.from("1700000000"), Buffer.from("123999")], {})).toBe(1_700_000_000_123);
  expect(time.decode(["1700000000", "0"], {})).toBe(1_700_000_000_000);
});
