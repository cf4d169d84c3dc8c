import { describe, expect, it } from "vitest";
import { type Load, measureNeed } from "./need.ts";

const steady = {
  fastPerSecond: 100,
  slowPerSecond: 100,
  jumpAgeMs: 0,
  jumpPerSecond: 0,
  outPerSecond: 100,
  inPerSecond: 100,
};
const load: Load = { arrivals: steady, perConsumerPerSecond: 20, backlog: 0, ready: 6, startingMs: [], leadMs: 15_000 };

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
    [4_000, 0.7],
    [30_000, 0.85],
    [85_000, 0.92],
  ])("keeps a reserve while a start is slow against the objective: %i ms → %f", (objectiveMs, utilisation) => {
    expect(measureNeed(load, objectiveMs, null).utilisation).toBeCloseTo(utilisation);
  });
});
