import { expect, test } from "vitest";
import { readDue } from "./read-due.ts";

const options = { stream: "s", group: "g", limit: 100 };

test("touches the group's times only", () => {
  expect(readDue.keys(options)).toEqual(["rb:{s}:due:s:g"]);
  expect(readDue.encode(options)).toEqual([100, 0, 0]);
  expect(readDue.encode({ ...options, skip: 7, withinMs: 1_000 })).toEqual([100, 7, 1_000]);
});

test("reads ids with their times, and how long the next one takes", () => {
  const items = ["1-1", "1700000000123", "2-1", "1700000000124"].map((text) => Buffer.from(text));
  expect(readDue.decode([items, Buffer.from("17")], options)).toEqual({
    due: [
      { id: "1-1", atMs: 1_700_000_000_123 },
      { id: "2-1", atMs: 1_700_000_000_124 },
    ],
    nextInMs: 17,
  });
  expect(readDue.decode([[], Buffer.from("")], options)).toEqual({ due: [], nextInMs: null });
});
