import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decideMaxDeliveries, decideRedelivery, type Redelivery, type ReturnedMessage } from "./redelivery.ts";

const policy = { baseMs: 1_000, capMs: 60_000 };
const failed: ReturnedMessage = { mode: "loop", deliveries: 1, isCounted: true, delayMs: undefined };

function delays(redelivery: Redelivery): { dueInMs: number; ripeInMs: number } {
  if (redelivery.kind === "bury") throw new Error("buried");
  return { dueInMs: redelivery.dueInMs, ripeInMs: redelivery.ripeInMs };
}

describe("decideRedelivery", () => {
  it("is due at once under fetch(), but makes no batch by itself for the base delay", () => {
    const returned = { ...failed, mode: "fetch", deliveries: 7 } as const;
    expect(decideRedelivery(returned, Number.POSITIVE_INFINITY, policy, () => 0.9)).toEqual({
      kind: "defer",
      dueInMs: 0,
      ripeInMs: 1_000,
    });
  });

  it("waits longer with every delivery in a loop, between base and cap", () => {
    const anyDeliveries = fc.integer({ min: 1, max: 2 ** 53 - 2 });
    const anyChance = fc.double({ min: 0, max: 0.999, noNaN: true });
    fc.assert(
      fc.property(anyDeliveries, anyChance, (deliveries, chance) => {
        const redelivery = decideRedelivery({ ...failed, deliveries }, Number.POSITIVE_INFINITY, policy, () => chance);
        const { dueInMs, ripeInMs } = delays(redelivery);
        expect(ripeInMs).toBe(dueInMs);
        expect(dueInMs).toBeGreaterThanOrEqual(policy.baseMs);
        expect(dueInMs).toBeLessThanOrEqual(policy.capMs);
      }),
    );
    const longest = (deliveries: number): number =>
      delays(decideRedelivery({ ...failed, deliveries }, 16, policy, () => 0.999)).dueInMs;
    expect(longest(3)).toBeGreaterThan(longest(2));
    expect(longest(4)).toBeGreaterThan(longest(3));
  });

  it("keeps the delay that was asked for", () => {
    expect(delays(decideRedelivery({ ...failed, delayMs: 5 }, 16, policy, () => 0.5))).toEqual({
      dueInMs: 5,
      ripeInMs: 5,
    });
  });

  it("buries after the last delivery, whatever delay was asked for, and never goes on for ever", () => {
    for (const delayMs of [undefined, 5]) {
      const fate = (deliveries: number): string =>
        decideRedelivery({ ...failed, deliveries, delayMs }, 16, policy, () => 0.5).kind;
      expect(fate(15)).toBe("defer");
      expect(fate(16)).toBe("bury");
      expect(fate(2 ** 53)).toBe("bury");
    }
  });

  it("does not bury for a delivery that nobody has called failed", () => {
    const returned = { ...failed, deliveries: 16, isCounted: false };
    expect(decideRedelivery(returned, 16, policy, () => 0.5).kind).toBe("defer");
  });
});

describe("decideMaxDeliveries", () => {
  it("is 16 in loops and unlimited under fetch(), unless it is given", () => {
    expect(decideMaxDeliveries("loop", undefined)).toBe(16);
    expect(decideMaxDeliveries("fetch", undefined)).toBe(Number.POSITIVE_INFINITY);
    expect(decideMaxDeliveries("fetch", 3)).toBe(3);
  });
});
