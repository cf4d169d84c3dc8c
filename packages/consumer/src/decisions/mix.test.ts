import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decideMix } from "./mix.ts";

const candidates = fc.record({
  ripe: fc.integer({ min: 0, max: 500 }),
  unripe: fc.integer({ min: 0, max: 500 }),
  fresh: fc.integer({ min: 0, max: 500 }),
  moreFresh: fc.boolean(),
});
const batchSize = fc.integer({ min: 1, max: 300 });
const retryShare = fc.double({ min: 0, max: 1, noNaN: true });

describe("decideMix", () => {
  it("gives redelivered messages their share and new ones the rest", () => {
    const mix = decideMix({ ripe: 10, unripe: 0, fresh: 10, moreFresh: true }, 10, 0.5);
    expect(mix).toEqual({ redelivered: 5, fresh: 5 });
  });

  it("lets redelivered messages fill the batch when nothing new waits", () => {
    const mix = decideMix({ ripe: 20, unripe: 0, fresh: 2, moreFresh: false }, 10, 0.5);
    expect(mix).toEqual({ redelivered: 8, fresh: 2 });
  });

  it("makes no batch of nothing but what was just returned", () => {
    expect(decideMix({ ripe: 0, unripe: 10, fresh: 0, moreFresh: false }, 10, 0.5)).toEqual({
      redelivered: 0,
      fresh: 0,
    });
  });

  it("lets what was just returned accompany new messages", () => {
    expect(decideMix({ ripe: 0, unripe: 3, fresh: 1, moreFresh: false }, 10, 0.5)).toEqual({
      redelivered: 3,
      fresh: 1,
    });
  });

  it("never takes more than there is, nor more than a batch full", () => {
    fc.assert(
      fc.property(candidates, batchSize, retryShare, (given, size, share) => {
        const mix = decideMix(given, size, share);
        expect(mix.redelivered).toBeGreaterThanOrEqual(0);
        expect(mix.fresh).toBeGreaterThanOrEqual(0);
        expect(mix.redelivered).toBeLessThanOrEqual(given.ripe + given.unripe);
        expect(mix.fresh).toBeLessThanOrEqual(given.fresh);
        expect(mix.redelivered + mix.fresh).toBeLessThanOrEqual(size);
      }),
    );
  });

  it("never lets redelivered messages take the whole batch while new ones wait, unless the batch is one message", () => {
    fc.assert(
      fc.property(
        candidates,
        fc.integer({ min: 2, max: 300 }),
        fc.double({ min: 0, max: 0.5, noNaN: true }),
        (given, size, share) => {
          fc.pre(given.fresh > 0);
          const mix = decideMix(given, size, share);
          expect(mix.fresh).toBeGreaterThan(0);
          const mayTake = given.fresh >= size ? Math.max(1, size * share) : size;
          expect(mix.redelivered).toBeLessThanOrEqual(mayTake);
        },
      ),
    );
  });

  it("never starves redelivered messages that are ripe", () => {
    fc.assert(
      fc.property(candidates, batchSize, retryShare, (given, size, share) => {
        fc.pre(given.ripe > 0);
        expect(decideMix(given, size, share).redelivered).toBeGreaterThan(0);
      }),
    );
  });
});
