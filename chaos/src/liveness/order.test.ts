import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Offer } from "../duplicate.ts";
import { boundOf, type LivenessPolicy } from "./bounds.ts";
import { judgeLiveness, type LivenessVerdict } from "./liveness.ts";
import type { MessageHistory } from "./waits.ts";
import type { WorkerView } from "./worker-view.ts";

const POLICY: LivenessPolicy = {
  ...{ maxWaitMs: 250, leaseMs: 2_000, heartbeatMs: 600, recoverEveryMs: 500 },
  ...{ maxHoldMs: 4_000, maxDeliveries: 8, retryCapMs: 500 },
};
const HORIZON_MS = 60_000;
const HEALTHY: WorkerView = {
  ...{ worker: "w", name: "w", stream: "", isOld: false, fromMs: 0, toMs: undefined, end: undefined },
  ...{ places: 2, calls: [], cutOff: [], excused: [], intakeHeld: [], owned: undefined },
};
/** More than any bound, with all that may be added to it. */
const LONG_MS = 10_000;

/** One that is added, offered for the first time, and done, at these times. */
function message(
  id: string,
  orderKey: string | undefined,
  [addedAtMs, offeredAtMs]: readonly [number, number],
  changes: Partial<MessageHistory> = {},
): MessageHistory {
  const offer: Offer = {
    ...{ key: id, id, worker: "w", atMs: offeredAtMs, deliveries: 1, settledAtMs: offeredAtMs + 2 },
    ...{ worked: { how: "done", atMs: offeredAtMs + 1 }, refusedAtMs: undefined },
    ...{ endedAtMs: offeredAtMs + 1, deferred: undefined },
  };
  return {
    ...{ key: id, id, orderKey, addedAtMs, offers: [offer], owners: [], endMs: offeredAtMs + 2, isDestroyed: false },
    ...changes,
  };
}

function judge(...messages: readonly MessageHistory[]): LivenessVerdict {
  return judgeLiveness({
    policy: POLICY,
    messages,
    workers: [HEALTHY, { ...HEALTHY, stream: "t" }],
    stalls: [],
    horizonMs: HORIZON_MS,
  });
}

/** Fails at 1,100 and again and again, until it is a dead letter at 20,000. */
const FAILING: Partial<MessageHistory> = {
  offers: Array.from({ length: 20 }, (_, index) => ({
    ...{ key: "1-1", id: "1-1", worker: "w", atMs: 1_100 + index * 900, deliveries: 1, worked: undefined },
    ...{ settledAtMs: undefined, refusedAtMs: undefined, endedAtMs: 1_110 + index * 900, deferred: undefined },
  })),
  endMs: 20_000,
};

describe("behind an unsettled message of its key", () => {
  test("a message does not wait, however long that takes", () => {
    const messages = [message("1-1", "a", [1_000, 1_100], FAILING), message("1-2", "a", [1_200, 20_100])];
    expect(judge(...messages)).toMatchObject({ overdue: [], longestWaitMs: { parked: 100 } });
  });

  test("nor while the batch is open in which that one is, even if it is acknowledged: until the batch is given up", () => {
    const [first] = message("1-1", "a", [1_000, 1_100]).offers as [Offer];
    const hung = { offers: [{ ...first, endedAtMs: undefined }] };
    const messages = [message("1-1", "a", [1_000, 1_100], hung), message("1-2", "a", [1_200, 5_200])];
    expect(judge(...messages)).toMatchObject({ overdue: [], longestWaitMs: { parked: 100 } });
    const late = message("1-2", "a", [1_200, 5_100 + LONG_MS]);
    expect(judge(messages[0] as MessageHistory, late).overdue).toMatchObject([{ id: "1-2", fromMs: 5_100 }]);
  });

  test("it does once that one has ended, as it would for a message that is due again", () => {
    const second = message("1-2", "a", [1_200, 20_000 + LONG_MS]);
    expect(judge(message("1-1", "a", [1_000, 1_100], FAILING), second).overdue).toMatchObject([
      { id: "1-2", class: "parked", fromMs: 20_000, waitedMs: LONG_MS },
    ]);
    expect(boundOf("parked", POLICY)).toBe(boundOf("later", POLICY));
  });

  test("of a long line of them each waits for the one before it", () => {
    const line = Array.from({ length: 30 }, (_, index) => message(`1-${index}`, "a", [1_000, 1_100 + index * 1_000]));
    expect(judge(...line)).toMatchObject({ overdue: [], longestWaitMs: { new: 100, parked: 998 } });
  });

  test("one that no worker held any more had its owner all the same", () => {
    const owners = [{ atMs: 1_300, owner: "rb:released", deliveries: 1 }];
    const second = message("1-2", "a", [1_200, 20_000 + LONG_MS], { owners });
    expect(judge(message("1-1", "a", [1_000, 1_100], FAILING), second).overdue).toMatchObject([{ class: "released" }]);
  });

  test("that is there until the end, nothing of the key waits", () => {
    const first = message("1-1", "a", [1_000, 1_100], { ...FAILING, endMs: undefined });
    expect(judge(first, message("1-2", "a", [1_200, 0], { offers: [], endMs: undefined })).overdue).not.toContainEqual(
      expect.objectContaining({ id: "1-2" }),
    );
  });
});

