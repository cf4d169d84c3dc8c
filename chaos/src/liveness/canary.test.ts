import { expect, test } from "vitest";
import { readCanary } from "./canary.ts";

const PACE = { everyMs: 20, tolerableMs: 30 };
const round = { fromMs: 0, toMs: 10_000 };
/** Ticks from the beginning of the round to its end, without those in the gaps. */
function ticks(...gaps: readonly (readonly [number, number])[]): number[] {
  const all = Array.from({ length: 501 }, (_, index) => index * 20);
  return all.filter((atMs) => gaps.every(([fromMs, toMs]) => atMs <= fromMs || atMs >= toMs));
}

test("ticks that are on time, or a little late, are no stall", () => {
  expect(readCanary(ticks([100, 140]), round, PACE)).toEqual({
    ...{ stalls: [], stalledMs: 0, void: undefined, doubt: undefined },
  });
});

test("a late tick is a stall from when it was due", () => {
  const { stalls, stalledMs, ...rest } = readCanary(ticks([1_000, 1_200]), round, PACE);
  expect(stalls).toEqual([{ fromMs: 1_020, toMs: 1_200 }]);
  expect({ stalledMs, ...rest }).toEqual({ stalledMs: 180, void: undefined, doubt: undefined });
});

/** One that begins with each second. */
const stallsOf = (forMs: number): number[] =>
  ticks(...Array.from({ length: 8 }, (_, index) => [index * 1_000, index * 1_000 + forMs] as const));

test("a round with many stalls, or a long one, is one of doubt", () => {
  const { doubt, ...many } = readCanary(stallsOf(200), round, PACE);
  expect(many.void).toBe(undefined);
  expect(doubt).toMatch(/stalled for 1440 ms of 10000 ms/);
  const long = readCanary(ticks([2_000, 4_000]), round, PACE);
  expect(long.void).toBe(undefined);
  expect(long.doubt).toMatch(/stalled for 1980 ms at once/);
});

test("a round whose many stalls hide the waits, or without a canary, is void", () => {
  expect(readCanary(stallsOf(400), round, PACE).void).toMatch(/stalled for 3040 ms of 10000 ms/);
  expect(readCanary(ticks([2_000, 10_001]), round, PACE).void).toMatch(/did not survive/);
  expect(readCanary([], round, PACE).void).toMatch(/did not survive/);
});
