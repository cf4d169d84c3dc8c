import { expect, test } from "vitest";
import { addedAtMs, compareEntries, entryName, idOf, streamOf } from "./entry.ts";

test("of several streams an entry's name says in which it is, and of one it is the id", () => {
  expect(entryName(["s", "t"], "t", "5-1")).toBe("t/5-1");
  expect(entryName(["t"], "t", "5-1")).toBe("5-1");
  expect([streamOf("a/b/5-1"), idOf("a/b/5-1")]).toEqual(["a/b", "5-1"]);
  expect([streamOf("5-1"), idOf("5-1")]).toEqual(["", "5-1"]);
  expect(addedAtMs("s/5-1")).toBe(5);
});

test("entries are in the order of the numbers in their ids", () => {
  expect(["s/10-0", "s/9-10", "s/9-2"].toSorted(compareEntries)).toEqual(["s/9-2", "s/9-10", "s/10-0"]);
});
