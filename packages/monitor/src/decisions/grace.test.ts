import { expect, it } from "vitest";
import { decideGrace } from "./grace.ts";

const rules = { graceMs: null, idleThresholdMs: 60_000 };
const facts = { connectedSinceMs: 1_000, nowMs: 31_000, leasesMs: [20_000, 30_000] };

it("is over once the connection has stood for the longest lease of the group", () => {
  expect(decideGrace(facts, rules)).toBeNull();
  expect(decideGrace({ ...facts, nowMs: 29_000 }, rules)).toContain("2 s more");
});

it("begins anew with the connection, and does not end while there is none", () => {
  expect(decideGrace({ ...facts, connectedSinceMs: 30_000 }, rules)).toContain("29 s more");
  expect(decideGrace({ ...facts, connectedSinceMs: null }, rules)).toBe("there is no connection");
});

it("where nobody is registered is as long as a foreign consumer may be idle", () => {
  expect(decideGrace({ ...facts, leasesMs: [] }, rules)).not.toBeNull();
  expect(decideGrace({ ...facts, nowMs: 61_000, leasesMs: [] }, rules)).toBeNull();
});

it("can be chosen", () => {
  expect(decideGrace({ ...facts, nowMs: 1_000 }, { ...rules, graceMs: 0 })).toBeNull();
  expect(decideGrace(facts, { ...rules, graceMs: 31_000 })).not.toBeNull();
});
