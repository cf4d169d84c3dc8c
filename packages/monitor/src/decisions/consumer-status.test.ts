import { NO_DETAILS, type Registration } from "@redis-batch/core/internal/groups";
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
  ...{ life: "alive", unmovedMs: 0, wasHeard: true, stillSinceMs: NOW, stillPasses: 1, isWorkWaiting: false },
  ...{ othersGotAgoMs: null, leftAtMs: null },
};
const judge = (sight: Partial<ConsumerSight>) => classifyConsumer({ ...seen, ...sight }, rules, NOW);

describe("a foreign consumer", () => {
  it("is judged as the original does: by what is pending first, then by how long it is idle", () => {
    expect(judge({})).toMatchObject({ status: "OK", foreign: true, idleMs: 5_000, capacity: 10, isDead: false });
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
    expect(judge({ serverIdleMs: 600_000 }).isDead).toBe(false);
    expect(judge({ serverIdleMs: 600_001 }).isDead).toBe(true);
    expect(judge({ serverIdleMs: 600_001, pending: 11 }).isDead).toBe(true);
  });

  it("on a quiet stream of Redis 7.0 is well, however long it got nothing", () => {
    const quiet = { idleSince: "success", pending: 0, serverIdleMs: 86_400_000 } as const;
    expect(judge(quiet)).toMatchObject({ status: "OK", isDead: false });
    expect(judge({ ...quiet, isWorkWaiting: null })).toMatchObject({ status: "OK", isDead: false });
    expect(judge({ ...quiet, isWorkWaiting: true })).toMatchObject({
      ...{ status: "WARNING - idle for long time", isDead: true },
    });
    // Others were given something since, so that it would have been, too.
    expect(judge({ ...quiet, othersGotAgoMs: 5_000 })).toMatchObject({
      ...{ status: "WARNING - idle for long time", isDead: true },
      reason: "not registered: it last received a message 24 h ago, so its name may be removed",
    });
    expect(judge({ ...quiet, othersGotAgoMs: 86_400_000 - rules.idleThresholdMs })).toMatchObject({
      status: "OK",
      isDead: false,
    });
    expect(judge({ ...quiet, pending: 1 })).toMatchObject({ status: "WARNING - idle for long time", isDead: true });
  });
});

describe("a consumer that has left", () => {
  it("is not well, and is cleaned up at once, with or without messages", () => {
    expect(judge({ leftAtMs: NOW - 4_000 })).toMatchObject({
      ...{ status: "LEFT", isDead: true, reason: "it was closed 4 s ago, and left 3 messages" },
    });
    expect(judge({ leftAtMs: NOW - 4_000, pending: 0 })).toMatchObject({ status: "LEFT", isDead: true });
  });
});

