import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Decision } from "../../decisions/decision.ts";
import { heedDecision, isActive, isFresh, METRIC_SPEC, metricValue, type Standing } from "./answers.ts";

const decision = (current: number, desired: number): Decision => ({
  ...{ strategy: "ratio", current, desired, rate: 0, reason: "a test", binding: "rule" },
  direction: current === desired ? "NO_SCALE" : desired > current ? "OUT" : "IN",
  terms: { scaleOutRate: 50, scaleInRate: 10 },
  inputs: { waiting: 0, pending: 0, consumers: current, elsewhere: 0 },
});

/** The autoscaler's rule for an external metric with an average value, without tolerance. */
const replicasOf = (total: number, target: number): number => Math.ceil(total / target);

describe("heedDecision", () => {
  it("repeats what was ordered while nothing else is: the autoscaler may be on its way", () => {
    const ordered = heedDecision(null, decision(5, 14), 0);
    expect(heedDecision(ordered, decision(9, 9), 5_000)).toEqual({ desired: 14, atMs: 5_000 });
    expect(heedDecision(ordered, decision(14, 12), 5_000)).toEqual({ desired: 12, atMs: 5_000 });
  });

  it("begins with what there is", () => {
    expect(heedDecision(null, decision(3, 3), 7)).toEqual({ desired: 3, atMs: 7 });
  });
});

describe("the answers", () => {
  it("lead the autoscaler to exactly what was decided, whichever field it reads", () => {
    fc.assert(
      fc.property(fc.nat(100_000), (desired) => {
        const value = metricValue({ desired, atMs: 0 });
        // As KEDA chooses between them: the fraction where there is one, else the whole number.
        const read = value.metricValueFloat > 0 ? value.metricValueFloat : value.metricValue;
        expect(replicasOf(read, METRIC_SPEC.targetSizeFloat)).toBe(desired);
        expect(replicasOf(value.metricValue, METRIC_SPEC.targetSize)).toBe(desired);
      }),
    );
  });

  it("are active for as long as there is to be any", () => {
    expect([0, 1, 9].map((desired) => isActive({ desired, atMs: 0 }))).toEqual([false, true, true]);
  });

  it("are believed until they are too old, and never before there is one", () => {
    const standing: Standing = { desired: 2, atMs: 1_000 };
    expect([1_000, 61_000, 61_001].map((nowMs) => isFresh(standing, 60_000, nowMs))).toEqual([true, true, false]);
    expect(isFresh(null, 60_000, 0)).toBe(false);
  });
});
