import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decideFloor, decidePace, isEarly, LONGEST_FLOOR_MS } from "./pace.ts";

const trickle = { entries: 10, missing: 90, openMs: 10, leftMs: 4_990 };

describe("decidePace", () => {
  it("waits twice as long as the batch has been open", () => {
    expect(decidePace(trickle)).toBe(20);
  });

  it("waits a millisecond for a batch that has just been opened, and will take longer to fill", () => {
    expect(decidePace({ ...trickle, entries: 1, missing: 99, openMs: 0.2 })).toBe(1);
  });

  it("waits no longer than the rest takes at the rate so far", () => {
    expect(decidePace({ ...trickle, entries: 80, missing: 20 })).toBe(2.5);
  });

  it("keeps half of the time that is left", () => {
    expect(decidePace({ ...trickle, leftMs: 8 })).toBe(4);
  });

  it.each([
    ["nothing is in memory", { entries: 0, missing: 100 }],
    ["the batch is full", { entries: 100, missing: 0 }],
    ["the batch is about to be full", { entries: 80, missing: 20, openMs: 3 }],
    ["the time is over", { leftMs: 0 }],
    ["the time has been over for long", { leftMs: -100 }],
  ])("does not wait when %s", (_, change) => {
    expect(decidePace({ ...trickle, ...change })).toBe(0);
  });

  it("is 0 or a time that a timer can keep, and ends before the wait does", () => {
    const any = fc.record({
      entries: fc.nat(1_000),
      missing: fc.integer({ min: -10, max: 1_000 }),
      openMs: fc.double({ min: 0, max: 10_000, noNaN: true }),
      leftMs: fc.double({ min: -10_000, max: 10_000, noNaN: true }),
    });
    fc.assert(
      fc.property(any, (state) => {
        const pauseMs = decidePace(state);
        expect(
          pauseMs === 0 || (pauseMs >= 1 && pauseMs <= Math.max(1, 2 * state.openMs) && pauseMs <= state.leftMs / 2),
        ).toBe(true);
      }),
    );
  });
});

const ROUND_TRIP_MS = 0.1;
// Sums and differences of fractions are off by less than this.
const ROUNDING_MS = 1e-6;

/** Reads a stream to which a message comes at each of these moments, until a batch is full or its time is over. */
function collect(arrivals: readonly number[], batchSize: number, maxWaitMs: number) {
  const firstMs = arrivals[0] ?? 0;
  const untilMs = firstMs + maxWaitMs;
  let nowMs = firstMs;
  let entries = 0;
  let reads = 0;
  let latestReadMs = 0;
  while (entries < batchSize) {
    // Waits at the server for the next, and brings all there are.
    nowMs = Math.max(nowMs, arrivals[entries] ?? Number.POSITIVE_INFINITY) + ROUND_TRIP_MS;
    if (nowMs >= untilMs) break;
    const before = entries;
    while (entries < batchSize && (arrivals[entries] ?? Number.POSITIVE_INFINITY) <= nowMs) entries++;
    reads++;
    latestReadMs = Math.max(latestReadMs, nowMs - (arrivals[before] ?? 0));
    const state = { entries, missing: batchSize - entries, openMs: nowMs - firstMs, leftMs: untilMs - nowMs };
    nowMs += decidePace(state);
  }
  return { entries, reads, tookMs: Math.min(nowMs, untilMs) - firstMs, latestReadMs };
}

describe("reading at that pace", () => {
  const scenes = fc.record({
    gaps: fc.array(fc.double({ min: 0, max: 20, noNaN: true }), { minLength: 300, maxLength: 300 }),
    perMs: fc.double({ min: 0.01, max: 100, noNaN: true }),
    batchSize: fc.integer({ min: 1, max: 300 }),
    maxWaitMs: fc.integer({ min: 0, max: 10_000 }),
  });
  const arrivalsOf = (gaps: readonly number[], perMs: number): number[] => {
    let atMs = 0;
    return gaps.map((gap) => {
      atMs += gap / 10 / perMs;
      return atMs;
    });
  };

  it("takes reads by the threefoldings of the time, however the messages come", () => {
    fc.assert(
      fc.property(scenes, ({ gaps, perMs, batchSize, maxWaitMs }) => {
        const { reads } = collect(arrivalsOf(gaps, perMs), batchSize, maxWaitMs);
        // The first millisecond, the threefoldings up to the middle of the wait, the halvings from there, and what is left
        // for the last millisecond of both.
        const longMs = Math.max(2, maxWaitMs);
        expect(reads).toBeLessThanOrEqual(Math.log2(longMs) + Math.log(longMs) / Math.log(3) + 4 / ROUND_TRIP_MS);
      }),
    );
  });

  it("has the batch full after three times the time it took to fill, and every message read before the wait is over", () => {
    fc.assert(
      fc.property(scenes, ({ gaps, perMs, batchSize, maxWaitMs }) => {
        const arrivals = arrivalsOf(gaps, perMs);
        const { entries, tookMs, latestReadMs } = collect(arrivals, batchSize, maxWaitMs);
        const filledMs = (arrivals[batchSize - 1] ?? 0) - (arrivals[0] ?? 0);
        const latestMs = entries === batchSize ? 3 * filledMs + 3 * ROUND_TRIP_MS + 1 : maxWaitMs + ROUNDING_MS;
        expect(tookMs).toBeLessThanOrEqual(latestMs);
        const inTime = arrivals.filter((atMs) => atMs - (arrivals[0] ?? 0) < maxWaitMs - 2 - 2 * ROUND_TRIP_MS).length;
        expect(entries).toBeGreaterThanOrEqual(Math.min(batchSize, inTime));
        expect(latestReadMs).toBeLessThanOrEqual(maxWaitMs + ROUNDING_MS);
      }),
    );
  });
});

describe("decideFloor", () => {
  it("is nothing as long as reads wait at the server", () => {
    expect(decideFloor(0)).toBe(0);
  });

  it("grows with every early answer, up to its bound", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000 }), (answers) => {
        expect(decideFloor(answers)).toBeGreaterThan(0);
        expect(decideFloor(answers + 1)).toBeGreaterThanOrEqual(decideFloor(answers));
        expect(decideFloor(answers)).toBeLessThanOrEqual(LONGEST_FLOOR_MS);
      }),
    );
    expect(decideFloor(1)).toBeLessThan(5);
    expect(decideFloor(20)).toBe(LONGEST_FLOOR_MS);
  });

  it("counts only reads that were to wait, and came back long before", () => {
    expect(isEarly(1, 2_000)).toBe(true);
    expect(isEarly(1_990, 2_000)).toBe(false);
    expect(isEarly(1, undefined)).toBe(false);
  });
});
