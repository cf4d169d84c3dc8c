import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { asGoodAs, sharedEvenly } from "./bounds.ts";

const some = fc.integer({ min: 1, max: 200 });
const most = (consumers: number, partitions: number): number => Math.ceil(partitions / consumers);

describe("consumers of a stream with partitions", () => {
  it.each([
    [1, 1],
    [2, 2],
    [5, 6],
    [6, 6],
    [7, 12],
    [12, 12],
    [20, 20],
  ])("%i among 12 partitions are %i, so that nobody owns more than that allows", (consumers, even) => {
    expect(sharedEvenly(consumers, 12)).toBe(even);
  });

  it("are the fewest of which none owns more than its share, if there are as many partitions", () => {
    fc.assert(
      fc.property(some, some, (consumers, partitions) => {
        const even = sharedEvenly(consumers, partitions);
        fc.pre(consumers <= partitions);
        expect(even).toBeGreaterThanOrEqual(consumers);
        expect(most(even, partitions)).toBeLessThanOrEqual(partitions / consumers);
        const withOneLess = even === 1 ? Number.POSITIVE_INFINITY : most(even - 1, partitions);
        expect(withOneLess).toBeGreaterThan(partitions / consumers);
      }),
    );
  });

  it("are as good as the one with the most partitions", () => {
    expect([1, 6, 7, 11, 12, 30].map((consumers) => asGoodAs(consumers, 12))).toEqual([1, 6, 6, 6, 12, 12]);
    fc.assert(
      fc.property(some, some, (consumers, partitions) => {
        expect(asGoodAs(consumers, partitions)).toBeLessThanOrEqual(consumers + 1e-9);
        expect(asGoodAs(sharedEvenly(consumers, partitions), partitions)).toBeGreaterThanOrEqual(
          Math.min(consumers, partitions) - 1e-9,
        );
      }),
    );
  });

  it("are as many as there are without partitions", () => {
    expect([sharedEvenly(7, null), asGoodAs(7, null), sharedEvenly(0, 12), asGoodAs(0, 12)]).toEqual([7, 7, 0, 0]);
  });
});
