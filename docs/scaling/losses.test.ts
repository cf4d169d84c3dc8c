import type { Row } from "@redis-batch/simulator";
import { describe, expect, it } from "vitest";
import { lossesOf } from "./losses.ts";

const row = (policy: string, violationPercent: number, consumerHours: number, reversals: number): Row => ({
  ...{ scenario: "step", policy, seed: 1, violationPercent, consumerHours, reversals, messages: 9, p99Seconds: 1 },
  ...{ actions: 1, killedInFlight: 0 },
});

describe("lossesOf", () => {
  it("names who is better, in what", () => {
    const rows = [row("ours", 1, 10, 5), row("cheap", 1, 8, 9), row("calm", 1, 12, 0), row("late", 9, 1, 0)];
    expect(lossesOf(rows, "ours", ["cheap", "calm", "late"])).toEqual([
      { scenario: "step", what: "consumer-hours", policy: "cheap", theirs: 8, ours: 10 },
      { scenario: "step", what: "reversals", policy: "calm", theirs: 0, ours: 5 },
    ]);
  });

  it("says so when another is late less often, whatever it costs", () => {
    const rows = [row("ours", 1, 10, 5), row("dear", 0, 100, 50)];
    expect(lossesOf(rows, "ours", ["dear"])).toEqual([
      { scenario: "step", what: "late messages", policy: "dear", theirs: 0, ours: 1 },
    ]);
  });

  it("finds nothing where ours is the best", () => {
    expect(lossesOf([row("ours", 1, 10, 5), row("other", 2, 10, 5)], "ours", ["other"])).toEqual([]);
  });
});
