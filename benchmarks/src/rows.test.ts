import { describe, expect, it } from "vitest";
import type { Target } from "./figures.ts";
import { distanceTo, isMet, isNoisy, rowsOf } from "./rows.ts";

const atMost: Target = { metric: "client CPU µs/message", of: "ratio", bound: "at most", value: 0.5 };
const atLeast: Target = { metric: "messages/s", of: "ratio", bound: "at least", value: 2 };

describe("rowsOf", () => {
  const pairs = [
    { ours: { "messages/s": 300, "peak RSS MB": 90 }, reference: { "messages/s": 100, "peak RSS MB": 80 } },
    { ours: { "messages/s": 150, "peak RSS MB": 95 }, reference: { "messages/s": 100, "peak RSS MB": 80 } },
    { ours: { "messages/s": 220, "peak RSS MB": 85 }, reference: { "messages/s": 100, "peak RSS MB": 80 } },
  ];

  it("judges the median of what the target is about", () => {
    const [row] = rowsOf({ name: "fast", targets: [atLeast] }, pairs, false);
    expect(row).toMatchObject({ metric: "messages/s", rounds: 3, ratio: { min: 1.5, median: 2.2, max: 3 }, met: true });
  });

  it("has no verdict where there is no target", () => {
    const [, row] = rowsOf({ name: "fast", targets: [atLeast] }, pairs, true);
    expect(row).toMatchObject({ metric: "peak RSS MB", target: null, met: null, noisy: true });
  });

  it("has no ratio where the reference has nothing to divide by, and still a verdict on ours", () => {
    const targets: Target[] = [{ metric: "full batches", of: "ours", bound: "at least", value: 0.9 }];
    const some = [
      { ours: { "full batches": 1 }, reference: { "full batches": 0 } },
      { ours: { "full batches": 1 }, reference: { "full batches": 0.1 } },
    ];
    expect(rowsOf({ name: "trickle", targets }, some, false)).toMatchObject([{ ratio: null, met: true }]);
  });

  it("trusts no row whose rounds differ by more than half", () => {
    const round = (ours: number) => ({ ours: { "wall ms": ours }, reference: { "wall ms": 100 } });
    const noisy = (...walls: number[]): boolean | undefined =>
      rowsOf({ name: "fast", targets: [] }, walls.map(round), false)[0]?.noisy;
    expect(noisy(100, 110, 149)).toBe(false);
    expect(noisy(100, 110, 151)).toBe(true);
  });

  it("judges ours alone, and the difference, where the target says so", () => {
    const targets: Target[] = [
      { metric: "messages/s", of: "difference", bound: "at most", value: 100 },
      { metric: "peak RSS MB", of: "ours", bound: "at most", value: 90 },
    ];
    expect(rowsOf({ name: "fast", targets }, pairs, false).map(({ met }) => met)).toEqual([false, true]);
  });

  it("leaves out a figure that one of them does not have in every round", () => {
    const missing = [...pairs, { ours: { "messages/s": 1 }, reference: { "messages/s": 1, "peak RSS MB": 80 } }];
    expect(rowsOf({ name: "fast", targets: [] }, missing, false).map(({ metric }) => metric)).toEqual(["messages/s"]);
  });
});

describe("isMet", () => {
  it("counts the limit itself in", () => {
    expect([0.5, 0.51].map((figure) => isMet(atMost, figure))).toEqual([true, false]);
    expect([2, 1.99].map((figure) => isMet(atLeast, figure))).toEqual([true, false]);
  });
});

describe("distanceTo", () => {
  it("is below 1 exactly where the target is met, in either direction", () => {
    expect([distanceTo(atMost, 0.25), distanceTo(atMost, 1)]).toEqual([0.5, 2]);
    expect([distanceTo(atLeast, 4), distanceTo(atLeast, 1)]).toEqual([0.5, 2]);
  });
});

describe("isNoisy", () => {
  it("goes by the median, so that one bad moment does not spoil a long run", () => {
    expect(isNoisy([1, 1.1, 8])).toBe(false);
    expect(isNoisy([1, 1.4, 1.5])).toBe(true);
  });
});
