import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { assignPartitions } from "./ownership.ts";

describe("assignPartitions", () => {
  it("moves as few as it must", () => {
    expect(assignPartitions([null, null, null], ["a", "b"])).toEqual(["a", "b", "a"]);
    expect(assignPartitions(["a", "a", "a", "a"], ["a", "b"])).toEqual(["a", "a", "b", "b"]);
    expect(assignPartitions(["a", "b", "c"], ["a", "c"])).toEqual(["a", "a", "c"]);
    expect(assignPartitions(["a", "b"], [])).toEqual([null, null]);
  });

  it("leaves no partition without an owner, is even, and changes nothing that is", () => {
    const members = fc.uniqueArray(fc.integer({ min: 0, max: 20 }), { minLength: 1, maxLength: 15 });
    const owners = fc.array(fc.option(fc.integer({ min: 0, max: 20 })), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(owners, members, (before, all) => {
        const after = assignPartitions(before, all);
        const counts = all.map((member) => after.filter((owner) => owner === member).length);
        expect(counts.reduce((sum, count) => sum + count, 0)).toBe(before.length);
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
        expect(assignPartitions(after, all)).toEqual(after);
        // Nobody gives one up but for a share that others lack.
        const least = Math.floor(before.length / all.length);
        for (const member of all) {
          const [had, kept] = [before, after].map((list) => list.filter((owner) => owner === member).length);
          expect(kept).toBeGreaterThanOrEqual(Math.min(had ?? 0, least));
        }
      }),
    );
  });
});