describe("a registered consumer", () => {
  it("is well while its heartbeat is fresh, however long the server has it idle", () => {
    const verdict = judge({ registered, serverIdleMs: 86_400_000 });
    expect(verdict).toMatchObject({ status: "OK", foreign: false, idleMs: 1_000, isDead: false });
  });

  it("that was watched for long enough is dead, whatever the date of its heartbeat", () => {
    const late = { ...registered, atMs: NOW - 30_001 };
    expect(judge({ registered: late, life: "dead" })).toMatchObject({ status: "DEAD", isDead: true });
    const future = { ...registered, atMs: NOW + 3_600_000 };
    expect(judge({ registered: future, life: "dead", unmovedMs: 31_000 })).toMatchObject({
      ...{ status: "DEAD", isDead: true },
      reason: "its heartbeat has not changed for 31 s, whatever its timestamp",
    });
  });

  it("that is late is called dead where its date is all that is known, and nothing is taken from it", () => {
    const late = { registered: { ...registered, atMs: NOW - 3_600_000 }, life: "silent" } as const;
    expect(judge({ ...late, wasHeard: false })).toMatchObject({ status: "DEAD", isDead: false });
    // It was heard a moment ago: the clock of the server has jumped, or it is late.
    expect(judge({ ...late, wasHeard: true })).toMatchObject({
      ...{ status: "WARNING - idle for long time", isDead: false },
    });
  });

  it("says that it is stopping", () => {
    expect(judge({ registered: { ...registered, details: { ...silent, state: "draining" } } })).toMatchObject({
      ...{ status: "DRAINING", reason: "it is alive, and is stopping, with 3 messages pending" },
    });
  });

  it("is stalled at the first pass when a batch has been at work for half of what it may hold one", () => {
    const busy = (oldestInFlightMs: number, holdLimitMs: number | null = null) =>
      judge({ registered: { ...registered, details: { ...silent, oldestInFlightMs, holdLimitMs } } });
    expect(busy(149_999).status).toBe("OK");
    expect(busy(150_000)).toMatchObject({
      ...{ status: "STALLED", isDead: false },
      reason: "it is alive, and a handler has been processing one batch for 2 min, with 3 messages pending",
    });
    expect(busy(150_000, 3_600_000).status).toBe("OK");
    expect(busy(1_800_000, 3_600_000).status).toBe("STALLED");
  });

  it("whose lease is a minute may take three for a batch", () => {
    const details = { ...silent, acked: 0, inFlight: 3, oldestInFlightMs: 180_000 };
    const slow = { ...registered, leaseMs: 60_000, details };
    expect(judge({ registered: slow, stillSinceMs: NOW - 180_000, stillPasses: 36, isWorkWaiting: true }).status).toBe(
      "OK",
    );
  });

  it("is stalled while a handler of it hangs, beside others that work", () => {
    const details = { ...silent, acked: 900, handlersHung: 1, concurrency: 4 };
    expect(judge({ registered: { ...registered, details } })).toMatchObject({
      ...{ status: "STALLED", reason: expect.stringContaining("1 of its 4 handlers has been running") as string },
    });
    const only = { ...details, concurrency: 1 };
    expect(judge({ registered: { ...registered, details: only } }).reason).toContain(
      "its only handler has been running",
    );
  });

  it("is stalled when messages wait, it is at work on none, and takes none for two leases and three passes", () => {
    const details = { ...silent, acked: 7, inFlight: 0 };
    const still = { registered: { ...registered, details }, pending: 0, stillSinceMs: NOW - 60_000, stillPasses: 3 };
    expect(judge(still).status).toBe("STALLED");
    expect(judge({ ...still, stillPasses: 2 }).status).toBe("OK");
    expect(judge({ ...still, stillSinceMs: NOW - 59_999 }).status).toBe("OK");
  });

  it("of an earlier version, which does not say for how long, is given five leases for a batch", () => {
    const details = { ...silent, acked: 7, inFlight: 3 };
    const still = { registered: { ...registered, details }, stillSinceMs: NOW - 150_000, stillPasses: 3 };
    expect(judge(still).status).toBe("STALLED");
    expect(judge({ ...still, stillSinceMs: NOW - 149_999 }).status).toBe("OK");
  });

  it("that takes nothing on purpose says what holds it up", () => {
    const held = (intake: string) => judge({ registered: { ...registered, details: { ...silent, intake } } });
    expect(held("open").status).toBe("OK");
    expect(held("paused")).toMatchObject({
      ...{ status: "PAUSED", reason: "it is alive, and is paused, with 3 messages pending" },
    });
    expect(held("deferred")).toMatchObject({
      status: "HELD UP",
      reason: expect.stringContaining("deferred as many") as string,
    });
  });

  it("that says it is unfit fails", () => {
    const details = { ...silent, isUnfit: true, intake: "open" };
    expect(judge({ registered: { ...registered, details } })).toMatchObject({ status: "FAILING", isDead: false });
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
    expect(judge({ registered: late })).toMatchObject({ status: "WARNING - idle for long time", isDead: false });
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
    stillPasses: fc.nat(10),
    isWorkWaiting: fc.constantFrom(true, false, null),
  });
  fc.assert(
    fc.property(anything, ({ registered: heartbeat, ...sight }) => {
      const verdict = judge({
        ...sight,
        registered: heartbeat === undefined ? undefined : { ...registered, ...heartbeat },
      });
      expect(verdict.reason).toMatch(/\w+ \w+/);
      expect(verdict.isDead && verdict.status === "OK").toBe(false);
    }),
  );
});
