import * as fc from "fast-check";
import { expect, it } from "vitest";
import { decideCountPage } from "./count-page.ts";

it("counting ends, reads no more than its limit, and of large payloads few", () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 2_000_000 }), { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(sizes, fc.integer({ min: 1, max: 5_000 }), (payloads, limit) => {
      let [entries, bytes, largest] = [0, 0, 0];
      for (;;) {
        const count = decideCountPage({ entries, bytes }, limit);
        if (count === 0) break;
        expect(count).toBeGreaterThan(0);
        let page = 0;
        for (let index = 0; index < count; index++) page += payloads[(entries + index) % payloads.length] ?? 1;
        entries += count;
        bytes += page;
        largest = Math.max(largest, page);
      }
      expect(entries).toBeLessThanOrEqual(limit);
      // The bound, and the one page that crossed it.
      expect(bytes - largest).toBeLessThanOrEqual(4_194_304);
    }),
  );
});

it("small entries are counted in large pages", () => {
  expect(decideCountPage({ entries: 10, bytes: 1_000 }, 1_000)).toBe(500);
  expect(decideCountPage({ entries: 10, bytes: 10_000_000 }, 1_000)).toBe(0);
});
