import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decideRedelivery } from "./redelivery.ts";

const policy = { baseMs: 1_000, capMs: 60_000 };

describe("decideRedelivery", () => {
  it("is due at once under fetch(), but makes no batch by itself for the base delay", () => {
    expect(decideRedelivery("fetch", 7, policy, () => 0.9)).toEqual({ dueInMs: 0, ripeInMs: 1_000 });
  });

  it("waits longer with every delivery in a loop, between base and cap", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2 ** 53 - 1 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (deliveries, chance) => {
          const { dueInMs, ripeInMs } = decideRedelivery("loop", deliveries, policy, () => chance);
          expect(ripeInMs).toBe(dueInMs);
          expect(dueInMs).toBeGreaterThanOrEqual(policy.baseMs);
          expect(dueInMs).toBeLessThanOrEqual(policy.capMs);
        },
      ),
    );
    const longest = (deliveries: number): number => decideRedelivery("loop", deliveries, policy, () => 0.999).dueInMs;
    expect(longest(3)).toBeGreaterThan(longest(2));
    expect(longest(4)).toBeGreaterThan(longest(3));
  });
});
