import { describe, expect, it } from "vitest";
import { type ConsumerMarks, decideBusyShare, followProgress } from "./progress.ts";

const marks: ConsumerMarks = {
  ...{ atMs: 1_000, incarnation: "i", pending: 3, oldestPendingId: "1-0", acked: 7, gotAtMs: 500 },
  ...{ busyMs: 100, saidAtMs: 900 },
};

describe("followProgress", () => {
  it("remembers since when nothing moved", () => {
    const first = followProgress(undefined, marks);
    const second = followProgress(first, { ...marks, atMs: 2_000 });
    const third = followProgress(second, { ...marks, atMs: 3_000, busyMs: 2_100, saidAtMs: 2_900 });
    expect(third).toMatchObject({ stillSinceMs: 1_000, stillLooks: 3 });
  });

  it.each<[string, Partial<ConsumerMarks>]>([
    ["a message more or less", { pending: 2 }],
    ["another oldest message", { oldestPendingId: "2-0" }],
    ["an acknowledgement", { acked: 8 }],
    ["a read that returned something", { gotAtMs: 1_500 }],
    ["another process", { incarnation: "j" }],
  ])("takes %s for progress", (_, change) => {
    const first = followProgress(undefined, marks);
    const next = followProgress(first, { ...marks, atMs: 2_000, ...change });
    expect(next).toMatchObject({ stillSinceMs: 2_000, stillLooks: 1 });
  });
});

describe("decideBusyShare", () => {
  it("is the work between two heartbeats, of all handlers", () => {
    const later = { ...marks, busyMs: 1_100, saidAtMs: 2_900 };
    expect(decideBusyShare(marks, later, 1)).toBe(0.5);
    expect(decideBusyShare(marks, later, 2)).toBe(0.25);
    expect(decideBusyShare(marks, { ...later, busyMs: 99_999 }, null)).toBe(1);
  });

  it("is unknown without two heartbeats of one process that say so", () => {
    const later = { ...marks, busyMs: 1_100, saidAtMs: 2_900 };
    expect(decideBusyShare(undefined, later, 1)).toBeNull();
    expect(decideBusyShare(marks, { ...later, incarnation: "j" }, 1)).toBeNull();
    expect(decideBusyShare(marks, { ...later, busyMs: null }, 1)).toBeNull();
    expect(decideBusyShare(marks, { ...later, busyMs: 50 }, 1)).toBeNull();
    expect(decideBusyShare(marks, { ...marks, atMs: 2_000 }, 1)).toBeNull();
  });
});
