import { describe, expect, test } from "vitest";
import type { Offer } from "./duplicate.ts";
import { type Account, judge } from "./ledger.ts";

/** The fault struck at 10 s, and the old master was a replica at 15 s. */
const FAILOVER = { fromMs: 10_000, toMs: 15_000, why: "failover" };

function judgeWith(changes: Partial<Account>) {
  return judge({
    rules: { leaseMs: 2_000, maxHoldMs: 4_000, drainMs: 500 },
    unlike: { lasting: new Set(), old: new Set() },
    ...{ confirmed: [], unknown: [], offers: [], destroyed: new Set(), destroyedDeadLetters: new Set() },
    workers: ["a", "b"].map((worker) => ({ worker, endedAtMs: undefined, standstills: [], closingAtMs: undefined })),
    ...{ forgotten: [FAILOVER], isReplicated: false, isOrdered: false },
    final: { undelivered: [], pending: [], deadLetters: [] },
    ...changes,
  });
}

const addedAt = (ms: number) => ({ key: "k", id: `${ms}-0`, intent: "ack", orderKey: "o" }) as const;

function offer(worker: string, atMs: number, id: string, deferMs?: number): Offer {
  const worked = deferMs === undefined ? ({ how: "done", atMs: atMs + 10 } as const) : undefined;
  return {
    ...{ key: "k", id, worker, atMs, deliveries: 1, worked, settledAtMs: atMs + 20, refusedAtMs: undefined },
    endedAtMs: atMs + 15,
    deferred: deferMs === undefined ? undefined : { atMs: atMs + 10, delayMs: deferMs },
  };
}

describe("a confirmed message that is gone", () => {
  test("is forgotten when it was added around a failover", () => {
    for (const atMs of [9_500, 12_000]) {
      expect(judgeWith({ confirmed: [addedAt(atMs)] })).toMatchObject({
        lost: 1,
        forgotten: [`${atMs}-0`],
        problems: [],
      });
    }
  });

  test("is lost when it was added before, or after", () => {
    for (const atMs of [8_000, 15_001]) {
      const verdict = judgeWith({ confirmed: [addedAt(atMs)] });
      expect(verdict).toMatchObject({ lost: 1, forgotten: [], problems: [{ kind: "lost" }] });
    }
  });

  test("is lost when all replicas had it", () => {
    const verdict = judgeWith({ confirmed: [addedAt(12_000)], isReplicated: true });
    expect(verdict).toMatchObject({ lost: 1, forgotten: [], problems: [{ kind: "lost" }] });
  });
});

test("a message is processed again because a failover took its acknowledgement back, and no other one's", () => {
  const again = (atMs: number) =>
    judgeWith({ confirmed: [addedAt(1)], offers: [offer("a", atMs, "1-0"), offer("b", 16_000, "1-0")] });
  expect(again(9_500)).toMatchObject({ explanations: { failover: 1 }, problems: [] });
  expect(again(5_000)).toMatchObject({ explanations: { failover: 0 }, problems: [{ kind: "unexplainedDuplicate" }] });
});

test("a message is offered too early because a failover took its delay back, and no other one's", () => {
  const early = (atMs: number) =>
    judgeWith({ confirmed: [addedAt(1)], offers: [offer("a", atMs, "1-0", 60_000), offer("b", 16_000, "1-0")] });
  expect(early(9_500).problems).toEqual([]);
  expect(early(5_000).problems).toMatchObject([{ kind: "tooEarly" }]);
});

test("an add that is repeated after a failover may have been offered before it", () => {
  const twice = (atMs: number) =>
    judgeWith({ confirmed: [addedAt(16_000)], offers: [offer("a", atMs, `${atMs}-0`), offer("b", 16_100, "16000-0")] });
  expect(twice(9_500).problems).toEqual([]);
  expect(twice(5_000).problems).toMatchObject([{ kind: "addedTwice" }]);
});
