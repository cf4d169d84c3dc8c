import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compareEntryIds } from "./entry-id.ts";
import { encodePlacedId, type Placed, parsePlacedId, placeBehind, startIn } from "./placed-id.ts";

const PARTITIONS = 4;
const placed = fc.record({
  partition: fc.nat({ max: PARTITIONS - 1 }),
  id: fc.tuple(fc.nat({ max: 3 }), fc.nat({ max: 2 })).map(([ms, sequence]) => `${ms + 1}-${sequence}`),
});
const comparePlaced = (one: Placed, other: Placed): number =>
  compareEntryIds(one.id, other.id) || (one.partition ?? 0) - (other.partition ?? 0);
const texts = (all: readonly Placed[]): string[] => all.map(encodePlacedId);

describe("ids in a stream with partitions", () => {
  test("are read as they are written", () => {
    expect(parsePlacedId("3/1700000000000-0")).toEqual({ partition: 3, id: "1700000000000-0" });
    expect(parsePlacedId("1700000000000-0")).toEqual({ partition: null, id: "1700000000000-0" });
    for (const wrong of ["", "3/", "/1-0", "03/1-0", "-1/1-0", "3/4/1-0", "3/1", "1000/1-0", "orders/3.9"])
      expect([wrong, parsePlacedId(wrong)]).toEqual([wrong, null]);
    fc.assert(
      fc.property(placed, (one) => {
        expect(parsePlacedId(encodePlacedId(one))).toEqual(one);
      }),
    );
  });

  test("page by page each comes once, in order, whichever way", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(placed, { selector: encodePlacedId, maxLength: 40 }),
        fc.integer({ min: 1, max: 5 }),
        fc.boolean(),
        (all, limit, newestFirst) => {
          const sorted = all.toSorted(comparePlaced);
          const expected = newestFirst ? sorted.toReversed() : sorted;
          const walk = { partitions: PARTITIONS, newestFirst };
          const seen: Placed[] = [];
          let from: Placed | null = { partition: null, id: newestFirst ? "9-9" : "0-0" };
          while (from !== null) {
            const begin: Placed = from;
            // What each partition gives from where it starts, merged: the first ones are the page.
            const page = expected
              .filter((one) => {
                const start = startIn(one.partition, begin, newestFirst);
                if (start === null) return false;
                const order = comparePlaced({ ...one, partition: 0 }, { partition: 0, id: start });
                return newestFirst ? order <= 0 : order >= 0;
              })
              .slice(0, limit);
            seen.push(...page);
            const last = page.at(-1);
            from = last === undefined ? null : placeBehind(last, walk);
          }
          expect(texts(seen)).toEqual(texts(expected));
        },
      ),
    );
  });

  test("end before the first and behind the last", () => {
    const last = "18446744073709551615-18446744073709551615";
    expect(placeBehind({ partition: 3, id: last }, { partitions: 4, newestFirst: false })).toBeNull();
    expect(placeBehind({ partition: 0, id: "0-0" }, { partitions: 4, newestFirst: true })).toBeNull();
    expect(placeBehind({ partition: null, id: "1-1" }, { partitions: null, newestFirst: false })).toEqual({
      partition: null,
      id: "1-2",
    });
  });
});
