import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Latencies } from "./latencies.ts";

describe("latencies", () => {
  it("are at most a hundredth above the true quantile, and never below it", () => {
    const seconds = fc.double({ min: 0.001, max: 1_000_000, noNaN: true });
    const share = fc.constantFrom(0.5, 0.9, 0.99, 1);
    fc.assert(
      fc.property(fc.array(seconds, { minLength: 1, maxLength: 300 }), share, (all, wanted) => {
        const latencies = new Latencies();
        for (const each of all) latencies.add(each);
        const exact = all.toSorted((a, b) => a - b)[Math.ceil(wanted * all.length) - 1] as number;
        // A little more, for the last digits of logarithms.
        expect(latencies.quantile(wanted)).toBeGreaterThanOrEqual(exact * (1 - 1e-9));
        expect(latencies.quantile(wanted)).toBeLessThanOrEqual(exact * 1.01 * (1 + 1e-9));
      }),
    );
  });

  it("are 0 where there are none, and no less than a millisecond where there are", () => {
    const latencies = new Latencies();
    expect(latencies.quantile(0.99)).toBe(0);
    latencies.add(0);
    expect(latencies.quantile(0.99)).toBe(0.001);
  });
});
