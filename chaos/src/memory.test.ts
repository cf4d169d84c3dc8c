import { expect, test } from "vitest";
import { type MemorySample, measureMemory, summariseMemory } from "./memory.ts";

/** A sample a second from one second to another, of what `rssMiB` says for it; a tenth of it is heap. */
function life(fromS: number, toS: number, rssMiB: (second: number) => number): MemorySample[] {
  return Array.from({ length: toS - fromS + 1 }, (_, index) => ({
    atMs: (fromS + index) * 1_000,
    rssMiB: rssMiB(fromS + index),
    heapMiB: rssMiB(fromS + index) / 10,
  }));
}

const FLAT = { firstThirdMiB: 80, lastThirdMiB: 80, firstThirdHeapMiB: 8, lastThirdHeapMiB: 8 };

test("flat memory is the same in the first and the last third, whatever single samples say", () => {
  const { lasting, maxMiB, samples } = measureMemory([life(0, 90, (second) => (second % 10 === 0 ? 300 : 80))]);
  expect(lasting).toEqual([FLAT]);
  expect({ maxMiB, samples }).toEqual({ maxMiB: 300, samples: 91 });
});

test("a leak shows: the middle of the first third against the middle of the last", () => {
  expect(measureMemory([life(0, 90, (second) => 100 + second)]).lasting).toEqual([
    { firstThirdMiB: 115, lastThirdMiB: 175, firstThirdHeapMiB: 11.5, lastThirdHeapMiB: 17.5 },
  ]);
});

test("only processes that lived through the round are compared, but the most is over all", () => {
  const whole = life(2, 88, () => 80);
  const { lasting, maxMiB } = measureMemory([life(0, 40, () => 70), whole, life(41, 90, () => 500), []]);
  expect(lasting).toEqual([FLAT]);
  expect(maxMiB).toBe(500);
});

test("a process that was frozen in between is compared by the samples there are", () => {
  const samples = life(0, 90, () => 80).filter(({ atMs }) => atMs < 20_000 || atMs > 75_000);
  expect(measureMemory([samples]).lasting).toHaveLength(1);
});

test("rounds are put together by the medians of their processes", () => {
  const round = (first: number, last: number): ReturnType<typeof measureMemory> =>
    measureMemory([life(0, 90, (second) => (second < 45 ? first : last))]);
  expect(summariseMemory([round(80, 90), round(100, 200), round(85, 95)])).toEqual({
    samples: 273,
    lasting: 3,
    firstThirdMiB: 85,
    lastThirdMiB: 95,
    firstThirdHeapMiB: 8.5,
    lastThirdHeapMiB: 9.5,
    maxMiB: 200,
  });
  expect(summariseMemory([round(80, 90), round(90, 95)])).toMatchObject({ firstThirdMiB: 85, lastThirdMiB: 92.5 });
});

test("without a process that lasted there is nothing to compare", () => {
  const rss = { firstThirdMiB: null, lastThirdMiB: null };
  const nothing = { lasting: 0, ...rss, firstThirdHeapMiB: null, lastThirdHeapMiB: null };
  expect(summariseMemory([])).toEqual({ samples: 0, maxMiB: 0, ...nothing });
  const gaps = measureMemory([life(0, 40, () => 70), life(41, 90, () => 75), []]);
  expect(summariseMemory([gaps])).toEqual({ samples: 91, maxMiB: 75, ...nothing });
});
