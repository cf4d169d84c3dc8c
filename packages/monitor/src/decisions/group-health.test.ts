import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { GroupHealth } from "../report.ts";
import { classifyGroup, followTrend, type GroupSample, type GroupTrend, type HealthVerdict } from "./group-health.ts";

const consumers = { living: 2, stalled: 0, failing: 0, heldUp: 0 };
const base: GroupSample = {
  ...{ atMs: 0, lastDeliveredId: "1-0", lastGeneratedId: "9999-0", waiting: 0, isExact: true, released: 0, pending: 0 },
  ...{ oldestWaitingAgeMs: null, oldestPendingId: null, finished: 0, deadLettered: 0, lastDeadLetterAtMs: null },
  ...{ reported: { acked: 0, deadLettered: 0 }, consumers, pause: null, isRateLimited: false, patienceMs: 60_000 },
  blocked: { messages: 0, keys: 0 },
};

/** Looks five seconds apart. */
function trendOf(...passes: readonly Partial<GroupSample>[]): GroupTrend {
  let trend: GroupTrend | undefined;
  passes.forEach((pass, index) => {
    trend = followTrend(trend, { ...base, atMs: 5_000 * index, ...pass }, 10);
  });
  return trend as GroupTrend;
}
const judge = (...passes: readonly Partial<GroupSample>[]): HealthVerdict => classifyGroup(trendOf(...passes));

/** A group at work: each pass has read and finished more. */
const working = (waiting: readonly (number | null)[]): Partial<GroupSample>[] =>
  waiting.map((count, index) => ({
    ...{ waiting: count, lastDeliveredId: `${index + 1}-0`, finished: index, pending: 3 },
    ...{ oldestPendingId: `${index}-1`, oldestWaitingAgeMs: count === 0 ? null : 1_000 },
  }));

