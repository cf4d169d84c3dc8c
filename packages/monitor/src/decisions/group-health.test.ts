import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { GroupHealth } from "../report.ts";
import {
  classifyGroup,
  followTrend,
  type GroupSample,
  type GroupTrend,
  type HealthVerdict,
  type SettledHealth,
  settleHealth,
} from "./group-health.ts";

const base: GroupSample = {
  ...{ atMs: 0, lastDeliveredId: "1-0", waiting: 0, isExact: true, pending: 0, oldestPendingId: null },
  ...{ finished: 0, living: 2, stalled: 0, patienceMs: 60_000 },
};

/** Looks five seconds apart. */
function trendOf(...looks: readonly Partial<GroupSample>[]): GroupTrend {
  let trend: GroupTrend | undefined;
  looks.forEach((look, index) => {
    trend = followTrend(trend, { ...base, atMs: 5_000 * index, ...look }, 10);
  });
  return trend as GroupTrend;
}
const judge = (...looks: readonly Partial<GroupSample>[]): HealthVerdict => classifyGroup(trendOf(...looks));

/** A group at work: each look has read and finished more. */
const working = (waiting: readonly (number | null)[]): Partial<GroupSample>[] =>
  waiting.map((count, index) => ({
    ...{
      waiting: count,
      lastDeliveredId: `${index + 1}-0`,
      finished: index,
      pending: 3,
      oldestPendingId: `${index}-1`,
    },
  }));

describe("classifyGroup", () => {
  it("never flags a quiet stream, from the first look on and for ever", () => {
    expect(judge({}).health).toBe("OK");
    expect(judge({ living: 0 }).health).toBe("OK");
    const quiet = Array.from({ length: 200 }, (_, index) => ({ atMs: index * 60_000 }));
    expect(judge(...quiet)).toEqual({ health: "OK", reason: "nothing waits, and nothing is pending" });
  });

  it("knows no threshold: a million that shrinks is well, ten that grow are not", () => {
    expect(judge(...working([1_000_000, 900_000, 800_000])).health).toBe("OK");
    const growing = judge(...working([7, 8, 10]));
    expect(growing.health).toBe("FALLING BEHIND");
    expect(growing.reason).toBe("10 messages wait, 3 messages are pending, 3 more than 10 s ago, and never fewer");
  });

  it("is not falling behind when the backlog was gone once, or shrank once", () => {
    expect(judge(...working([0, 5, 50])).health).toBe("OK");
    expect(judge(...working([10, 5, 50])).health).toBe("OK");
    expect(judge(...working([5, 5, 5])).health).toBe("OK");
  });

  it("has stopped when there is work and nobody to do it", () => {
    expect(judge({ waiting: 1, living: 0 })).toEqual({
      ...{ health: "STOPPED", reason: "1 message waits, and no consumer is there to work on them" },
    });
    expect(judge({ pending: 1, living: 0 }).health).toBe("STOPPED");
  });

  it("is stalled when its living consumers make no progress, or nothing moves while messages wait", () => {
    expect(judge({ pending: 4, stalled: 2 }).health).toBe("STALLED");
    expect(judge({ pending: 4, stalled: 1 }).health).toBe("OK");
    const stuck = Array.from({ length: 14 }, () => ({ waiting: 9, pending: 2, oldestPendingId: "1-0" }));
    expect(judge(...stuck).health).toBe("STALLED");
    expect(judge(...stuck).reason).toContain("for 65 s");
    // A batch that takes its time.
    expect(judge(...stuck.slice(0, 12)).health).toBe("OK");
  });

  it("was rewound while its position is behind where it was, and no longer once it has caught up", () => {
    const rewound = [{ lastDeliveredId: "9-0" }, { lastDeliveredId: "2-0", waiting: 7 }];
    expect(judge(...rewound).health).toBe("REWOUND");
    expect(judge(...rewound).reason).toContain("from 9-0 to 2-0");
    expect(judge(...rewound, { lastDeliveredId: "9-0" }).health).toBe("OK");
  });

  it("does not know without data, and says so rather than that all is well", () => {
    expect(judge(...working([1, 2, null])).health).toBe("UNKNOWN");
    expect(judge(...working([1, 2])).health).toBe("UNKNOWN");
    expect(judge(...working([1, null, 3])).health).toBe("UNKNOWN");
    const bounded = working([1_000, 1_000, 1_000]).map((look) => ({ ...look, isExact: false }));
    expect(judge(...bounded).health).toBe("UNKNOWN");
    expect(judge(...bounded).reason).toContain("at least 1000 messages wait");
    expect(classifyGroup({ samples: [], stillSinceMs: 0 }).health).toBe("UNKNOWN");
  });

  it("never gets better when more waits at the last look", () => {
    const severity: Record<GroupHealth, number> = {
      ...{ OK: 0, "FALLING BEHIND": 1, STALLED: 2, STOPPED: 3, REWOUND: 3, UNKNOWN: Number.NaN },
    };
    const look = fc.record({
      waiting: fc.integer({ min: 0, max: 5 }),
      lastDeliveredId: fc.constantFrom("1-0", "2-0", "3-0"),
      pending: fc.integer({ min: 0, max: 2 }),
      finished: fc.integer({ min: 0, max: 3 }),
      living: fc.integer({ min: 0, max: 2 }),
    });
    fc.assert(
      fc.property(fc.array(look, { minLength: 1, maxLength: 20 }), fc.integer({ min: 1, max: 5 }), (looks, more) => {
        const worse = looks.map((one, index) => ({
          ...one,
          waiting: one.waiting + (index === looks.length - 1 ? more : 0),
        }));
        const [before, after] = [severity[judge(...looks).health], severity[judge(...worse).health]];
        // What is unknown is neither better nor worse.
        expect(after < before).toBe(false);
      }),
    );
  });
});

