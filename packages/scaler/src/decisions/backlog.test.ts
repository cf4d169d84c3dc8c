import { describe, expect, it } from "vitest";
import { measureBacklog, UNKNOWN_BACKLOG } from "./backlog.ts";

const counts = { waiting: 10, isWaitingAtLeast: false, reclaimable: 0, added: 100, delivered: 90 };

describe("measureBacklog", () => {
  it("adds what can be taken over from the dead to what waits", () => {
    const { backlog } = measureBacklog(UNKNOWN_BACKLOG, { ...counts, reclaimable: 5 });
    expect(backlog).toEqual({ waiting: 10, total: 15, isEstimated: false });
  });

  it("carries what is not known forward with what came and went since", () => {
    const { memory } = measureBacklog(UNKNOWN_BACKLOG, counts);
    const later = measureBacklog(memory, { ...counts, waiting: null, added: 150, delivered: 120 });
    expect(later.backlog).toEqual({ waiting: 30, total: 30, isEstimated: true });
    expect(later.memory).toEqual(memory);
  });

  it("never falls below 0, and never below what was counted", () => {
    const { memory } = measureBacklog(UNKNOWN_BACKLOG, counts);
    expect(measureBacklog(memory, { ...counts, waiting: null, delivered: 500 }).backlog?.waiting).toBe(0);
    const atLeast = { ...counts, waiting: 1_000, isWaitingAtLeast: true };
    expect(measureBacklog(memory, atLeast).backlog).toEqual({ waiting: 1_000, total: 1_000, isEstimated: true });
  });

  it("is unknown until it was known once", () => {
    expect(measureBacklog(UNKNOWN_BACKLOG, { ...counts, waiting: null }).backlog).toBeNull();
  });
});
