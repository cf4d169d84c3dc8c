import { expect, it } from "vitest";
import { History, POINT_MS } from "./history.ts";

const HOUR = 3_600_000;
const point = (waiting: number | null) => ({
  ...{ waiting, pending: 1, ageMs: null, inPerSecond: 0.5, outPerSecond: 0, deadLetters: 0, consumers: 2 },
});

it("keeps the last look of each ten seconds, and null where nothing was known", () => {
  const history = new History();
  for (const [at, waiting] of [
    [0, 1],
    [9_999, 2],
    [10_000, null],
    [30_000, 4],
  ] as const)
    history.add(HOUR + at, point(waiting));
  const { atMs, waiting, inPerSecond } = history.read(HOUR + 30_000);
  expect(atMs.map((at) => at - HOUR)).toEqual([0, 10_000, 30_000]);
  expect(waiting).toEqual([2, null, 4]);
  expect(inPerSecond).toEqual([0.5, 0.5, 0.5]);
});

it("forgets what is older than an hour", () => {
  const history = new History();
  for (let at = 0; at <= 2 * HOUR; at += POINT_MS) history.add(HOUR + at, point(at));
  const { atMs } = history.read(3 * HOUR);
  expect([atMs.length, (atMs[0] ?? 0) - 3 * HOUR]).toEqual([HOUR / POINT_MS, POINT_MS - HOUR]);
  expect(history.read(3 * HOUR, 3 * HOUR - POINT_MS).atMs).toEqual([3 * HOUR - POINT_MS, 3 * HOUR]);
  // After a pause nothing of what was before is there.
  expect(history.read(9 * HOUR).atMs).toEqual([]);
});
