import { NO_DETAILS, type Registration } from "@redis-batch/core/internal/groups";
import { describe, expect, test } from "vitest";
import { countMovable, forecastHandOver, type HandOverFacts } from "./hand-over-forecast.ts";

const NOW = 1_000_000;

const registered = (heartbeatAgoMs: number): Registration => ({
  ...{ consumer: "c", incarnation: "i", atMs: NOW - heartbeatAgoMs, leaseMs: 30_000, details: NO_DETAILS },
});

const forecast = (facts: Partial<HandOverFacts>) =>
  forecastHandOver({ owner: undefined, target: undefined, toAny: true, minIdleMs: 600_000, nowMs: NOW, ...facts });

describe("forecastHandOver", () => {
  test("takes nothing from a live consumer, and gives nothing to one that is not known to be alive", () => {
    expect(forecast({ owner: registered(30_000) })).toEqual({ kind: "refused", why: "owner-alive" });
    expect(forecast({ toAny: false })).toEqual({ kind: "refused", why: "target-unknown" });
    expect(forecast({ toAny: false, target: registered(30_001) })).toEqual({ kind: "refused", why: "target-silent" });
    expect(forecast({ toAny: false, target: registered(0) })).toEqual({ kind: "allowed", idleMs: 600_000 });
  });

  test("goes by the lease of a consumer that has one", () => {
    expect(forecast({ owner: registered(30_001) })).toEqual({ kind: "allowed", idleMs: 30_000 });
  });
});

test("counts what has been idle for long enough, and how long the last of the others waits", () => {
  const first = countMovable({ movable: 0, waitMs: 0 }, [-1, 100, 99], 100);
  expect(first).toEqual({ movable: 2, waitMs: 1 });
  expect(countMovable(first, [40, 500], 100)).toEqual({ movable: 3, waitMs: 60 });
});
