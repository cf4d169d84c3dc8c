import { describe, expect, it } from "vitest";
import { type ConsumerMarks, decideBusyShare, decideHasWork, followProgress } from "./finished-work.ts";

const marks: ConsumerMarks = {
  ...{ atMs: 1_000, incarnation: "i", acked: 7, batches: 3, deadLettered: 0, hasWork: true },
  ...{ busyMs: 100, saidAtMs: 900 },
};

describe("followProgress", () => {
  it("remembers since when there was work and none of it was done, whatever heartbeats come", () => {
    const first = followProgress(undefined, marks);
    const second = followProgress(first, { ...marks, atMs: 2_000 });
    const third = followProgress(second, { ...marks, atMs: 3_000, busyMs: 2_100, saidAtMs: 2_900 });
    expect(third).toMatchObject({ stillSinceMs: 1_000, stillPasses: 3 });
  });

  it.each<[string, Partial<ConsumerMarks>]>([
    ["an acknowledgement", { acked: 8 }],
    ["a batch that ended", { batches: 4 }],
    ["a message that was dead-lettered", { deadLettered: 1 }],
    ["another process", { incarnation: "j" }],
    ["that there is nothing to do", { hasWork: false }],
  ])("takes %s for progress", (_, change) => {
    const first = followProgress(undefined, marks);
    const next = followProgress(first, { ...marks, atMs: 2_000, ...change });
    expect(next).toMatchObject({ stillSinceMs: 2_000, stillPasses: 1 });
  });

  it("counts from when work came, not from the last that was done", () => {
    const idle = followProgress(undefined, { ...marks, hasWork: false });
    const later = followProgress(idle, { ...marks, atMs: 3_600_000 });
    expect(later).toMatchObject({ stillSinceMs: 3_600_000, stillPasses: 1 });
  });

  it("remembers that a heartbeat was seen to move", () => {
    const first = followProgress(undefined, marks);
    expect(first.wasHeard).toBe(false);
    expect(followProgress(first, marks).wasHeard).toBe(false);
    const heard = followProgress(first, { ...marks, saidAtMs: 950 });
    expect(followProgress(heard, { ...marks, saidAtMs: 950 }).wasHeard).toBe(true);
  });
});

describe("decideHasWork", () => {
  const resting = { inFlight: 0, batchesElsewhere: 0, freePlaces: 1, intake: "open" };

  it("is true for what is in progress, and for what waits while a handler is free", () => {
    expect(decideHasWork({ isWaiting: true, pending: 0, details: resting })).toBe(true);
    expect(decideHasWork({ isWaiting: false, pending: 3, details: resting })).toBe(false);
    expect(decideHasWork({ isWaiting: null, pending: 0, details: { ...resting, inFlight: 1 } })).toBe(true);
    expect(decideHasWork({ isWaiting: false, pending: 1, details: undefined })).toBe(true);
    expect(decideHasWork({ isWaiting: null, pending: 0, details: undefined })).toBe(false);
  });

  it.each(["paused", "group-paused"])("is false for what waits while it is %s", (intake) => {
    expect(decideHasWork({ isWaiting: true, pending: 9, details: { ...resting, freePlaces: 0, intake } })).toBe(false);
    expect(decideHasWork({ isWaiting: true, pending: 9, details: { ...resting, inFlight: 1, intake } })).toBe(true);
  });

  it("is false for what waits while all its handlers work on other streams", () => {
    const elsewhere = { inFlight: 0, batchesElsewhere: 1, freePlaces: 0, intake: "open" };
    expect(decideHasWork({ isWaiting: true, pending: 0, details: elsewhere })).toBe(false);
    expect(decideHasWork({ isWaiting: true, pending: 5, details: { ...elsewhere, inFlight: 5 } })).toBe(true);
    expect(decideHasWork({ isWaiting: true, pending: 0, details: { ...elsewhere, freePlaces: 1 } })).toBe(true);
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
