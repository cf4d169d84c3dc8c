import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DeferredQueue } from "./deferred-queue.ts";

describe("DeferredQueue", () => {
  it("releases what is due first, whatever the order it came in", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 50 })), (times) => {
        const queue = new DeferredQueue();
        for (const [index, dueAtMs] of times.entries()) {
          queue.push({
            id: `${index}-0`,
            deliveries: 1,
            dueAtMs,
            ripeAtMs: dueAtMs,
            isSuspect: false,
            hasFailedHere: false,
          });
        }
        const out: number[] = [];
        for (let next = queue.peek(); next !== undefined; next = queue.peek()) {
          expect(queue.pop()).toBe(next);
          out.push(next.dueAtMs);
        }
        expect(out).toEqual(times.toSorted((a, b) => a - b));
        expect(queue.pop()).toBeUndefined();
      }),
    );
  });
});
