import { expect, test } from "vitest";
import { inParts } from "./parts.ts";

test("keeps all items, in their order, in parts that are no larger than allowed", () => {
  expect(inParts([1, 2, 3, 4, 5], 2)).toEqual([[1, 2], [3, 4], [5]]);
  expect(inParts([1, 2], 2)).toEqual([[1, 2]]);
  expect(inParts([])).toEqual([]);
  expect(inParts(Array.from({ length: 1_001 }, (_, index) => index)).map(({ length }) => length)).toEqual([1_000, 1]);
});
