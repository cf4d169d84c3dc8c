import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decideSettlement, type NamedOutcomes, type Settlements } from "./settlement.ts";

const none: NamedOutcomes<number> = { ack: [], retry: [], deadLetter: [], rest: undefined };

function settle(batch: number[], open: number[], outcomes: Partial<NamedOutcomes<number>>): Settlements<number> {
  const settled = decideSettlement(batch, open, { ...none, ...outcomes });
  if (typeof settled === "string") throw new Error(settled);
  return settled;
}

describe("decideSettlement", () => {
  it("gives the rest the end that was named for it", () => {
    const outcomes = { deadLetter: [{ message: 2, reason: "bad" }], rest: "ack" } as const;
    expect(settle([1, 2, 3], [1, 2, 3], outcomes)).toEqual({
      ack: [1, 3],
      retry: [],
      deadLetter: [{ message: 2, reason: "bad" }],
      unnamed: [],
    });
  });

  it("lets a message keep the outcome it already has", () => {
    expect(settle([1, 2], [2], { retry: [{ message: 1, verdict: {} }], rest: "ack" })).toMatchObject({
      ack: [2],
      retry: [],
    });
  });

  it("refuses a message of another batch, and one that is named twice", () => {
    expect(decideSettlement([1], [1], { ...none, ack: [2] })).toBe("it names a message that is not of this batch");
    expect(decideSettlement([1], [1], { ...none, ack: [1], retry: [{ message: 1, verdict: {} }] })).toBe(
      "it names one message twice",
    );
  });

  it("carries out nothing of what contradicts itself: a message named twice, or one of another batch", () => {
    const anyName = fc.integer({ min: 0, max: 9 });
    const anyNames = fc.array(anyName, { maxLength: 6 });
    const rest = fc.constantFrom("ack" as const, "retry" as const, undefined);
    fc.assert(
      fc.property(anyNames, anyNames, anyNames, rest, (ack, retry, deadLetter, restEnd) => {
        const batch = [0, 1, 2, 3, 4, 5, 6];
        const settled = decideSettlement(batch, batch, {
          ack,
          retry: retry.map((message) => ({ message, verdict: {} })),
          deadLetter: deadLetter.map((message) => ({ message, reason: "" })),
          rest: restEnd,
        });
        const named = [...ack, ...retry, ...deadLetter];
        const isContradiction = new Set(named).size < named.length || named.some((name) => !batch.includes(name));
        expect(typeof settled === "string").toBe(isContradiction);
      }),
    );
  });

  it("lands every open message in exactly one end", () => {
    const ends = fc.record({
      end: fc.constantFrom("ack", "retry", "deadLetter", "unnamed"),
      // Settled before, and perhaps named all the same.
      isSettled: fc.boolean(),
    });
    const rest = fc.constantFrom("ack" as const, "retry" as const, undefined);
    fc.assert(
      fc.property(fc.array(ends), rest, (plan, restEnd) => {
        const batch = plan.map((_, index) => index);
        const at = (end: string): number[] => batch.filter((index) => plan[index]?.end === end);
        const open = batch.filter((index) => plan[index]?.isSettled === false);
        const settled = settle(batch, open, {
          ack: at("ack"),
          retry: at("retry").map((message) => ({ message, verdict: {} })),
          deadLetter: at("deadLetter").map((message) => ({ message, reason: "" })),
          rest: restEnd,
        });
        const landed = [
          ...settled.ack,
          ...settled.retry.map(({ message }) => message),
          ...settled.deadLetter.map(({ message }) => message),
          ...settled.unnamed,
        ];
        expect(landed.toSorted((a, b) => a - b)).toEqual(open);
      }),
    );
  });
});
