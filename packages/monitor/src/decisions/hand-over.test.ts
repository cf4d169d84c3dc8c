import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ConsumerReport, ConsumerStatus } from "../report.ts";
import { chooseNext, chooseTargets, decidePageSize } from "./hand-over.ts";

function consumer(name: string, status: ConsumerStatus = "OK", foreign = false): ConsumerReport {
  return {
    ...{ consumer: name, status, foreign, pending: 1, reason: "", idleMs: 0, inactiveMs: null, capacity: 10 },
    ...{
      oldestPendingAgeMs: null,
      inFlight: null,
      oldestInFlightMs: null,
      intake: null,
      busyShare: null,
      leaseMs: null,
      host: null,
      pid: null,
      ...{ version: null, isAlone: null, parked: null, blockedKeys: null },
    },
  };
}
const namesOf = (choice: ReturnType<typeof chooseTargets>) =>
  choice.kind === "targets" ? choice.targets.map((target) => target.consumer) : choice;

describe("chooseTargets", () => {
  const others = (
    ["DEAD", "LEFT", "DRAINING", "STALLED", "FAILING", "PAUSED", "BACKING OFF", "WARNING - idle for long time"] as const
  ).map((status, index) => consumer(`x${index}`, status));
  const foreign = [consumer("f", "OK", true), consumer("g", "WARNING - too many pending items", true)];

  it("releases where a registered consumer works, be it one that has much to do already", () => {
    const busy = consumer("busy", "WARNING - too many pending items");
    for (const to of ["registered", "any"] as const) {
      expect(chooseTargets([...others, consumer("a"), ...foreign], to, false)).toEqual({ kind: "release" });
      expect(chooseTargets([busy, ...foreign], to, false)).toEqual({ kind: "release" });
    }
  });

  it("gives nothing to foreign ones that must stay in order", () => {
    expect(chooseTargets([...others, ...foreign], "any", true)).toMatchObject({
      ...{ kind: "none", reason: expect.stringContaining("kept in order (orderBy)") as string },
    });
    expect(chooseTargets([...others, consumer("a"), ...foreign], "any", true)).toEqual({ kind: "release" });
  });

  it("moves nothing where nobody works", () => {
    expect(chooseTargets(others, "any", false)).toEqual({
      ...{ kind: "none", reason: "there is no healthy consumer to take the messages" },
    });
  });

  it("takes foreign ones only where that is allowed and no registered one works", () => {
    expect(namesOf(chooseTargets([...others, ...foreign], "any", false))).toEqual(["f"]);
    expect(chooseTargets([...others, ...foreign], "registered", false)).toMatchObject({
      ...{ kind: "none", reason: expect.stringContaining('only if handOverTo is "any"') as string },
    });
  });
});

describe("chooseNext", () => {
  it("is the one with the fewest pending, of several the first by name, and nobody where there is nobody", () => {
    const targets = [consumer("b"), consumer("a"), consumer("c")];
    expect(
      chooseNext(
        targets,
        new Map([
          ["a", 3],
          ["b", 3],
          ["c", 4],
        ]),
      )?.consumer,
    ).toBe("a");
    expect(
      chooseNext(
        targets,
        new Map([
          ["a", 3],
          ["b", 2],
          ["c", 4],
        ]),
      )?.consumer,
    ).toBe("b");
    expect(
      chooseNext(
        targets,
        new Map([
          ["a", 3],
          ["b", 2],
        ]),
      )?.consumer,
    ).toBe("c");
    expect(chooseNext([], new Map())).toBeUndefined();
  });

  it("page by page comes out even to about a page, unless somebody had more from the start", () => {
    const loads = fc.array(fc.nat(500), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(loads, fc.integer({ min: 1, max: 20_000 }), (before, messages) => {
        const targets = before.map((pending, index) => ({ consumer: `c${index}`, pending }));
        const now = new Map(targets.map(({ consumer: name, pending }) => [name, pending]));
        const page = decidePageSize(messages, targets.length);
        for (let left = messages; left > 0; left -= page) {
          const next = chooseNext(targets, now)?.consumer ?? "";
          now.set(next, (now.get(next) ?? 0) + Math.min(page, left));
        }
        const given = targets.filter(({ consumer: name, pending }) => (now.get(name) ?? 0) > pending);
        const highest = Math.max(...given.map(({ consumer: name }) => now.get(name) ?? 0));
        expect(highest - Math.min(...now.values())).toBeLessThanOrEqual(page);
      }),
    );
  });
});

describe("decidePageSize", () => {
  it("is small enough for every target to get its part, and never more than the server does in passing", () => {
    expect(decidePageSize(8, 2)).toBe(1);
    expect(decidePageSize(90, 3)).toBe(8);
    expect(decidePageSize(1_000_000, 3)).toBe(100);
    expect(decidePageSize(0, 0)).toBe(1);
  });
});
