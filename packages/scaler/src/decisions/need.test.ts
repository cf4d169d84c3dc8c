import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { consumersFor, type Load, measureNeed } from "./need.ts";

const steady = {
  fastPerSecond: 100,
  slowPerSecond: 100,
  jumpAgeMs: 0,
  jumpPerSecond: 0,
  outPerSecond: 100,
  inPerSecond: 100,
};
const load: Load = {
  ...{ arrivals: steady, perConsumerPerSecond: 20, backlog: 0, ready: 6, startingMs: [], leadMs: 15_000 },
  ...{ batchSize: 20, isPartitioned: false },
};

describe("measureNeed", () => {
  it("divides what arrives by what one consumer does at the chosen utilisation", () => {
    const need = measureNeed(load, 30_000, 0.8);
    expect(need.forArrivals).toBeCloseTo(100 / (20 * 0.8));
    expect(need.forBacklog).toBe(0);
  });

  it("counts what waits, and what comes until help is there, less what is worked off until then", () => {
    const need = measureNeed({ ...load, backlog: 1_000 }, 30_000, null);
    expect(need.leftover).toBeCloseTo(1_000 + 100 * 15 - 20 * 6 * 15);
    expect(need.forBacklog).toBeCloseTo(700 / (20 * 15));
  });

  it("counts those on their way for the part in which they will help, and not those that are overdue", () => {
    const leftover = (startingMs: readonly number[]): number =>
      measureNeed({ ...load, backlog: 1_000, startingMs }, 30_000, null).leftover;
    expect(leftover([10_000])).toBeCloseTo(700 - 20 * 10);
    expect(leftover([0])).toBeCloseTo(700);
    expect(leftover([50_000])).toBeCloseTo(700);
  });

  it("never aims to be done sooner than a start takes", () => {
    expect(measureNeed(load, 30_000, null).drainMs).toBe(15_000);
    expect(measureNeed({ ...load, leadMs: 60_000 }, 30_000, null).drainMs).toBe(60_000);
  });

  it.each([
    [4_000, 0.74],
    [15_000, 0.835],
    [30_000, 0.93],
  ])("keeps a reserve while a start is slow against the objective: %i ms → %f", (objectiveMs, utilisation) => {
    expect(measureNeed(load, objectiveMs, null).utilisation).toBeCloseTo(utilisation);
  });

  it("keeps a reserve for the slowest owner of partitions, however quick a start is", () => {
    expect(measureNeed({ ...load, isPartitioned: true }, 300_000, null).utilisation).toBeCloseTo(0.8);
    expect(measureNeed({ ...load, isPartitioned: true }, 4_000, null).utilisation).toBeCloseTo(0.74);
  });

  it("expects a jump to last three times as long as it has lasted, but counts it no further than a start takes", () => {
    const leftover = (jumpAgeMs: number): number =>
      measureNeed({ ...load, arrivals: { ...steady, jumpPerSecond: 50, jumpAgeMs } }, 30_000, null).leftover;
    expect(leftover(4_000)).toBeCloseTo(100 * 15 + 50 * 12 - 20 * 6 * 15);
    expect(leftover(60_000)).toBeCloseTo(100 * 15 + 50 * 15 - 20 * 6 * 15);
  });
});

describe("consumersFor", () => {
  // A job at a time, of eight seconds.
  const jobs = { perConsumerPerSecond: 1 / 8, batchSize: 1 };

  it("has one free in time where a batch takes a good part of the objective", () => {
    expect(Math.ceil(consumersFor(0.04, jobs, 35_000, 0.93))).toBe(2);
    expect(Math.ceil(consumersFor(0.12, jobs, 35_000, 0.93))).toBe(3);
  });

  it("is busy as it should be where it does not", () => {
    expect(consumersFor(100, { perConsumerPerSecond: 20, batchSize: 20 }, 60_000, 0.9)).toBeCloseTo(5 / 0.9);
  });

  it("wants none without arrivals, more for more of them, and no crowd where no number would do", () => {
    const some = fc.record({
      perConsumerPerSecond: fc.double({ min: 0.01, max: 1_000, noNaN: true }),
      batchSize: fc.integer({ min: 1, max: 10_000 }),
    });
    const rates = fc.double({ min: 0, max: 1_000, noNaN: true });
    fc.assert(
      fc.property(some, rates, rates, fc.integer({ min: 1, max: 3_600_000 }), (each, one, other, objectiveMs) => {
        const [few, many] = [Math.min(one, other), Math.max(one, other)];
        const wanted = consumersFor(many, each, objectiveMs, 0.93);
        expect(consumersFor(0, each, objectiveMs, 0.93)).toBe(0);
        expect(wanted).toBeGreaterThanOrEqual(consumersFor(few, each, objectiveMs, 0.93));
        expect(wanted).toBeLessThanOrEqual(1 + (2 * many) / each.perConsumerPerSecond + 1e-9);
      }),
    );
  });
});
