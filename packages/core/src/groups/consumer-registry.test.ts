import { describe, expect, it } from "vitest";
import { decodeRegistry, isAlive, NO_DETAILS } from "./consumer-registry.ts";

describe("decodeRegistry", () => {
  it("reads what heartbeats wrote, and ignores what newer versions add", () => {
    const fields = new Map([["c1", '{"at":1000,"v":2,"incarnation":"i","leaseMs":60,"colour":"blue"}']]);
    expect([...decodeRegistry(fields).values()]).toEqual([
      { consumer: "c1", atMs: 1_000, leaseMs: 60, incarnation: "i", details: NO_DETAILS },
    ]);
  });

  it("reads what a consumer reports about itself, and takes nothing for granted", () => {
    const told = {
      state: "draining",
      host: "h",
      pid: 7,
      pool: "p",
      capacity: 1_200,
      inFlight: 0,
      acked: -1,
      busyMs: "long",
    };
    const fields = new Map([["c1", JSON.stringify({ at: 1_000, leaseMs: 60, ...told })]]);
    expect(decodeRegistry(fields).get("c1")?.details).toEqual({
      ...NO_DETAILS,
      ...{ state: "draining", host: "h", pid: 7, pool: "p", capacity: 1_200, inFlight: 0 },
    });
  });

  it("reads how a consumer's intake and handlers are, and takes words that it does not know", () => {
    const told = {
      ...{ freePlaces: 0, oldestInFlightMs: 12, holdLimitMs: 600_000, handlersHung: 1, intake: "group-paused" },
      ...{ isUnfit: false, oldestOfferableMs: 7, deadLettered: 3, batchesElsewhere: 2 },
      ...{ busyElsewhereRatio: 0.5, isAlone: true, version: "1.2.3", parked: 4, blockedKeys: 1 },
    };
    const read = (details: object) =>
      decodeRegistry(new Map([["c1", JSON.stringify({ at: 1, leaseMs: 60, ...details })]])).get("c1")?.details;
    expect(read(told)).toEqual({ ...NO_DETAILS, ...told });
    expect(read({ ...told, freePlaces: "2", intake: 5, isUnfit: "no" })).toMatchObject({
      ...{ freePlaces: null, intake: null, isUnfit: null },
    });
  });

  it.each(["", "not json", "null", "[]", '{"at":"soon","leaseMs":1}', '{"at":1}'])(
    "leaves out a field that it does not understand: %s",
    (text) => {
      expect(decodeRegistry(new Map([["c1", text]])).size).toBe(0);
    },
  );
});

describe("isAlive", () => {
  const registered = { consumer: "c", atMs: 1_000, leaseMs: 60, incarnation: "i" };

  it("is true until the lease after the last heartbeat is over", () => {
    expect(isAlive(registered, 1_060)).toBe(true);
    expect(isAlive(registered, 1_061)).toBe(false);
  });

  it("is false for a consumer that is not registered", () => {
    expect(isAlive(undefined, 0)).toBe(false);
  });
});
