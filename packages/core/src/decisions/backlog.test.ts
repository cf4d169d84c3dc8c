import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type BacklogFacts, backlogOfCount, decideBacklog } from "./backlog.ts";

const facts: BacklogFacts = {
  ...{ length: 10, firstEntryId: "1-0", lastDeliveredId: "5-0", lag: 4, firstWaitingId: "6-0" },
};

describe("decideBacklog", () => {
  it("takes the server's lag where it can be right", () => {
    expect(decideBacklog(facts)).toEqual({ kind: "known", backlog: { messages: 4, source: "server" } });
  });

  it("never takes an unknown lag for 0", () => {
    expect(decideBacklog({ ...facts, lag: null })).toEqual({ kind: "count" });
  });

  it.each([-3, 0, 11])("does not believe a lag of %i beside ten entries, one of which waits", (lag) => {
    expect(decideBacklog({ ...facts, lag })).toEqual({ kind: "count" });
  });

  it("knows that nothing waits behind the last entry, whatever the server's lag still counts", () => {
    for (const lag of [null, 3]) {
      const verdict = decideBacklog({ ...facts, lag, firstWaitingId: null });
      expect(verdict).toEqual({ kind: "known", backlog: { messages: 0, source: "counted" } });
    }
  });

  it("knows that all that is there waits when nothing of it was delivered", () => {
    const trimmed = { ...facts, firstEntryId: "7-0", firstWaitingId: "7-0", lag: 13 };
    expect(decideBacklog(trimmed)).toEqual({ kind: "known", backlog: { messages: 10, source: "counted" } });
  });

  it("is never 0 while a message waits", () => {
    const lag = fc.option(fc.integer({ min: -100, max: 100 }), { nil: null });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), lag, fc.constantFrom("1-0", "9-0"), (length, lags, firstEntryId) => {
        const verdict = decideBacklog({ ...facts, length, lag: lags, firstEntryId });
        expect(verdict.kind === "count" || (verdict.backlog.messages ?? 0) > 0).toBe(true);
      }),
    );
  });
});

describe("backlogOfCount", () => {
  it("says whether counting came to the end", () => {
    expect(backlogOfCount(7, true)).toEqual({ messages: 7, source: "counted" });
    expect(backlogOfCount(1_000, false)).toEqual({ messages: 1_000, source: "at least" });
  });
});
