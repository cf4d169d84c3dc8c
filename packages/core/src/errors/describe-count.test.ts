import { expect, test } from "vitest";
import { describeCount, describeMessages } from "./describe-count.ts";

test("only one is singular", () => {
  expect([0, 1, 2].map(describeMessages)).toEqual(["0 messages", "1 message", "2 messages"]);
  expect([1, 2].map((count) => describeCount(count, "entry", "entries"))).toEqual(["1 entry", "2 entries"]);
});
