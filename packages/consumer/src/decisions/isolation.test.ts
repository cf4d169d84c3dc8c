import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decideLargestBatch, firstIsolated, isIsolated } from "./isolation.ts";

describe("decideLargestBatch", () => {
  it("halves the batch with each delivery, and offers alone for the last half of them", () => {
    const sizes = Array.from({ length: 16 }, (_, index) => decideLargestBatch(index + 1, 100, 16));
    expect(sizes).toEqual([100, 50, 25, 12, 6, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
  });

  it("never isolates where messages are never given up", () => {
    expect(decideLargestBatch(1_000, 100, Number.POSITIVE_INFINITY)).toBe(100);
  });

  it("never grows with the deliveries, and is never 0", () => {
    const positive = fc.integer({ min: 1, max: 10_000 });
    fc.assert(
      fc.property(positive, positive, positive, (deliveries, batchSize, maxDeliveries) => {
        const size = decideLargestBatch(deliveries, batchSize, maxDeliveries);
        expect(size).toBeGreaterThanOrEqual(1);
        expect(size).toBeLessThanOrEqual(batchSize);
        expect(decideLargestBatch(deliveries + 1, batchSize, maxDeliveries)).toBeLessThanOrEqual(size);
      }),
    );
  });
});

describe("isIsolated", () => {
  it("is for the last half of the deliveries", () => {
    const isolated = Array.from({ length: 16 }, (_, index) => index + 1).filter((n) => isIsolated(n, 16));
    expect(isolated).toEqual([9, 10, 11, 12, 13, 14, 15, 16]);
  });

  it("goes with a batch of one, stays once it is reached, and is never for a first delivery", () => {
    const positive = fc.integer({ min: 1, max: 10_000 });
    // Few, so that the halving alone has not come down to one before.
    const few = fc.integer({ min: 1, max: 12 });
    const anyMax = fc.oneof(few, fc.constant(Number.POSITIVE_INFINITY));
    fc.assert(
      fc.property(few, positive, anyMax, (deliveries, batchSize, maxDeliveries) => {
        expect(isIsolated(1, maxDeliveries)).toBe(false);
        if (!isIsolated(deliveries, maxDeliveries)) return;
        expect(maxDeliveries).not.toBe(Number.POSITIVE_INFINITY);
        expect(decideLargestBatch(deliveries, batchSize, maxDeliveries)).toBe(1);
        expect(isIsolated(deliveries + 1, maxDeliveries)).toBe(true);
      }),
    );
  });
});

describe("firstIsolated", () => {
  it("is the first delivery that is isolated, and infinite where none is", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000 }), (maxDeliveries) => {
        const first = firstIsolated(maxDeliveries);
        expect(isIsolated(first, maxDeliveries)).toBe(true);
        expect(isIsolated(first - 1, maxDeliveries)).toBe(false);
      }),
    );
    expect(firstIsolated(Number.POSITIVE_INFINITY)).toBe(Number.POSITIVE_INFINITY);
  });
});
