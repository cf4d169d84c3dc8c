import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Candidates, decideMix, type Redelivered } from "./mix.ts";

const ripe = (count: number, largestBatch = 10_000): Redelivered[] =>
  Array.from({ length: count }, () => ({ isRipe: true, largestBatch }));
const unripe = (count: number): Redelivered[] =>
  Array.from({ length: count }, () => ({ isRipe: false, largestBatch: 10_000 }));

const anyRedelivered = fc.record({ isRipe: fc.boolean(), largestBatch: fc.integer({ min: 1, max: 40 }) });
const anyCandidates = fc.record({
  redelivered: fc.array(anyRedelivered, { maxLength: 60 }),
  fresh: fc.integer({ min: 0, max: 60 }),
  moreFresh: fc.boolean(),
  isFreshTurn: fc.boolean(),
});
const anySize = fc.integer({ min: 1, max: 40 });
const anyShare = fc.double({ min: 0, max: 1, noNaN: true });

/** How many of each kind. */
function counts(
  candidates: Omit<Candidates, "isFreshTurn"> & { readonly isFreshTurn?: boolean },
  size: number,
  share = 0.5,
): [number, number] {
  const { redelivered, fresh } = decideMix({ isFreshTurn: false, ...candidates }, size, share);
  return [redelivered.length, fresh];
}

describe("decideMix", () => {
  it("gives redelivered messages their share and new ones the rest", () => {
    expect(counts({ redelivered: ripe(10), fresh: 10, moreFresh: true }, 10)).toEqual([5, 5]);
  });

  it("lets redelivered messages fill the batch when nothing new waits", () => {
    expect(counts({ redelivered: ripe(20), fresh: 2, moreFresh: false }, 10)).toEqual([8, 2]);
  });

  it("keeps to the share while new messages may still wait in the stream", () => {
    expect(counts({ redelivered: ripe(20), fresh: 0, moreFresh: true }, 10)).toEqual([5, 0]);
  });

  it("makes no batch of nothing but what was just returned", () => {
    expect(counts({ redelivered: unripe(10), fresh: 0, moreFresh: false }, 10)).toEqual([0, 0]);
  });

  it("lets what was just returned accompany new messages", () => {
    expect(counts({ redelivered: unripe(3), fresh: 1, moreFresh: false }, 10)).toEqual([3, 1]);
  });

  it("takes turns where a batch has no room for both", () => {
    const both = { redelivered: ripe(3), fresh: 3, moreFresh: true };
    expect(counts(both, 1)).toEqual([1, 0]);
    expect(counts({ ...both, isFreshTurn: true }, 1)).toEqual([0, 1]);
    expect(counts({ ...both, redelivered: ripe(3, 1), isFreshTurn: true }, 10)).toEqual([0, 3]);
  });

  it("offers a message alone that may only be alone, and calls that a full batch", () => {
    const redelivered = [...ripe(1, 1), ...ripe(5)];
    expect(decideMix({ redelivered, fresh: 9, moreFresh: false, isFreshTurn: false }, 10, 0.5)).toEqual({
      redelivered: [0],
      fresh: 0,
      full: 1,
    });
  });

  it("leaves out a message that may not be part of a batch as large as this one is already", () => {
    const redelivered = [...ripe(3), ...ripe(1, 2)];
    const candidates = { redelivered, fresh: 0, moreFresh: false, isFreshTurn: false };
    expect(decideMix(candidates, 10, 0.5).redelivered).toEqual([0, 1, 2]);
  });

  it("never takes more than there is, nor more than a batch full, nor anything twice", () => {
    fc.assert(
      fc.property(anyCandidates, anySize, anyShare, (given, size, share) => {
        const mix = decideMix(given, size, share);
        expect(mix.fresh).toBeGreaterThanOrEqual(0);
        expect(mix.fresh).toBeLessThanOrEqual(given.fresh);
        expect(new Set(mix.redelivered).size).toBe(mix.redelivered.length);
        expect(mix.redelivered.every((place) => place >= 0 && place < given.redelivered.length)).toBe(true);
        expect(mix.full).toBeLessThanOrEqual(size);
        expect(mix.redelivered.length + mix.fresh).toBeLessThanOrEqual(mix.full);
      }),
    );
  });

  it("puts no message into a batch larger than it may be part of", () => {
    fc.assert(
      fc.property(anyCandidates, anySize, anyShare, (given, size, share) => {
        const mix = decideMix(given, size, share);
        for (const place of mix.redelivered) {
          expect(mix.full).toBeLessThanOrEqual((given.redelivered[place] as Redelivered).largestBatch);
        }
      }),
    );
  });

  it("never lets redelivered messages take the whole batch while new ones wait, unless it is a batch of one", () => {
    const upToHalf = fc.double({ min: 0, max: 0.5, noNaN: true });
    fc.assert(
      fc.property(anyCandidates, anySize, upToHalf, (given, size, share) => {
        fc.pre(given.fresh > 0);
        const mix = decideMix(given, size, share);
        fc.pre(mix.full > 1);
        expect(mix.fresh).toBeGreaterThan(0);
        const mayTake = given.fresh >= mix.full ? Math.max(1, mix.full * share) : mix.full;
        expect(mix.redelivered.length).toBeLessThanOrEqual(mayTake);
      }),
    );
  });

  it("never starves new messages: in their turn there is one in the batch, whatever its size and the share", () => {
    fc.assert(
      fc.property(anyCandidates, anySize, anyShare, (given, size, share) => {
        fc.pre(given.fresh > 0);
        expect(decideMix({ ...given, isFreshTurn: true }, size, share).fresh).toBeGreaterThan(0);
      }),
    );
  });

  it("never starves redelivered messages that are ripe: the first of them goes, unless it is the new ones' turn", () => {
    fc.assert(
      fc.property(anyCandidates, anySize, anyShare, (given, size, share) => {
        const ripeOnes = given.redelivered.filter(({ isRipe }) => isRipe);
        fc.pre(ripeOnes.length > 0);
        const candidates = { ...given, redelivered: ripeOnes, isFreshTurn: false };
        expect(decideMix(candidates, size, share).redelivered).toContain(0);
      }),
    );
  });

  it("never makes a batch of nothing but what was just returned, without new messages or with them", () => {
    fc.assert(
      fc.property(anyCandidates, anySize, anyShare, (given, size, share) => {
        const mix = decideMix(given, size, share);
        const hasRipe = mix.redelivered.some((place) => given.redelivered[place]?.isRipe);
        expect(mix.redelivered.length > 0 && !hasRipe && mix.fresh === 0).toBe(false);
      }),
    );
  });
});
