import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decideLeastIdle, mayRecover, rememberNames, type SeenName } from "./reclaim.ts";

describe("rememberNames", () => {
  it("knows a name until it has not been registered for as long as a foreign one is waited for", () => {
    const told = { leaseMs: 60 };
    const a = ["a", told] as const;
    const b = ["b", told] as const;
    const first = rememberNames(new Map(), [a, b], 1_000, 600);
    const second = rememberNames(first, [b], 1_500, 600);
    expect([...second.keys()]).toEqual(["a", "b"]);
    expect([...rememberNames(second, [], 1_600, 600).keys()]).toEqual(["b"]);
    expect(rememberNames(second, [], 2_100, 600).size).toBe(0);
  });

  it("knows since when a name is registered no more, until it comes back", () => {
    const told = ["a", { leaseMs: 60 }] as const;
    const first = rememberNames(new Map(), [told], 1_000, 600);
    const gone = rememberNames(rememberNames(first, [], 1_100, 600), [], 1_200, 600);
    expect(gone.get("a")).toEqual({ atMs: 1_000, leaseMs: 60, absentSinceMs: 1_100 });
    expect(rememberNames(gone, [told], 1_300, 600).get("a")?.absentSinceMs).toBe(null);
  });
});

describe("decideLeastIdle", () => {
  const policy = { leaseMs: 50, foreignIdleMs: 600 };
  const absent: SeenName = { atMs: 900, leaseMs: 100, absentSinceMs: 1_000 };

  it("asks for a lease, until the name was watched for its own lease and has not come back", () => {
    expect(decideLeastIdle(absent, 1_099, 0, policy)).toBe(50);
    expect(decideLeastIdle(absent, 1_100, 0, policy)).toBe(0);
    expect(decideLeastIdle({ ...absent, absentSinceMs: null }, 5_000, 0, policy)).toBe(50);
    expect(decideLeastIdle(undefined, 5_000, 0, policy)).toBe(50);
  });

  it("does not count the time in which nobody could look", () => {
    expect(decideLeastIdle(absent, 1_199, 1_100, policy)).toBe(50);
    expect(decideLeastIdle(absent, 1_200, 1_100, policy)).toBe(0);
  });
});

describe("mayRecover", () => {
  const steady = { nowMs: 1_000, connectedSinceMs: 0, isLeaseCertain: true };

  it("waits for a full lease of good connection", () => {
    expect(mayRecover(steady, 1_000)).toBe(true);
    expect(mayRecover(steady, 1_001)).toBe(false);
    expect(mayRecover({ ...steady, connectedSinceMs: null }, 0)).toBe(false);
  });

  it("never does in doubt, after a break, or before a lease has passed without one", () => {
    const anyMs = fc.integer({ min: 0, max: 1_000_000 });
    const anySteadiness = fc.record({ nowMs: anyMs, connectedSinceMs: fc.option(anyMs), isLeaseCertain: fc.boolean() });
    fc.assert(
      fc.property(anySteadiness, anyMs, (given, leaseMs) => {
        const { nowMs, connectedSinceMs, isLeaseCertain } = given;
        const isSteady = isLeaseCertain && connectedSinceMs !== null && nowMs - connectedSinceMs >= leaseMs;
        expect(mayRecover(given, leaseMs)).toBe(isSteady);
      }),
    );
  });

  it("does not take more while the own leases are in doubt", () => {
    expect(mayRecover({ ...steady, isLeaseCertain: false }, 0)).toBe(false);
  });
});
