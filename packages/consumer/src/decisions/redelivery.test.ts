import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  decideMaxDeliveries,
  decideRedelivery,
  isKeptHere,
  type Redelivery,
  type ReturnedMessage,
} from "./redelivery.ts";

const policy = { baseMs: 1_000, capMs: 60_000 };
const failed: ReturnedMessage = { mode: "loop", deliveries: 1, isCounted: true, delayMs: undefined };

function delays(redelivery: Redelivery): { dueInMs: number; ripeInMs: number } {
  if (redelivery.kind === "dead-letter") throw new Error("dead-lettered");
  return { dueInMs: redelivery.dueInMs, ripeInMs: redelivery.ripeInMs };
}

const anyDeliveries = fc.integer({ min: 1, max: 2 ** 53 - 2 });
const anyChance = fc.double({ min: 0, max: 0.999, noNaN: true });
const anyPolicy = fc
  .tuple(fc.integer({ min: 1, max: 3_600_000 }), fc.integer({ min: 0, max: 86_400_000 }))
  .map(([baseMs, moreMs]) => ({ baseMs, capMs: baseMs + moreMs }));
const anyDelay = fc.option(fc.integer({ min: 0, max: 86_400_000 }), { nil: undefined });
const anyMode = fc.constantFrom("fetch" as const, "loop" as const);

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
    fc.assert(
      fc.property(anyDeliveries, anyChance, anyPolicy, (deliveries, chance, rule) => {
        const redelivery = decideRedelivery({ ...failed, deliveries }, Number.POSITIVE_INFINITY, rule, () => chance);
        const { dueInMs, ripeInMs } = delays(redelivery);
        expect(ripeInMs).toBe(dueInMs);
        expect(dueInMs).toBeGreaterThanOrEqual(rule.baseMs);
        expect(dueInMs).toBeLessThanOrEqual(rule.capMs);
      }),
    );
    const longest = (deliveries: number): number =>
      delays(decideRedelivery({ ...failed, deliveries }, 16, policy, () => 0.999)).dueInMs;
    expect(longest(3)).toBeGreaterThan(longest(2));
    expect(longest(4)).toBeGreaterThan(longest(3));
  });

  it("spreads the delay after the n-th delivery from the base to 2ⁿ times the base, and never beyond the cap", () => {
    const anyCount = fc.integer({ min: 1, max: 60 });
    fc.assert(
      fc.property(anyCount, anyChance, anyPolicy, (deliveries, chance, rule) => {
        const { dueInMs } = delays(decideRedelivery({ ...failed, deliveries }, 1_000, rule, () => chance));
        const longestMs = Math.min(rule.baseMs * 2 ** deliveries, rule.capMs);
        expect(dueInMs).toBeGreaterThanOrEqual(rule.baseMs);
        expect(dueInMs).toBeLessThanOrEqual(longestMs);
        // Chance decides where in between, so that what failed together is not redelivered together.
        const late = delays(decideRedelivery({ ...failed, deliveries }, 1_000, rule, () => 1)).dueInMs;
        const early = delays(decideRedelivery({ ...failed, deliveries }, 1_000, rule, () => 0)).dueInMs;
        expect([early, late]).toEqual([rule.baseMs, longestMs]);
      }),
    );
  });

  it("keeps the delay that was asked for", () => {
    expect(delays(decideRedelivery({ ...failed, delayMs: 5 }, 16, policy, () => 0.5))).toEqual({
      dueInMs: 5,
      ripeInMs: 5,
    });
  });

  it("dead-letters after the last delivery, whatever delay was asked for, and never goes on for ever", () => {
    for (const delayMs of [undefined, 5]) {
      const fate = (deliveries: number): string =>
        decideRedelivery({ ...failed, deliveries, delayMs }, 16, policy, () => 0.5).kind;
      expect(fate(15)).toBe("defer");
      expect(fate(16)).toBe("dead-letter");
      expect(fate(2 ** 53)).toBe("dead-letter");
    }
  });

  it("offers a message that always fails exactly maxDeliveries times", () => {
    const attempts = fc.array(fc.record({ delayMs: anyDelay, chance: anyChance }), { minLength: 60, maxLength: 60 });
    fc.assert(
      fc.property(anyMode, fc.integer({ min: 1, max: 50 }), anyPolicy, attempts, (mode, most, rule, given) => {
        const deadLetteredAfter = given.findIndex(({ delayMs, chance }, index) => {
          const returned = { mode, deliveries: index + 1, isCounted: true, delayMs };
          return decideRedelivery(returned, most, rule, () => chance).kind === "dead-letter";
        });
        expect(deadLetteredAfter + 1).toBe(most);
      }),
    );
  });

  it("never dead-letters what was cut short or spared: only a failure counts", () => {
    const anyMax = fc.integer({ min: 1, max: 1_000_000 });
    fc.assert(
      fc.property(anyMode, anyDeliveries, anyDelay, anyMax, (mode, deliveries, delayMs, maxDeliveries) => {
        const returned = { mode, deliveries, isCounted: false, delayMs };
        expect(decideRedelivery(returned, maxDeliveries, policy, () => 0.5).kind).toBe("defer");
      }),
    );
  });

  it("does not dead-letter for a delivery that nobody has called failed", () => {
    const returned = { ...failed, deliveries: 16, isCounted: false };
    expect(decideRedelivery(returned, 16, policy, () => 0.5).kind).toBe("defer");
  });
});

describe("isKeptHere", () => {
  it("is for a few seconds, and for less than the lease that guards the message", () => {
    expect(isKeptHere(5_000, 60_000)).toBe(true);
    expect(isKeptHere(5_001, 60_000)).toBe(false);
    expect(isKeptHere(1_000, 2_000)).toBe(true);
    expect(isKeptHere(1_001, 2_000)).toBe(false);
  });
});

describe("decideMaxDeliveries", () => {
  it("is 16 in loops and unlimited under fetch(), unless it is given", () => {
    expect(decideMaxDeliveries("loop", undefined)).toBe(16);
    expect(decideMaxDeliveries("fetch", undefined)).toBe(Number.POSITIVE_INFINITY);
    expect(decideMaxDeliveries("fetch", 3)).toBe(3);
  });
});
