import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decideRatio, scaleRate } from "./ratio.ts";

const thresholds = { scaleOutRate: 60, scaleInRate: 20 };

function decide(waiting: number, pending: number, consumers: number, limits = thresholds): [number, string] {
  const rate = scaleRate(waiting, pending);
  return [rate, decideRatio(rate, waiting, consumers, limits)];
}

describe("the ratio rule", () => {
  it.each([
    { waiting: 11, pending: 83, rate: 13.253, direction: "IN" },
    { waiting: 18, pending: 79, rate: 22.7848, direction: "NO_SCALE" },
    { waiting: 60, pending: 100, rate: 60, direction: "OUT" },
    { waiting: 20, pending: 100, rate: 20, direction: "NO_SCALE" },
    { waiting: 500, pending: 10, rate: 100, direction: "OUT" },
    { waiting: 0, pending: 50, rate: 1, direction: "IN" },
    { waiting: 1, pending: 100_000, rate: 1, direction: "IN" },
    { waiting: 1, pending: 0, rate: 0, direction: "OUT" },
    { waiting: 0, pending: 0, rate: 0, direction: "NO_SCALE" },
  ])("$waiting waiting, $pending pending → $rate, $direction", ({ waiting, pending, rate, direction }) => {
    expect(decide(waiting, pending, 5)).toEqual([rate, direction]);
  });

  it.each([0, 1])("does not take the last consumer away (of %i)", (consumers) => {
    expect(decide(0, 50, consumers)).toEqual([1, "NO_SCALE"]);
  });

  it("adds one where the last consumer may not go and both thresholds are 0", () => {
    expect(decide(0, 50, 1, { scaleOutRate: 0, scaleInRate: 0 })).toEqual([1, "OUT"]);
  });

  it("scales in between equal thresholds up to them, out from them on", () => {
    const equal = { scaleOutRate: 50, scaleInRate: 50 };
    expect(decide(49, 100, 2, equal)[1]).toBe("IN");
    expect(decide(50, 100, 2, equal)[1]).toBe("OUT");
  });

  it("gives rates from 1 to 100, or 0 exactly when nothing is pending", () => {
    const count = fc.nat(1_000_000);
    fc.assert(
      fc.property(count, count, (waiting, pending) => {
        const rate = scaleRate(waiting, pending);
        expect(rate === 0).toBe(pending === 0);
        expect(rate === 0 || rate >= 1).toBe(true);
        expect(rate).toBeLessThanOrEqual(100);
      }),
    );
  });

  it("never wants fewer consumers for more waiting messages", () => {
    const order = { IN: 0, NO_SCALE: 1, OUT: 2 };
    const count = fc.nat(10_000);
    const percent = fc.nat(100);
    fc.assert(
      fc.property(count, count, count, count, percent, percent, (waiting, more, pending, consumers, one, other) => {
        const limits = { scaleInRate: Math.min(one, other), scaleOutRate: Math.max(one, other) };
        const before = order[decide(waiting, pending, consumers, limits)[1] as keyof typeof order];
        const after = order[decide(waiting + more, pending, consumers, limits)[1] as keyof typeof order];
        expect(after).toBeGreaterThanOrEqual(before);
      }),
    );
  });
});
