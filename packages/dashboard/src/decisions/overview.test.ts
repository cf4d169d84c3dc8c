import { describe, expect, it } from "vitest";
import { compareRows, countAdded, type OverviewRow } from "./overview.ts";

const row = (group: string, more: Partial<OverviewRow> = {}): OverviewRow => ({
  ...{ stream: "s", group, health: "OK", reason: "", waiting: 0, isAtLeast: false, ageMs: null, inPerSecond: 0 },
  ...{ outPerSecond: 0, pending: 0, deadLetters: 0, deadLettersLastHour: 0, consumers: 1, unwell: 0, wanted: null },
  ...more,
});

it("puts the worst first, then what waits longer, then by name", () => {
  const rows = [
    row("d-well"),
    row("c-well", { ageMs: 1_000 }),
    row("letters", { deadLettersLastHour: 3 }),
    row("unknown", { health: "UNKNOWN" }),
    row("behind", { health: "FALLING BEHIND" }),
    row("stalled", { health: "STALLED", ageMs: 5_000 }),
    row("stopped", { health: "STOPPED", ageMs: 500_000 }),
    row("a-well", { ageMs: 4_000 }),
  ];
  expect(rows.toSorted(compareRows).map(({ group }) => group)).toEqual([
    ...["stopped", "stalled", "behind", "letters", "unknown", "a-well", "c-well", "d-well"],
  ]);
});

it("leaves rows in their places while ages change a little", () => {
  const before = [row("a", { ageMs: 20_000 }), row("b", { ageMs: 21_000 })].toSorted(compareRows);
  const after = [row("a", { ageMs: 24_000 }), row("b", { ageMs: 20_500 })].toSorted(compareRows);
  expect(after.map(({ group }) => group)).toEqual(before.map(({ group }) => group));
});

describe("countAdded", () => {
  it.each([
    [[3, 5, 9], 6],
    [[9, 2, 4], 2],
    [[null, 3, null, 4], 1],
    [[3], null],
    [[], null],
  ])("of %j is %j", (counts, added) => {
    expect(countAdded(counts)).toBe(added);
  });
});
