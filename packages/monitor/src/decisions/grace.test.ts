import { expect, it } from "vitest";
import { decideGrace } from "./grace.ts";

const rules = { graceMs: null, idleThresholdMs: 60_000 };
const facts = { connectedSinceMs: 1_000, nowMs: 31_000 };

it("is nothing for registered consumers, whose heartbeats were watched", () => {
  expect(decideGrace({ ...facts, nowMs: 1_000 }, rules, "registered")).toBeNull();
});

it("is for foreign ones as long as they may be idle, from the connection on", () => {
  expect(decideGrace(facts, rules, "foreign")).toContain("every foreign consumer gets another 30 s");
  expect(decideGrace({ ...facts, nowMs: 61_000 }, rules, "foreign")).toBeNull();
  expect(decideGrace({ connectedSinceMs: 60_000, nowMs: 61_000 }, rules, "foreign")).toContain("another 59 s");
});

it.each(["registered", "foreign"] as const)("is not over for %s ones while there is no connection", (kind) => {
  expect(decideGrace({ ...facts, connectedSinceMs: null }, rules, kind)).toBe("there is no connection");
});

it("can be chosen, for all alike", () => {
  for (const kind of ["registered", "foreign"] as const) {
    expect(decideGrace({ ...facts, nowMs: 1_000 }, { ...rules, graceMs: 0 }, kind)).toBeNull();
    expect(decideGrace(facts, { ...rules, graceMs: 31_000 }, kind)).toContain("every consumer");
  }
});
