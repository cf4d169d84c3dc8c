import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decideSharedRead, type SharedRead, type WantedRead } from "./shared-read.ts";

const nowMs = 1_000;
const idle: WantedRead = { count: 100, untilMs: nowMs + 2_000, wasAsked: true, isDoubtful: false };

/** The reads that follow each other while no stream has anything, up to the one that waits. */
function readsUntilAllWait(given: readonly WantedRead[]): SharedRead<WantedRead>[] {
  const reads: SharedRead<WantedRead>[] = [];
  let left = given;
  while (reads.length <= 2 * given.length + 1) {
    const next = decideSharedRead(left, nowMs);
    if (next === undefined) return reads;
    reads.push(next);
    if (next.blockMs !== undefined) return reads;
    left = left.flatMap((one) => {
      if (!next.wanted.includes(one)) return [one];
      return one.untilMs === null ? [] : [{ ...one, wasAsked: true, isDoubtful: false }];
    });
  }
  return reads;
}

describe("decideSharedRead", () => {
  it("waits for all streams at once, until the first wait is over", () => {
    const wanted = [idle, { ...idle, untilMs: nowMs + 300 }, { ...idle, count: 60 }];
    expect(decideSharedRead(wanted, nowMs)).toEqual({ wanted, count: 60, blockMs: 300 });
  });

  it("reads a stream that was refused before alone, so that it holds up nobody", () => {
    const doubtful = { ...idle, isDoubtful: true };
    expect(decideSharedRead([idle, doubtful], nowMs)).toEqual({ wanted: [doubtful], count: 100, blockMs: undefined });
  });

  it("asks without waiting for those that want much more than the least, before all wait together", () => {
    const one = { ...idle, count: 1 };
    const many = { ...idle, wasAsked: false };
    const similar = { ...idle, count: 70 };
    expect(decideSharedRead([one, many, similar], nowMs)).toEqual({
      wanted: [many, similar],
      count: 70,
      blockMs: undefined,
    });
    expect(decideSharedRead([one, { ...many, wasAsked: true }], nowMs)).toMatchObject({ count: 1, blockMs: 2_000 });
  });

  it("wants nothing of nobody", () => {
    expect(decideSharedRead([], nowMs)).toBeUndefined();
  });

  const wanted = fc
    .record({
      count: fc.integer({ min: 1, max: 5_000 }),
      untilMs: fc.option(fc.integer({ min: nowMs + 1, max: nowMs + 2_000 })),
      wasAsked: fc.boolean(),
      isDoubtful: fc.boolean(),
    })
    // One that does not wait is answered as soon as it was asked.
    .map((one) => ({ ...one, wasAsked: one.wasAsked && one.untilMs !== null }));

  it("never asks for more than a stream wants, and comes to an end of asking", () => {
    fc.assert(
      fc.property(fc.array(wanted, { minLength: 1, maxLength: 12 }), (given) => {
        const reads = readsUntilAllWait(given);
        const asksTooMuch = reads.filter(({ wanted: them, count }) => them.some((one) => count > one.count));
        expect(asksTooMuch).toEqual([]);
        // Each read that does not wait asks somebody for the first time, or clears up a doubt.
        expect(reads.length).toBeLessThanOrEqual(2 * given.length + 1);
        const [last] = reads.toReversed();
        const mayAllWait =
          last?.blockMs === undefined || last.wanted.every((one) => one.untilMs !== null && !one.isDoubtful);
        expect(mayAllWait).toBe(true);
      }),
    );
  });
});
