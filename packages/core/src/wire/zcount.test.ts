import { expect, test } from "vitest";
import { zcount } from "./zcount.ts";

test("counts from the least score up to one", () => {
  expect(zcount.encode({ key: "k", max: 1_700_000_000_123 })).toEqual(["k", "-inf", 1_700_000_000_123]);
  expect(zcount.decode(3, { key: "k", max: 1 })).toBe(3);
});
