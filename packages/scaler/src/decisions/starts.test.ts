import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { followStarts, NO_STARTS, type StartsMemory } from "./starts.ts";

describe("followStarts", () => {
  it("tells since when those that do not work yet were ordered, and how long the others took", () => {
    let starts = followStarts(NO_STARTS, 3, 1, 1_000);
    expect(starts.orderedAtMs).toEqual([1_000, 1_000]);
    starts = followStarts(starts, 4, 1, 6_000);
    expect(starts.orderedAtMs).toEqual([1_000, 1_000, 6_000]);
    starts = followStarts(starts, 4, 3, 11_000);
    expect(starts).toMatchObject({ orderedAtMs: [6_000], startUpsMs: [10_000, 10_000] });
    starts = followStarts(starts, 4, 4, 12_000);
    expect(starts).toMatchObject({ orderedAtMs: [], startUpsMs: [10_000, 10_000, 6_000] });
  });

  it("times a start from its order, where that is noted as well as the looks", () => {
    let starts = followStarts(NO_STARTS, 1, 1, 5_000);
    starts = followStarts(starts, 2, 1, 5_000);
    starts = followStarts(starts, 2, 1, 10_000);
    expect(starts.orderedAtMs).toEqual([5_000]);
    expect(followStarts(starts, 2, 2, 15_000).startUpsMs).toEqual([10_000]);
    // An order that was not carried out.
    expect(followStarts(starts, 1, 1, 15_000)).toMatchObject({ orderedAtMs: [], startUpsMs: [] });
  });

  it("takes back those ordered last, which have not started for so long", () => {
    const two = followStarts(followStarts(NO_STARTS, 2, 0, 0), 4, 0, 5_000);
    expect(followStarts(two, 3, 0, 6_000)).toMatchObject({ orderedAtMs: [0, 0, 5_000], startUpsMs: [] });
    expect(followStarts(two, 1, 1, 6_000)).toMatchObject({ orderedAtMs: [], startUpsMs: [6_000] });
  });

  it("takes one that fell silent for starting again", () => {
    const all = followStarts(followStarts(NO_STARTS, 2, 1, 0), 2, 2, 3_000);
    expect(followStarts(all, 2, 1, 9_000)).toMatchObject({ orderedAtMs: [9_000], startUpsMs: [3_000] });
  });

  it("awaits exactly as many as do not work, and no start takes less than nothing", () => {
    const looks = fc.array(fc.record({ desired: fc.nat(20), ready: fc.nat(25), afterMs: fc.nat(60_000) }));
    fc.assert(
      fc.property(looks, (seen) => {
        let nowMs = 0;
        seen.reduce<StartsMemory>((before, { desired, ready, afterMs }) => {
          nowMs += afterMs;
          const starts = followStarts(before, desired, ready, nowMs);
          expect(starts.orderedAtMs).toHaveLength(Math.max(0, desired - ready));
          expect(starts.orderedAtMs).toEqual(starts.orderedAtMs.toSorted((a, b) => a - b));
          expect(starts.startUpsMs.every((tookMs) => tookMs >= 0)).toBe(true);
          expect(starts.startUpsMs.length).toBeLessThanOrEqual(20);
          return starts;
        }, NO_STARTS);
      }),
    );
  });
});
