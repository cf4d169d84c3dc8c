import { describe, expect, it } from "vitest";
import { pairedDifferences, pairedRatios, quantileOf, spreadOf } from "./statistics.ts";

describe("spreadOf", () => {
  it("takes the middle of an odd number of figures, and the mean of the two middle ones of an even number", () => {
    expect(spreadOf([5, 1, 3])).toEqual({ min: 1, median: 3, max: 5 });
    expect(spreadOf([4, 1, 3, 100])).toEqual({ min: 1, median: 3.5, max: 100 });
  });

  it("refuses to make a figure out of nothing", () => {
    expect(() => spreadOf([])).toThrow(RangeError);
  });
});

describe("quantileOf", () => {
  it("lies between two figures where the share falls there", () => {
    expect(quantileOf([10, 20], 0.25)).toBe(12.5);
  });

  it("is a figure itself where the share falls on it", () => {
    expect(quantileOf([30, 10, 20, 50, 40], 0.75)).toBe(40);
  });
});

describe("pairedRatios", () => {
  it("compares pair by pair, so that a drifting machine does not show", () => {
    expect(pairedRatios([1, 2, 4], [2, 4, 8])).toEqual({ min: 0.5, median: 0.5, max: 0.5 });
  });

  it("refuses figures that do not pair", () => {
    expect(() => pairedRatios([1], [1, 2])).toThrow(RangeError);
  });
});

describe("pairedDifferences", () => {
  it("subtracts pair by pair", () => {
    expect(pairedDifferences([5, 7], [1, 1])).toEqual({ min: 4, median: 5, max: 6 });
  });
});