describe("classifyGroup", () => {
  it("never flags a quiet stream, from the first pass on and for ever", () => {
    expect(judge({}).health).toBe("OK");
    expect(judge({ consumers: { ...consumers, living: 0 } }).health).toBe("OK");
    const quiet = Array.from({ length: 200 }, (_, index) => ({ atMs: index * 60_000 }));
    expect(judge(...quiet)).toEqual({ health: "OK", reason: "no messages are waiting or pending" });
  });

  it("says how many messages wait behind an earlier one of their key: they are pending, but not at work", () => {
    const pass = { pending: 40, lastDeliveredId: "2-0", blocked: { messages: 39, keys: 1 } };
    expect(judge(pass)).toEqual({
      health: "OK",
      reason:
        "40 messages are pending, 39 of them behind an earlier message of the same key (1 key blocked), and none is waiting in the stream",
    });
    expect(judge({ ...pass, waiting: 5, blocked: { messages: 39, keys: 3 } }).reason).toContain(
      "5 messages are waiting, 40 messages are pending, 39 of them behind an earlier message of the same key (3 keys blocked)",
    );
  });

  it("knows no threshold: a million that shrinks is well, ten that grow are not", () => {
    const shrinking = Array.from({ length: 10 }, (_, pass) => 1_000_000 - 10_000 * pass);
    expect(judge(...working(shrinking)).health).toBe("OK");
    const growing = judge(...working([1, 10, 19, 28, 37, 46, 55, 64]));
    expect(growing.health).toBe("FALLING BEHIND");
    expect(growing.reason).toBe(
      "64 messages are waiting, 3 messages are pending, 63 more than 35 s ago; the oldest has waited 1000 ms (1000 ms earlier)",
    );
  });

  it("is not falling behind when the backlog was gone once, shrank again, or stays as it is", () => {
    expect(judge(...working([0, 5, 50])).health).toBe("OK");
    expect(judge(...working([10, 5, 50, 12, 30, 9, 11])).health).toBe("OK");
    expect(judge(...working([5, 5, 5, 5, 5, 5])).health).toBe("OK");
  });

  it("tells the numbers of this pass also while it stays what it was", () => {
    const growing = [100, 200, 300, 400, 500, 600];
    const settled = judge(...working([...growing, 650]));
    expect(settled.health).toBe("FALLING BEHIND");
    expect(settled.reason).toContain("650 messages are waiting");
    // Not a pass later: what was worked off is not said to wait.
    expect(judge(...working([...growing, 0]))).toEqual({
      ...{ health: "OK", reason: "3 messages are pending, and none is waiting" },
    });
  });

  it("goes by the age where the number is not known exactly, and not where it is", () => {
    const older = (pass: number): number => 60_000 + 5_000 * pass;
    const passes = working(Array.from({ length: 8 }, () => 1_000)).map((pass, index) => ({
      ...{ ...pass, oldestWaitingAgeMs: older(index) },
    }));
    const inexact = judge(...passes.map((pass) => ({ ...pass, isExact: false })));
    expect(inexact.health).toBe("FALLING BEHIND");
    expect(inexact.reason).toContain("the oldest has waited 95 s (60 s earlier)");
    // A burst that is worked off: its last message is always as old as the burst.
    const burst = passes.map((pass, index) => ({ ...pass, waiting: 10_000 - 1_000 * index }));
    expect(judge(...burst).health).toBe("OK");
  });

  it("has stopped when there is work and nobody to do it", () => {
    const nobody = { consumers: { ...consumers, living: 0 } };
    expect(judge({ waiting: 1, ...nobody })).toEqual({
      ...{ health: "STOPPED", reason: "1 message is waiting, but there are no active consumers" },
    });
    expect(judge({ pending: 1, ...nobody }).health).toBe("STOPPED");
    expect(judge({ waiting: null, oldestWaitingAgeMs: 5, ...nobody }).health).toBe("STOPPED");
    expect(judge({ waiting: 1, consumers: { ...consumers, heldUp: 2 } })).toEqual({
      ...{ health: "STOPPED", reason: "1 message is waiting, but the 2 live consumers take no messages" },
    });
  });

  it("is stalled at the first pass at which none of its live consumers makes progress", () => {
    expect(judge({ pending: 4, consumers: { ...consumers, stalled: 2 } }).health).toBe("STALLED");
    expect(judge({ pending: 4, consumers: { ...consumers, stalled: 1, heldUp: 1 } }).health).toBe("STALLED");
    expect(judge({ pending: 4, consumers: { ...consumers, stalled: 1 } })).toEqual({
      ...{
        health: "OK",
        reason: "4 messages are pending, and none is waiting; 1 of 2 live consumers makes no progress",
      },
    });
  });

  it("is stalled when nothing moves while messages wait", () => {
    const stuck = Array.from({ length: 14 }, () => ({ waiting: 9, pending: 2, oldestPendingId: "1-0" }));
    expect(judge(...stuck).health).toBe("STALLED");
    expect(judge(...stuck).reason).toContain("for 65 s");
    // A batch that takes its time.
    expect(judge(...stuck.slice(0, 12)).health).toBe("OK");
  });

  it("fails when its consumers get no batch done", () => {
    expect(judge({ pending: 4, consumers: { ...consumers, failing: 2 } }).health).toBe("FAILING");
    expect(judge({ pending: 4, consumers: { ...consumers, failing: 1 } }).health).toBe("OK");
  });

  describe("that dead-letters messages", () => {
    it("fails when that is most of what it finishes, also when nothing is left to do", () => {
      expect(judge({}, { finished: 300, deadLettered: 300 })).toEqual({
        ...{
          health: "FAILING",
          reason: "300 of the 300 messages it finished in the last 5 s went to the dead letters",
        },
      });
      expect(judge({}, { finished: 300, deadLettered: 150, pending: 3 }).health).toBe("FAILING");
      // Before its first read the server does not know what a group has finished.
      expect(judge({ finished: null }, { finished: 300, deadLettered: 300 }).health).toBe("FAILING");
    });

    it("does not fail for a few of many, for two in all, or for those of long ago", () => {
      expect(judge({}, { finished: 300, deadLettered: 149 }).health).toBe("OK");
      expect(judge({}, { finished: 2, deadLettered: 2 }).health).toBe("OK");
      const past = Array.from({ length: 12 }, () => ({ finished: 300, deadLettered: 300 }));
      expect(judge({}, ...past).health).toBe("OK");
    });

    it("is judged by what its consumers say where the server does not know what was finished", () => {
      const said = { finished: null, deadLettered: 30, reported: { acked: 2, deadLettered: 30 } };
      expect(judge({ finished: null }, said).health).toBe("FAILING");
      expect(judge({ finished: null }, { ...said, reported: { acked: 200, deadLettered: 30 } }).health).toBe("OK");
      const left = { ...said, reported: { acked: 1, deadLettered: 0 } };
      expect(judge({ finished: null, reported: { acked: 500, deadLettered: 1 } }, left).health).toBe("OK");
    });

    it("is seen at a single pass by what its consumers say, if it was lately", () => {
      const said = { reported: { acked: 10, deadLettered: 300 }, deadLettered: 300, lastDeadLetterAtMs: 0 };
      expect(judge(said).health).toBe("FAILING");
      expect(judge({ ...said, atMs: 3_600_000 }).health).toBe("OK");
      expect(judge({ ...said, reported: { acked: 301, deadLettered: 300 } }).health).toBe("OK");
    });
  });

  it("is rewound until it has come to where it was, however many passes that takes", () => {
    const back = Array.from({ length: 50 }, (_, pass) => ({
      lastDeliveredId: `2-${pass}`,
      waiting: 7,
      finished: pass,
    }));
    const rewound = [{ lastDeliveredId: "9-0" }, ...back];
    expect(judge(...rewound).health).toBe("REWOUND");
    expect(judge(...rewound).reason).toContain("from 9-0 to 2-49");
    expect(judge(...rewound, { lastDeliveredId: "9-0", waiting: 1, finished: 99 }).health).not.toBe("REWOUND");
  });

  it("is no longer rewound once it has come to the end of a stream that has lost its own", () => {
    const lost = { lastDeliveredId: "5-0", lastGeneratedId: "6-0", waiting: 1 };
    expect(judge({ lastDeliveredId: "9-0" }, lost).health).toBe("REWOUND");
    expect(judge({ lastDeliveredId: "9-0" }, lost, { ...lost, lastDeliveredId: "6-0" }).health).not.toBe("REWOUND");
  });

  it("is ahead when its position lies beyond the end of the stream, whatever the server says of its backlog", () => {
    const ahead = { lastDeliveredId: "99-0", lastGeneratedId: "9-5" } as const;
    for (const waiting of [0, null, 5]) {
      expect(judge({ ...ahead, waiting })).toEqual({
        health: "AHEAD",
        reason: "its position, 99-0, is ahead of the stream, whose last id is 9-5: new messages are not delivered",
      });
    }
    expect(judge({ lastDeliveredId: "9-5", lastGeneratedId: "9-5" }).health).toBe("OK");
  });

  it("does not know without data, and says so rather than that all is well", () => {
    expect(judge(...working([1, 2, null])).health).toBe("UNKNOWN");
    expect(judge(...working([1, 2, 3, 4, 5])).health).toBe("UNKNOWN");
    expect(judge(...working([1, null, 3, 4, 5, 6])).health).toBe("UNKNOWN");
    const bounded = working([1_000, 1_000, 1_000]).map((pass) => ({ ...pass, isExact: false }));
    expect(judge(...bounded).health).toBe("UNKNOWN");
    expect(judge(...bounded).reason).toContain("at least 1000 messages are waiting");
    expect(classifyGroup({ ...trendOf({}), samples: [] }).health).toBe("UNKNOWN");
  });

  it("counts what was released as waiting", () => {
    const released = (count: number, pass: number): Partial<GroupSample> => ({
      ...{ pending: count, released: count, finished: pass, lastDeliveredId: `${pass + 1}-0` },
    });
    const growing = Array.from({ length: 8 }, (_, pass) => released(100 + 50 * pass, pass));
    expect(judge(...growing)).toMatchObject({ health: "FALLING BEHIND" });
    expect(judge(...growing).reason).toContain(
      "450 messages are pending, 450 of them released for any consumer, 350 more",
    );
  });

  const pause = { by: "anna", sinceMs: 0, untilMs: null, reason: "a new version", notObeyedBy: [] };

  it("says who paused the group, when, why, for how long, and who goes on", () => {
    const heldUp = { ...consumers, heldUp: 2 };
    const held = { atMs: 300_000, waiting: 7, consumers: heldUp };
    expect(judge({ ...held, pause })).toEqual({
      health: "PAUSED",
      reason: "paused by anna (a new version) 5 min ago, until it is resumed; 7 messages are waiting",
    });
    const ignored = { ...pause, untilMs: 480_000, notObeyedBy: ["a", "b", "c", "d"] };
    expect(judge({ ...held, pause: ignored }).reason).toContain(
      'for another 3 min, but "a", "b", "c" and 1 more go on: not of Redis Batch, or of an earlier version',
    );
    expect(judge({ ...held, waiting: 0, pause }).health).toBe("PAUSED");
  });

  it("holds nothing against those who work after a pause", () => {
    const paused = Array.from({ length: 20 }, (_, pass) => ({ waiting: 100 * pass, pause }));
    const after = { waiting: 2_100, pause: null };
    expect(judge(...paused, after).health).toBe("UNKNOWN");
    expect(judge(...paused, after, { ...after, waiting: 2_000, lastDeliveredId: "2-0" }).health).toBe("UNKNOWN");
  });

  it("never takes a slow rate limit for a group that makes no progress", () => {
    const limited = { waiting: 9, oldestWaitingAgeMs: 1_000, isRateLimited: true, patienceMs: 20_000 };
    const passes = Array.from({ length: 9 }, () => limited);
    expect(judge(...passes.map((pass) => ({ ...pass, isRateLimited: false }))).health).toBe("STALLED");
    expect(judge(...passes)).toMatchObject({
      health: "OK",
      reason: expect.stringMatching(/does not grow.*; they wait for the group's rate limit$/) as string,
    });
  });

  it("never gets better when more waits at the last pass", () => {
    const severity: Record<GroupHealth, number> = {
      ...{
        OK: 0,
        "FALLING BEHIND": 1,
        FAILING: 2,
        STALLED: 2,
        STOPPED: 3,
        REWOUND: 3,
        AHEAD: 4,
        PAUSED: 4,
        UNKNOWN: Number.NaN,
      },
    };
    const pass = fc.record({
      waiting: fc.integer({ min: 0, max: 50 }),
      lastDeliveredId: fc.constantFrom("1-0", "2-0", "3-0"),
      pending: fc.integer({ min: 0, max: 2 }),
      finished: fc.integer({ min: 0, max: 3 }),
      deadLettered: fc.integer({ min: 0, max: 3 }),
      consumers: fc.record({
        living: fc.integer({ min: 0, max: 2 }),
        ...{ stalled: fc.constant(0), failing: fc.constant(0), heldUp: fc.constant(0) },
      }),
    });
    fc.assert(
      fc.property(fc.array(pass, { minLength: 1, maxLength: 20 }), fc.integer({ min: 1, max: 50 }), (passes, more) => {
        const worse = passes.map((one, index) => ({
          ...one,
          waiting: one.waiting + (index === passes.length - 1 ? more : 0),
        }));
        const [before, after] = [severity[judge(...passes).health], severity[judge(...worse).health]];
        // What is unknown is neither better nor worse.
        expect(after < before).toBe(false);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe("followTrend", () => {
  it("remembers that many passes and the one they are compared with, and no more", () => {
    const passes = Array.from({ length: 50 }, () => ({}));
    expect(trendOf(...passes).samples).toHaveLength(11);
  });

  it("forgets that nothing moved as soon as something does", () => {
    expect(trendOf({}, {}, {}).stillSinceMs).toBe(0);
    expect(trendOf({}, {}, { finished: 1 }, { finished: 1 }).stillSinceMs).toBe(10_000);
    expect(trendOf({}, { oldestPendingId: "1-0" }).stillSinceMs).toBe(5_000);
  });
});
