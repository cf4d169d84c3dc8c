/** What the test for growth says of thousands of generated loads. */
import { type SeededRandom, seededRandom } from "@redis-batch/test-support";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isGrowing, LEAST_PASSES } from "./growth.ts";

const LOADS = 10_000;
const PASSES = 75;
const rules = { passes: PASSES, leastNoise: 1 };

interface Load {
  /** Messages that are added, and that can be worked off, from pass to pass; each with uniform noise of ±20 %. */
  readonly added: number;
  readonly workedOff: number;
  readonly backlog: number;
  readonly passes: number;
}

/** What is said at each pass. */
function watch({ added, workedOff, backlog, passes }: Load, random: SeededRandom): boolean[] {
  const noisy = (mean: number): number => Math.round(mean * (0.8 + 0.4 * random.next()));
  let now = backlog;
  let said = false;
  const values = [now];
  return Array.from({ length: passes }, () => {
    now = Math.max(now + noisy(added) - noisy(workedOff), 0);
    values.push(now);
    if (values.length > PASSES + 1) values.shift();
    said = isGrowing(values, said, rules);
    return said;
  });
}

describe("an overload of 10 % behind noise of ±20 % on both sides", () => {
  it.each([{ backlog: 2_000 }, { backlog: 0 }])(
    "is growth within 75 passes in 95 % of 10,000 loads that begin with $backlog, and stays so",
    ({ backlog }) => {
      const random = seededRandom(91);
      const load = { added: 500, workedOff: 450, backlog, passes: 2 * PASSES };
      const told = Array.from({ length: LOADS }, () => watch(load, random));
      const firsts = told.map((said) => said.indexOf(true));
      const seen = told.filter((_, index) => (firsts[index] ?? -1) >= 0 && (firsts[index] ?? 0) < PASSES);
      expect(seen.length).toBeGreaterThan(0.95 * LOADS);
      const lasting = seen.filter((said) => said.slice(said.indexOf(true)).every(Boolean));
      expect(lasting.length).toBeGreaterThan(0.99 * seen.length);
    },
  );
});

describe("a steady load with the same noise", () => {
  it.each([
    { backlog: 100_000, what: "of which much waits" },
    { backlog: 0, what: "of which nothing waits at first" },
  ])("$what is called growing in fewer than 1 of 1,000 windows", ({ backlog }) => {
    const random = seededRandom(92);
    const load = { added: 500, workedOff: 500, backlog, passes: PASSES };
    const told = Array.from({ length: LOADS }, () => watch(load, random));
    expect(told.filter((said) => said.some(Boolean)).length).toBeLessThan(LOADS / 1_000);
  });
});

describe("isGrowing", () => {
  const series = (changes: readonly number[]): number[] =>
    changes.reduce((all, by) => [...all, (all.at(-1) ?? 0) + by], [1_000]);

  it("needs no long look at what grows without noise", () => {
    expect(isGrowing(series(Array(LEAST_PASSES - 1).fill(50)), false, rules)).toBe(true);
    expect(isGrowing(series(Array(LEAST_PASSES - 2).fill(50)), false, rules)).toBe(false);
  });

  it("takes one burst, however large, for no growth", () => {
    const burst = [0, 0, 0, 0, 0, 100_000, 0, 0, 0];
    for (let end = 1; end <= burst.length; end++)
      expect(isGrowing(series(burst.slice(0, end)), false, rules)).toBe(false);
  });

  it("takes a message more or less for chance", () => {
    expect(isGrowing(series([1, 1, 0, 1, 1, 0, 1]), false, rules)).toBe(false);
  });

  it("ends when what grew shrinks again, long before it is worked off", () => {
    const random = seededRandom(93);
    const noise = (): number => 100 * (random.next() - 0.5);
    const grown = Array.from({ length: PASSES }, () => 50 + noise());
    expect(isGrowing(series(grown), true, rules)).toBe(true);
    const shrinking = [...grown, ...Array.from({ length: 15 }, () => -50 + noise())];
    expect(isGrowing(series(shrinking.slice(-PASSES)), true, rules)).toBe(false);
  });

  it("never calls growing what has become less, or stayed as it was", () => {
    const property = fc.check(
      fc.property(fc.array(fc.nat(1_000_000), { minLength: 2, maxLength: 80 }), fc.boolean(), (values, before) => {
        const hasGrown = (values.at(-1) ?? 0) > (values[0] ?? 0);
        return hasGrown || !isGrowing(values, before, rules);
      }),
    );
    expect(property.counterexample).toBeNull();
  });

  it("never says no because of more at the last pass", () => {
    const values = fc.array(fc.nat(200), { minLength: 2, maxLength: 80 });
    const property = fc.check(
      fc.property(values, fc.boolean(), fc.integer({ min: 1, max: 10_000 }), (some, before, more) => {
        const last = some.at(-1) ?? 0;
        const worse = [...some.slice(0, -1), last + more];
        // A 0 at the end is the end of what grew, not a time in between at which it was empty.
        return last === 0 || !isGrowing(some, before, rules) || isGrowing(worse, before, rules);
      }),
      { numRuns: 5_000 },
    );
    expect(property.counterexample).toBeNull();
  });

  it("goes by the changes alone, not by how much waits", () => {
    const values = fc.array(fc.integer({ min: 1, max: 10_000 }), { minLength: 2, maxLength: 80 });
    fc.assert(
      fc.property(values, fc.boolean(), fc.integer({ min: 1, max: 1_000_000 }), (some, before, more) => {
        const higher = some.map((value) => value + more);
        expect(isGrowing(higher, before, rules)).toBe(isGrowing(some, before, rules));
      }),
    );
  });
});
