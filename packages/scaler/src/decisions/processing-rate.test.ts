import { addBatch, NO_WORK } from "@redis-batch/core/internal/groups";
import { describe, expect, it } from "vitest";
import { measureProcessing, NOTHING_PROCESSED, type ProcessingMemory } from "./processing-rate.ts";

/** Looks once after every batch. */
function watch(batches: readonly { size: number; busyMs: number }[], batchSize: number): ProcessingMemory {
  let totals = NO_WORK;
  let memory = measureProcessing(NOTHING_PROCESSED, totals, batchSize, 0);
  for (const [look, { size, busyMs }] of batches.entries()) {
    totals = addBatch(totals, size, busyMs);
    memory = measureProcessing(memory, totals, batchSize, (look + 1) * 5_000);
  }
  return memory;
}

describe("measureProcessing", () => {
  it("counts messages per second of busy time, however long a consumer waits between batches", () => {
    const full = Array.from({ length: 10 }, () => ({ size: 20, busyMs: 1_000 }));
    expect(watch(full, 20).perSecond).toBeCloseTo(20);
  });

  it("says nothing before three batches and a second of work", () => {
    expect(
      watch(
        Array.from({ length: 2 }, () => ({ size: 20, busyMs: 5_000 })),
        20,
      ).perSecond,
    ).toBe(0);
    expect(
      watch(
        Array.from({ length: 9 }, () => ({ size: 20, busyMs: 100 })),
        20,
      ).perSecond,
    ).toBe(0);
  });

  it("extends small batches to full ones where each batch has a cost of its own", () => {
    // 1 s a batch and 50 ms a message: 100 of them take 6 s.
    const small = Array.from({ length: 60 }, (_, index) => ({
      size: 5 + (index % 10),
      busyMs: 1_000 + 50 * (5 + (index % 10)),
    }));
    expect(watch(small, 100).perSecond).toBeCloseTo(100 / 6);
  });

  // A tenth of a second a batch, 50 ms a message, and more chance than that: full batches take 1.1 s.
  const tiny = (index: number, times = 1) => {
    const size = 1 + (index % 3);
    return { size, busyMs: times * (100 + 50 * size + (((index * 7_919) % 101) - 50)) };
  };

  it("finds the line in the noise of tiny batches, if there are enough of them", () => {
    const { perSecond } = watch(
      Array.from({ length: 120 }, (_, index) => tiny(index)),
      20,
    );
    expect(perSecond).toBeGreaterThan(14);
    expect(perSecond).toBeLessThan(22);
  });

  it("follows the work of late with the shape of the line before", () => {
    const before = Array.from({ length: 100 }, (_, index) => tiny(index));
    const after = Array.from({ length: 60 }, (_, index) => tiny(index, 3));
    const { perSecond } = watch([...before, ...after], 20);
    expect(perSecond).toBeGreaterThan(4);
    expect(perSecond).toBeLessThan(8);
  });

  it("does not extend batches that are all alike: one point makes no line", () => {
    const alike = Array.from({ length: 60 }, () => ({ size: 10, busyMs: 1_100 }));
    expect(watch(alike, 100).perSecond).toBeCloseTo(10_000 / 1_100);
  });

  it("has forgotten ten minutes after a change how it was before", () => {
    const before = Array.from({ length: 200 }, () => ({ size: 20, busyMs: 1_000 }));
    const after = Array.from({ length: 125 }, () => ({ size: 20, busyMs: 4_000 }));
    expect(watch([...before, ...after], 20).perSecond).toBeCloseTo(5);
  });

  it("keeps what it knows when nobody tells any more", () => {
    const known = watch(
      Array.from({ length: 10 }, () => ({ size: 20, busyMs: 1_000 })),
      20,
    );
    expect(measureProcessing(known, null, 20, 1_000_000)).toEqual({
      samples: [],
      recentSinceMs: null,
      perSecond: known.perSecond,
    });
  });
});
