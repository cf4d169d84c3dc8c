import { expect, test } from "vitest";
import { compareGroups, type Ranked } from "./severity.ts";

const group = (name: string, health: Ranked["health"], waiting: number | null, ageMs: number | null): Ranked => ({
  ...{ stream: "s", group: name, health, waiting, ageMs },
});
const groups = [
  group("a", "OK", 5, 9_000_000),
  group("b", "STOPPED", 1, 1_000),
  group("c", "PAUSED", 100, 50),
  group("d", "STALLED", null, 90_000_000),
  group("e", "UNKNOWN", 0, null),
];
const sorted = (sort: Parameters<typeof compareGroups>[0]) =>
  groups
    .toSorted(compareGroups(sort))
    .map(({ group: name }) => name)
    .join("");

test("the worst comes first, and of those as bad as each other the one that waits longest", () => {
  expect(sorted("worst")).toBe("dbcae");
});

test("other orders", () => {
  expect([sorted("waiting"), sorted("age"), sorted("name")]).toEqual(["cabed", "dabce", "abcde"]);
});
