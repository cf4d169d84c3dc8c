import { NO_DETAILS, REDRIVE_CONSUMER, type Registration } from "@redis-batch/core/internal";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ConsumerSight, classifyConsumer } from "./consumer-status.ts";

const NOW = 10_000_000;
const rules = { batchSize: 10, idleThresholdMs: 60_000, foreignIdleMs: 600_000 };
const silent = NO_DETAILS;
const registered: Registration = {
  ...{ consumer: "c", atMs: NOW - 1_000, leaseMs: 30_000, incarnation: "i", details: silent },
};
const seen: ConsumerSight = {
  ...{ consumer: "c", pending: 3, serverIdleMs: 5_000, idleSince: "attempt", registered: undefined },
  ...{ stillSinceMs: NOW, stillLooks: 1, isWorkWaiting: false },
};
const judge = (sight: Partial<ConsumerSight>) => classifyConsumer({ ...seen, ...sight }, rules, NOW);

describe("a foreign consumer", () => {
  it("is judged as the original does: by what is pending first, then by how long it is idle", () => {
    expect(judge({})).toMatchObject({ status: "OK", foreign: true, idleMs: 5_000, capacity: 10, isGone: false });
    expect(judge({ pending: 10 }).status).toBe("OK");
    expect(judge({ pending: 11, serverIdleMs: 90_000 }).status).toBe("WARNING - too many pending items");
    expect(judge({ serverIdleMs: 60_000 }).status).toBe("OK");
    expect(judge({ serverIdleMs: 60_001 }).status).toBe("WARNING - idle for long time");
  });

  it("says in words what it was judged by", () => {
    expect(judge({ serverIdleMs: 300_000 }).reason).toBe("not registered: it last tried to read 5 min ago");
    expect(judge({ pending: 11 }).reason).toBe(
      "not registered: 11 messages pending, more than the 10 it takes in a batch, it last tried to read 5 s ago",
    );
  });

  it("is gone when it has been idle for longer than foreignIdleMs", () => {
    expect(judge({ serverIdleMs: 600_000 }).isGone).toBe(false);
    expect(judge({ serverIdleMs: 600_001 }).isGone).toBe(true);
    expect(judge({ serverIdleMs: 600_001, pending: 11 }).isGone).toBe(true);
  });

  it("that only holds redriven dead letters never lives, and is no target", () => {
    expect(judge({ consumer: REDRIVE_CONSUMER, serverIdleMs: 0 })).toMatchObject({ status: "DEAD", isGone: true });
  });

  it("on a quiet stream of Redis 7.0 is well, however long it got nothing", () => {
    const quiet = { idleSince: "success", pending: 0, serverIdleMs: 86_400_000 } as const;
    expect(judge(quiet)).toMatchObject({ status: "OK", isGone: false });
    expect(judge({ ...quiet, isWorkWaiting: null })).toMatchObject({ status: "OK", isGone: false });
    expect(judge({ ...quiet, isWorkWaiting: true })).toMatchObject({
      ...{ status: "WARNING - idle for long time", isGone: true },
    });
    expect(judge({ ...quiet, pending: 1 })).toMatchObject({ status: "WARNING - idle for long time", isGone: true });
  });
});

describe("a registered consumer", () => {
  it("is well while its heartbeat is fresh, however long the server has it idle", () => {
    const verdict = judge({ registered, serverIdleMs: 86_400_000 });
    expect(verdict).toMatchObject({ status: "OK", foreign: false, idleMs: 1_000, isGone: false });
  });

  it("is dead once its heartbeat is older than its lease, and not before", () => {
    const ages = fc.integer({ min: 0, max: 200_000 });
    fc.assert(
      fc.property(ages, fc.integer({ min: 500, max: 100_000 }), fc.boolean(), (ageMs, leaseMs, isWorkWaiting) => {
        const beat = { ...registered, atMs: NOW - ageMs, leaseMs };
        const sight = { registered: beat, isWorkWaiting, stillSinceMs: 0, stillLooks: 99, serverIdleMs: 86_400_000 };
        const verdict = judge(sight);
        expect(verdict.status === "DEAD").toBe(ageMs > leaseMs);
        expect(verdict.isGone).toBe(ageMs > leaseMs);
      }),
    );
  });

  it("says that it is stopping", () => {
    expect(judge({ registered: { ...registered, details: { ...silent, state: "draining" } } })).toMatchObject({
      ...{ status: "DRAINING", reason: "it is stopping, with 3 messages pending" },
    });
  });

  it("is stalled when it lives, has work, and nothing of it moved for two leases and three looks", () => {
    const still = { registered, stillSinceMs: NOW - 60_000, stillLooks: 3 };
    expect(judge(still).status).toBe("STALLED");
    expect(judge({ ...still, stillLooks: 2 }).status).toBe("OK");
    expect(judge({ ...still, stillSinceMs: NOW - 59_999 }).status).toBe("OK");
    expect(judge({ ...still, pending: 0 }).status).toBe("OK");
    expect(judge({ ...still, pending: 0, isWorkWaiting: true }).status).toBe("STALLED");
    expect(judge({ ...still, pending: 0, isWorkWaiting: null }).status).toBe("OK");
    expect(judge(still).isGone).toBe(false);
  });

  it("has too many pending when that is more than its own capacity", () => {
    const withCapacity = { ...registered, details: { ...silent, capacity: 50, batchSize: 5 } };
    expect(judge({ registered: withCapacity, pending: 50 })).toMatchObject({ status: "OK", capacity: 50 });
    expect(judge({ registered: withCapacity, pending: 51 }).status).toBe("WARNING - too many pending items");
    const withSize = { ...registered, details: { ...silent, batchSize: 5 } };
    expect(judge({ registered: withSize, pending: 6 }).status).toBe("WARNING - too many pending items");
    expect(judge({ registered, pending: 11 }).status).toBe("WARNING - too many pending items");
  });

  it("is idle for long when its lease is longer than the threshold", () => {
    const late = { ...registered, atMs: NOW - 90_000, leaseMs: 120_000 };
    expect(judge({ registered: late })).toMatchObject({ status: "WARNING - idle for long time", isGone: false });
  });

  it("with a clock ahead of the server's is not idle for less than nothing", () => {
    expect(judge({ registered: { ...registered, atMs: NOW + 5_000 } }).idleMs).toBe(0);
  });
});

it("whatever is seen, there is a reason in words", () => {
  const anything = fc.record({
    pending: fc.nat(100),
    serverIdleMs: fc.nat(1_000_000),
    idleSince: fc.constantFrom("attempt" as const, "success" as const),
    registered: fc.option(
      fc.record({ atMs: fc.integer({ min: 0, max: NOW }), leaseMs: fc.integer({ min: 500, max: 100_000 }) }),
      { nil: undefined },
    ),
    stillLooks: fc.nat(10),
    isWorkWaiting: fc.constantFrom(true, false, null),
  });
  fc.assert(
    fc.property(anything, ({ registered: beat, ...sight }) => {
      const verdict = judge({ ...sight, registered: beat === undefined ? undefined : { ...registered, ...beat } });
      expect(verdict.reason).toMatch(/\w+ \w+/);
      expect(verdict.isGone && verdict.status === "OK").toBe(false);
    }),
  );
});