describe("other messages have their bound", () => {
  const late = [1_200, 1_200 + LONG_MS] as const;

  test.each([
    ["of another key", message("1-2", "b", late)],
    ["without a key", message("1-2", undefined, late)],
    ["of the same key in another stream", message("t/1-2", "a", late)],
    ["before it in the stream", message("1-0", "a", late)],
  ])("%s", (_what, other) => {
    const { overdue } = judge(message("1-1", "a", [1_000, 1_100], FAILING), other);
    expect(overdue).toMatchObject([{ id: other.id, class: "new", waitedMs: LONG_MS }]);
  });

  test("and so has the message that holds the others up", () => {
    const first = message("1-1", "a", [1_000, 1_000 + LONG_MS]);
    expect(judge(first, message("1-2", "a", [1_100, 1_010 + LONG_MS])).overdue).toMatchObject([{ id: "1-1" }]);
  });
});

test("one that a fault destroyed is in the way until it would have been offered again", () => {
  const deferred = { atMs: 1_150, delayMs: 8_000 };
  const first = message("1-1", "a", [1_000, 1_100], {
    ...{ endMs: 1_500, isDestroyed: true },
    offers: [{ ...(FAILING.offers?.[0] as Offer), deferred }],
  });
  expect(judge(first, message("1-2", "a", [1_200, 9_300])).overdue).toEqual([]);
  expect(judge(first, message("1-2", "a", [1_200, 9_150 + LONG_MS])).overdue).toMatchObject([{ fromMs: 9_150 }]);
  const settled = { ...first, isDestroyed: false };
  expect(judge(settled, message("1-2", "a", [1_200, 9_300])).overdue).toMatchObject([{ fromMs: 1_500 }]);
});

test("a planted message that waits too long is found in any number of lines that are in time, and nothing else", () => {
  const gaps = fc.array(
    fc.record({ line: fc.integer({ min: 0, max: 4 }), afterMs: fc.integer({ min: 0, max: 700 }) }),
    {
      minLength: 1,
      maxLength: 40,
    },
  );
  fc.assert(
    fc.property(gaps, fc.nat(), (all, nth) => {
      const at = nth % all.length;
      const nextMs = new Map<number, number>();
      const messages = all.map(({ line, afterMs }, index) => {
        const fromMs = Math.max(nextMs.get(line) ?? 0, 1_000);
        const offeredAtMs = fromMs + (index === at ? LONG_MS : afterMs);
        nextMs.set(line, offeredAtMs + 2);
        return message(`1-${index}`, `key${line}`, [1_000, offeredAtMs]);
      });
      expect(judge(...messages).overdue.map(({ id }) => id)).toEqual([`1-${at}`]);
    }),
  );
});
