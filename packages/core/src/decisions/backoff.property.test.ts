import * as fc from "fast-check";
import { expect, test } from "vitest";
import { backoffDelayMs } from "./backoff.ts";

const policies = fc
  .tuple(fc.integer({ min: 1, max: 3_600_000 }), fc.integer({ min: 1, max: 86_400_000 }))
  .map(([baseMs, capMs]) => ({ baseMs, capMs: Math.max(baseMs, capMs) }));
const attempts = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }));
const chances = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

test("a delay is never shorter than the base nor longer than the cap", () => {
  fc.assert(
    fc.property(attempts, policies, chances, (attempt, policy, chance) => {
      const delayMs = backoffDelayMs(attempt, policy, () => chance);
      expect(Number.isFinite(delayMs)).toBe(true);
      expect(delayMs).toBeGreaterThanOrEqual(policy.baseMs);
      expect(delayMs).toBeLessThanOrEqual(policy.capMs);
    }),
  );
});

test("with the same luck a later attempt never waits less", () => {
  fc.assert(
    fc.property(attempts, policies, chances, (attempt, policy, chance) => {
      const delayMs = backoffDelayMs(attempt, policy, () => chance);
      expect(backoffDelayMs(attempt + 1, policy, () => chance)).toBeGreaterThanOrEqual(delayMs);
    }),
  );
});

test("a cap below the base holds", () => {
  fc.assert(
    fc.property(attempts, chances, (attempt, chance) => {
      expect(backoffDelayMs(attempt, { baseMs: 1_000, capMs: 10 }, () => chance)).toBe(10);
    }),
  );
});

test("the ceiling doubles from attempt to attempt up to the cap", () => {
  const ceilings = [1, 2, 3, 4, 5].map((attempt) => backoffDelayMs(attempt, { baseMs: 100, capMs: 1_000 }, () => 1));
  expect(ceilings).toEqual([100, 200, 400, 800, 1_000]);
});

test("an attempt before the first waits as the first", () => {
  expect(backoffDelayMs(0, { baseMs: 100, capMs: 1_000 }, () => 1)).toBe(100);
});
