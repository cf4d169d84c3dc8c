import { describe, expect, it } from "vitest";
import { type Arrivals, measureArrivals, NO_ARRIVALS } from "./arrival-rate.ts";

/** Looks every 5 s at a stream that gets that many messages between one look and the next. */
function watch(counts: readonly number[]): Arrivals[] {
  let memory = NO_ARRIVALS;
  let added = 0;
  return counts.map((count, look) => {
    added += count;
    const measured = measureArrivals(memory, added, look * 5_000);
    memory = measured.memory;
    return measured.arrivals;
  });
}

const times = (looks: number, count: number): number[] => Array.from({ length: looks }, () => count);
const last = (all: readonly Arrivals[]): Arrivals => all.at(-1) as Arrivals;

describe("measureArrivals", () => {
  it("knows nothing at the first look", () => {
    expect(last(watch([1_000]))).toMatchObject({ fastPerSecond: 0, slowPerSecond: 0, outPerSecond: 0 });
  });

  it("finds a steady rate in both windows", () => {
    const arrivals = last(watch(times(40, 50)));
    expect(arrivals).toMatchObject({ fastPerSecond: 10, slowPerSecond: 10, jumpPerSecond: 0, inPerSecond: 10 });
  });

  it("believes a jump in proportion to how long it has lasted when adding, in full when taking away", () => {
    const seen = watch([...times(40, 50), ...times(4, 500)]).slice(40);
    expect(seen.map(({ jumpAgeMs }) => jumpAgeMs)).toEqual([5_000, 10_000, 15_000, 20_000]);
    const [first, , third] = seen as [Arrivals, Arrivals, Arrivals];
    expect(first.outPerSecond).toBeCloseTo(first.slowPerSecond + first.jumpPerSecond / 3);
    expect(first.inPerSecond).toBe(first.fastPerSecond);
    expect(third.outPerSecond).toBe(third.fastPerSecond);
    expect(third.fastPerSecond).toBe(100);
  });

  it("takes scatter for scatter", () => {
    const scattered = Array.from({ length: 60 }, (_, look) => 50 + (look % 5) * 4 - 8);
    expect(watch(scattered).filter(({ jumpPerSecond }) => jumpPerSecond > 0)).toEqual([]);
  });

  it("does not take two messages for a jump", () => {
    expect(last(watch([...times(100, 0), 2]))).toMatchObject({ jumpPerSecond: 0, jumpAgeMs: 0 });
  });

  it("watches a trickle for as long as it takes to see its rate", () => {
    const trickle = Array.from({ length: 180 }, (_, look) => (look % 20 === 0 ? 1 : 0));
    const { slowPerSecond } = last(watch(trickle));
    expect(slowPerSecond).toBeGreaterThan(0.008);
    expect(slowPerSecond).toBeLessThan(0.012);
  });

  it("forgets an old rate once the new one is certain", () => {
    expect(last(watch([...times(160, 1), ...times(24, 0)])).slowPerSecond).toBeLessThan(0.05);
  });

  it("remembers no more than the longest window needs", () => {
    let memory = NO_ARRIVALS;
    for (let look = 0; look < 1_000; look++) memory = measureArrivals(memory, look, look * 5_000).memory;
    expect(memory.samples.length).toBeLessThanOrEqual(181);
  });
});
