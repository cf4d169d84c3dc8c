import { expect, test } from "vitest";
import { unlink } from "./unlink.ts";

test("names every key, and tells how many there were", () => {
  expect(unlink.encode({ keys: ["a", "b"] })).toEqual(["a", "b"]);
  expect(unlink.decode(1, { keys: ["a", "b"] })).toBe(1);
});
