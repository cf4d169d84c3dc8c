import { expect, it } from "vitest";
import { decideRates } from "./rates.ts";

const before = { atMs: 1_000, added: 100, finished: 80 };

it("are differences over time", () => {
  expect(decideRates(before, { atMs: 3_000, added: 150, finished: 81 })).toEqual({
    inPerSecond: 25,
    outPerSecond: 0.5,
  });
});

it("are unknown at the first pass, and where a counter is unknown or went back", () => {
  const unknown = { inPerSecond: null, outPerSecond: null };
  expect(decideRates(undefined, before)).toEqual(unknown);
  expect(decideRates(before, { atMs: 2_000, added: 5, finished: null })).toEqual(unknown);
  expect(decideRates({ ...before, finished: null }, { ...before, atMs: 2_000 })).toEqual({
    ...{ inPerSecond: 0, outPerSecond: null },
  });
  expect(decideRates(before, before)).toEqual(unknown);
});
