import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  decideFetchSize,
  decideReadAhead,
  decideRedeliverySize,
  mostReadAhead,
  type ReadAhead,
  type ReadPolicy,
} from "./fetch-size.ts";

const policy: ReadPolicy = { batchSize: 100, prefetch: 1, maxBytes: 1_000_000 };
const nothing: ReadAhead = { buffered: 0, bufferedBytes: 0, wanted: 0, meanBytes: 0 };

describe("decideFetchSize", () => {
  it("reads what is wanted and a prefetch ahead", () => {
    expect(decideFetchSize(nothing, policy)).toBe(100);
    expect(decideFetchSize({ ...nothing, wanted: 1, meanBytes: 10 }, policy)).toBe(200);
    expect(decideFetchSize({ ...nothing, wanted: 1, buffered: 50, meanBytes: 10 }, policy)).toBe(150);
  });

  it("asks for one batch before the size of a message is known", () => {
    expect(decideFetchSize({ ...nothing, wanted: 1 }, policy)).toBe(100);
  });

  it("reads nothing ahead without prefetch", () => {
    expect(decideFetchSize(nothing, { ...policy, prefetch: 0 })).toBe(0);
  });

  it("shrinks the read to what fits into memory by the running mean", () => {
    expect(decideFetchSize({ ...nothing, wanted: 1, bufferedBytes: 900_000, meanBytes: 10_000 }, policy)).toBe(10);
  });

  it("reads at least one message as long as there is room at all", () => {
    expect(decideFetchSize({ ...nothing, bufferedBytes: 999_999, meanBytes: 10_000 }, policy)).toBe(1);
  });

  it("waits until half of the room is free, but only while a whole batch is in memory", () => {
    const wide = { ...policy, prefetch: 4 };
    const ahead = { ...nothing, meanBytes: 10 };
    expect(decideFetchSize({ ...ahead, buffered: 201 }, wide)).toBe(0);
    expect(decideFetchSize({ ...ahead, buffered: 200 }, wide)).toBe(200);
    expect(decideFetchSize({ ...ahead, buffered: 99 }, { ...policy, prefetch: 1 })).toBe(1);
  });

  it("never exceeds the free capacity, and is 0 where there is none", () => {
    const ahead = fc.record({
      buffered: fc.integer({ min: 0, max: 2_000 }),
      bufferedBytes: fc.integer({ min: 0, max: 2_000_000 }),
      wanted: fc.integer({ min: 0, max: 5 }),
      meanBytes: fc.integer({ min: 0, max: 100_000 }),
    });
    const anyPolicy = fc.record({
      batchSize: fc.integer({ min: 1, max: 10_000 }),
      prefetch: fc.integer({ min: 0, max: 5 }),
      maxBytes: fc.integer({ min: 1_024, max: 2_000_000 }),
    });
    fc.assert(
      fc.property(ahead, anyPolicy, (given, rule) => {
        const size = decideFetchSize(given, rule);
        const free = rule.batchSize * (given.wanted + rule.prefetch) - given.buffered;
        expect(size).toBeGreaterThanOrEqual(0);
        expect(size).toBeLessThanOrEqual(Math.max(free, 0));
        const isFull = given.bufferedBytes >= rule.maxBytes;
        const mayWait = given.buffered >= rule.batchSize && free < (given.buffered + free) / 2;
        expect(size > 0).toBe(!isFull && free > 0 && !mayWait);
        // What is read fits, by the mean; the one message that must come through at any size excepted.
        const fits = given.bufferedBytes + size * given.meanBytes <= rule.maxBytes;
        expect(fits || size <= 1).toBe(true);
      }),
    );
  });
});

describe("decideReadAhead", () => {
  it.each([
    { batchTakesMs: 1_000, batches: 1, why: "slow batches" },
    { batchTakesMs: 10, batches: 1, why: "a batch that takes as long as may be read ahead" },
    { batchTakesMs: 2, batches: 5, why: "quick ones" },
    { batchTakesMs: 0, batches: 10, why: "ones that take no time" },
  ])("reads $batches of 100 messages ahead for $why", ({ batchTakesMs, batches }) => {
    expect(decideReadAhead(policy, batchTakesMs)).toBe(batches);
  });

  it("never reads less ahead than prefetch says, and nothing if that is nothing", () => {
    expect(decideReadAhead({ batchSize: 2_000, prefetch: 3 }, 0)).toBe(3);
    expect(decideReadAhead({ batchSize: 1, prefetch: 0 }, 0)).toBe(0);
    expect(mostReadAhead({ batchSize: 1, prefetch: 1 })).toBe(1_000);
    expect(mostReadAhead({ batchSize: 2_000, prefetch: 3 })).toBe(6_000);
  });
});

describe("decideRedeliverySize", () => {
  it("reads one batch ahead, of what fits by the running mean", () => {
    const empty = { buffered: 0, bufferedBytes: 0, meanBytes: 0 };
    expect(decideRedeliverySize(empty, policy)).toBe(100);
    expect(decideRedeliverySize({ ...empty, meanBytes: 100_000 }, policy)).toBe(10);
    expect(decideRedeliverySize({ buffered: 1, bufferedBytes: 990_000, meanBytes: 100_000 }, policy)).toBe(1);
    expect(decideRedeliverySize({ buffered: 1, bufferedBytes: 1_000_000, meanBytes: 100_000 }, policy)).toBe(0);
  });

  it("never exceeds a batch, or what fits, and is 0 only where there is no room", () => {
    const anyAhead = fc.record({
      buffered: fc.integer({ min: 0, max: 12_000 }),
      bufferedBytes: fc.integer({ min: 0, max: 2_000_000 }),
      meanBytes: fc.integer({ min: 0, max: 100_000 }),
    });
    const anyBatch = fc.integer({ min: 1, max: 10_000 });
    fc.assert(
      fc.property(anyAhead, anyBatch, (given, batchSize) => {
        const size = decideRedeliverySize(given, { ...policy, batchSize });
        const isFull = given.bufferedBytes >= policy.maxBytes || given.buffered >= batchSize;
        expect(size > 0).toBe(!isFull);
        expect(size).toBeLessThanOrEqual(Math.max(0, Math.min(1_000, batchSize - given.buffered)));
        const fits = given.bufferedBytes + size * given.meanBytes <= policy.maxBytes;
        expect(fits || size <= 1).toBe(true);
      }),
    );
  });
});
