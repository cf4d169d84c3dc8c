import { expect, test } from "vitest";
import { xlen } from "./xlen.ts";

test("names the stream and replies its length", () => {
  expect(xlen.encode({ stream: "s" })).toEqual(["s"]);
  expect(xlen.decode(3, { stream: "s" })).toBe(3);
});