describe("followTrend", () => {
  it("remembers so many looks and no more", () => {
    const looks = Array.from({ length: 50 }, () => ({}));
    expect(trendOf(...looks).samples).toHaveLength(10);
  });

  it("forgets that nothing moved as soon as something does", () => {
    expect(trendOf({}, {}, {}).stillSinceMs).toBe(0);
    expect(trendOf({}, {}, { finished: 1 }, { finished: 1 }).stillSinceMs).toBe(10_000);
    expect(trendOf({}, { oldestPendingId: "1-0" }).stillSinceMs).toBe(5_000);
  });
});

describe("settleHealth", () => {
  const settle = (...seen: readonly GroupHealth[]): GroupHealth[] => {
    let settled: SettledHealth | undefined;
    return seen.map((health) => {
      settled = settleHealth(settled, { health, reason: health });
      return settled.verdict.health;
    });
  };

  it("changes when two looks after each other agree", () => {
    expect(settle("OK", "FALLING BEHIND", "FALLING BEHIND")).toEqual(["OK", "OK", "FALLING BEHIND"]);
    expect(settle("STOPPED", "OK", "STOPPED", "OK", "OK")).toEqual(["STOPPED", "STOPPED", "STOPPED", "STOPPED", "OK"]);
  });

  it("goes to unknown and comes from it at once", () => {
    expect(settle("OK", "UNKNOWN", "STALLED")).toEqual(["OK", "UNKNOWN", "STALLED"]);
  });

  it("never shows a health that was seen once between two others", () => {
    const words = fc.constantFrom<GroupHealth>("OK", "FALLING BEHIND", "STALLED", "STOPPED", "REWOUND");
    fc.assert(
      fc.property(words, fc.array(words, { maxLength: 30 }), (first, rest) => {
        const seen = [first, ...rest];
        const shown = settle(...seen);
        for (let index = 1; index < seen.length; index++) {
          if (shown[index] === shown[index - 1]) continue;
          expect([seen[index - 1], seen[index]]).toEqual([shown[index], shown[index]]);
        }
      }),
    );
  });
});
