import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Offer } from "../duplicate.ts";
import { boundOf, type LivenessPolicy, WAIT_CLASSES, type WaitClass } from "./bounds.ts";
import { judgeLiveness, type LivenessAccount } from "./liveness.ts";
import type { MessageHistory } from "./waits.ts";
import type { WorkerView } from "./worker-view.ts";

const POLICY: LivenessPolicy = {
  ...{ maxWaitMs: 250, leaseMs: 2_000, heartbeatMs: 600, recoverEveryMs: 500 },
  ...{ maxHoldMs: 4_000, maxDeliveries: 8, retryCapMs: 500 },
};
const HORIZON_MS = 120_000;
/** More than any bound, with all that may be added to it. */
const LONG_MS = 20_000;

function worker(name: string, changes: Partial<WorkerView> = {}): WorkerView {
  return {
    ...{ worker: name, name, stream: "", isOld: false, fromMs: 0, toMs: undefined, end: undefined },
    ...{ places: 2, calls: [], cutOff: [], excused: [], intakeHeld: [], owned: undefined, ...changes },
  };
}
/** It reads messages, and dies at 1,000. */
const DEAD = worker("dead", { toMs: 1_000, end: "died" });
const HEALTHY = worker("healthy");

/** `parked` needs another message before it: see the tests of `order.ts`. */
type Unkeyed = Exclude<WaitClass, "parked">;

/** A message that begins to wait in this state, for so long, until it is offered and done. */
function message(index: number, waitClass: Unkeyed, waitMs: number): MessageHistory {
  const [key, id] = [`k${index}`, `1-${index}`];
  const offer = (atMs: number, changes: Partial<Offer> = {}): Offer => ({
    ...{ key, id, worker: "healthy", atMs, deliveries: 1, worked: undefined, settledAtMs: undefined },
    ...{ refusedAtMs: undefined, endedAtMs: undefined, deferred: undefined, ...changes },
  });
  const last = (atMs: number): Pick<MessageHistory, "endMs"> & { readonly offer: Offer } => ({
    offer: offer(atMs, { worked: { how: "done", atMs: atMs + 1 }, endedAtMs: atMs + 1 }),
    endMs: atMs + 2,
  });
  const fromMs = 2_000 + index * 100;
  const nothing = { key, id, addedAtMs: fromMs, owners: [], isDestroyed: false, orderKey: undefined };
  switch (waitClass) {
    case "new": {
      const end = last(fromMs + waitMs);
      return { ...nothing, offers: [end.offer], endMs: end.endMs };
    }
    case "later": {
      const end = last(fromMs + POLICY.retryCapMs + waitMs);
      return { ...nothing, offers: [offer(fromMs, { endedAtMs: fromMs }), end.offer], endMs: end.endMs };
    }
    case "released": {
      const end = last(fromMs + waitMs);
      return { ...nothing, owners: [owned(fromMs, "rb:released")], offers: [end.offer], endMs: end.endMs };
    }
    case "orphaned": {
      const end = last(1_000 + waitMs);
      return { ...nothing, addedAtMs: 900, owners: [owned(950, "dead")], offers: [end.offer], endMs: end.endMs };
    }
  }
}
/** When the first such message begins to wait. */
const BEGINS_AT_MS: Readonly<Record<Unkeyed, number>> = {
  new: 2_000,
  later: 2_500,
  released: 2_000,
  orphaned: 1_000,
};
const owned = (atMs: number, owner: string): MessageHistory["owners"][number] => ({ atMs, owner, deliveries: 1 });
const judge = (messages: readonly MessageHistory[], changes: Partial<LivenessAccount> = {}) =>
  judgeLiveness({
    ...{ policy: POLICY, messages, workers: [HEALTHY, DEAD], stalls: [], horizonMs: HORIZON_MS, ...changes },
  });

const anyClass = fc.constantFrom(...WAIT_CLASSES.filter((waitClass) => waitClass !== "parked"));
/** Waits that are within their bounds. */
const healthy = fc.array(fc.record({ waitClass: anyClass, ratio: fc.double({ min: 0, max: 1, noNaN: true }) }), {
  maxLength: 40,
});
const inTime = (waits: readonly { readonly waitClass: Unkeyed; readonly ratio: number }[]): MessageHistory[] =>
  waits.map(({ waitClass, ratio }, index) => message(index, waitClass, Math.floor(boundOf(waitClass, POLICY) * ratio)));

test("of messages that are offered within their bounds none is overdue", () => {
  fc.assert(
    fc.property(healthy, (waits) => {
      const { overdue, longestWaitMs } = judge(inTime(waits));
      expect(overdue).toEqual([]);
      for (const waitClass of WAIT_CLASSES)
        expect(longestWaitMs[waitClass]).toBeLessThanOrEqual(boundOf(waitClass, POLICY));
    }),
  );
});

test("a planted overdue message of any class is found among them, and nothing else", () => {
  fc.assert(
    fc.property(healthy, anyClass, (waits, waitClass) => {
      const planted = message(waits.length, waitClass, LONG_MS);
      const { overdue, longestWaitMs } = judge([...inTime(waits), planted]);
      expect(overdue).toMatchObject([{ key: planted.key, id: planted.id, class: waitClass, worker: "healthy" }]);
      expect(longestWaitMs[waitClass]).toBe(LONG_MS);
    }),
  );
});

test("one that is still there in the end has waited until then", () => {
  fc.assert(
    fc.property(healthy, anyClass, (waits, waitClass) => {
      const whole = message(waits.length, waitClass, 0);
      const planted = { ...whole, offers: whole.offers.slice(0, -1), endMs: undefined };
      expect(judge([...inTime(waits), planted]).overdue).toMatchObject([{ id: planted.id, class: waitClass }]);
    }),
  );
});

test("nothing is overdue while nobody could take it, whatever the excuse", () => {
  const whole = { fromMs: 0, toMs: HORIZON_MS };
  const hanging = { fromMs: 0, toMs: undefined, isSuspect: false };
  const excuses: readonly WorkerView[][] = [
    [],
    [worker("old", { isOld: true })],
    [{ ...HEALTHY, excused: [whole] }],
    [{ ...HEALTHY, calls: [hanging, hanging] }],
    [{ ...HEALTHY, toMs: 1_500, end: "died" }],
  ];
  fc.assert(
    fc.property(anyClass, fc.constantFrom(...excuses), (waitClass, workers) => {
      expect(judge([message(0, waitClass, LONG_MS)], { workers: [...workers, DEAD] }).overdue).toEqual([]);
    }),
  );
});

test("a fault's own time does not count, and what comes after it does", () => {
  fc.assert(
    fc.property(anyClass, fc.integer({ min: 1, max: 100 }), (waitClass, tenths) => {
      const excused = [{ fromMs: 0, toMs: BEGINS_AT_MS[waitClass] + LONG_MS - boundOf(waitClass, POLICY) }];
      const workers = [{ ...HEALTHY, excused }, DEAD];
      expect(judge([message(0, waitClass, LONG_MS)], { workers }).overdue).toEqual([]);
      const afterMs = LONG_MS + 500 + tenths * 100;
      expect(judge([message(0, waitClass, afterMs)], { workers }).overdue).toHaveLength(1);
    }),
  );
});

test("nor do stalls of the machine", () => {
  fc.assert(
    fc.property(anyClass, (waitClass) => {
      const fromMs = BEGINS_AT_MS[waitClass] + 100;
      const stalls = [{ fromMs, toMs: fromMs + LONG_MS - boundOf(waitClass, POLICY) }];
      expect(judge([message(0, waitClass, LONG_MS)], { stalls }).overdue).toEqual([]);
    }),
  );
});

describe("a place that is free", () => {
  test("for too short at a time is none: a new message waits for its turn", () => {
    const calls = Array.from({ length: 600 }, (_, index) => ({
      ...{ fromMs: index * 200, toMs: index * 200 + 190, isSuspect: false },
    }));
    const workers = [{ ...HEALTHY, places: 1, calls }];
    expect(judge([message(0, "new", LONG_MS)], { workers }).overdue).toEqual([]);
  });

  test("of one of three is enough, and of two where one handler hangs", () => {
    const stuck = worker("stuck", { calls: [{ fromMs: 0, toMs: undefined, isSuspect: false }], places: 1 });
    expect(judge([message(0, "new", LONG_MS)], { workers: [stuck, stuck, HEALTHY] }).overdue).toHaveLength(1);
    expect(judge([message(0, "new", LONG_MS)], { workers: [{ ...stuck, places: 2 }] }).overdue).toHaveLength(1);
    expect(judge([message(0, "new", LONG_MS)], { workers: [stuck] }).overdue).toEqual([]);
  });
});

test("a released message waits while a worker is busy for moments only, but these moments do not count", () => {
  const everySecond = (busyMs: number): WorkerView["calls"] =>
    Array.from({ length: 100 }, (_, index) => ({
      ...{ fromMs: index * 1_000, toMs: index * 1_000 + busyMs, isSuspect: false },
    }));
  const busyFor = (busyMs: number) =>
    judge([message(0, "released", LONG_MS)], { workers: [{ ...HEALTHY, places: 1, calls: everySecond(busyMs) }] });
  expect(busyFor(80).overdue).toMatchObject([{ waitedMs: LONG_MS - 20 * 80 }]);
  // What is busy for longer has not been free throughout.
  expect(busyFor(300).overdue).toEqual([]);
});

test("many that wait take their turn, as fast as a healthy group works", () => {
  const together = (count: number, perSecond: number): MessageHistory[] =>
    Array.from({ length: count }, (_, index) => {
      const { offers, ...rest } = message(index, "new", 0);
      const atMs = 5_000 + (index / perSecond) * 1_000;
      return { ...rest, addedAtMs: 5_000, offers: offers.map((offer) => ({ ...offer, atMs })), endMs: atMs + 1 };
    });
  expect(judge(together(4_000, 400)).overdue).toEqual([]);
  expect(judge(together(4_000, 100)).overdue.length).toBeGreaterThan(1_000);
});

test("read ahead by another, it has the time that that one needs to let go of it", () => {
  const readAhead = (waitMs: number): MessageHistory => ({
    ...message(0, "new", waitMs),
    owners: [owned(2_000, "busy")],
  });
  const calls = [{ fromMs: 0, toMs: undefined, isSuspect: false }];
  const workers = [worker("busy", { places: 1, calls }), HEALTHY];
  expect(judge([readAhead(3_800)], { workers }).overdue).toEqual([]);
  expect(judge([readAhead(5_000)], { workers }).overdue).toMatchObject([{ holders: ["busy"], class: "new" }]);
});

describe("a message that is kept apart", () => {
  const suspect = (waitMs: number): MessageHistory => {
    const whole = message(0, "later", waitMs);
    return { ...whole, offers: whole.offers.map((offer) => ({ ...offer, deliveries: 6 })) };
  };
  const apart = (fromMs: number, toMs: number | undefined): WorkerView["calls"][number] => ({
    ...{ fromMs, toMs, isSuspect: true },
  });

  test("waits for others of its kind, one after the other", () => {
    const calls = Array.from({ length: 12 }, (_, index) => apart(1_000 + index * 2_000, 1_100 + index * 2_000));
    expect(judge([suspect(LONG_MS)], { workers: [{ ...HEALTHY, calls }] }).overdue).toEqual([]);
    expect(judge([suspect(LONG_MS)], { workers: [HEALTHY] }).overdue).toHaveLength(1);
  });

  test("waits for those that others have at work as well", () => {
    const calls = Array.from({ length: 12 }, (_, index) => apart(1_000 + index * 2_000, 1_100 + index * 2_000));
    const other = worker("other", { excused: [{ fromMs: 0, toMs: HORIZON_MS }], calls });
    expect(judge([suspect(LONG_MS)], { workers: [HEALTHY, other] }).overdue).toEqual([]);
  });

  test("beyond its last delivery has a lease more: the consumer that had it last must not be the next", () => {
    const waits = (deliveries: number, waitMs: number): MessageHistory => {
      const whole = suspect(waitMs);
      return { ...whole, offers: whole.offers.map((offer) => ({ ...offer, deliveries })) };
    };
    const waitMs = boundOf("later", POLICY) + POLICY.leaseMs;
    expect(judge([waits(8, waitMs)]).overdue).toEqual([]);
    expect(judge([waits(7, waitMs)]).overdue).toHaveLength(1);
    expect(judge([waits(8, waitMs + 1_000)]).overdue).toHaveLength(1);
  });

  test("waits while one of its kind hangs, but nobody else does", () => {
    const workers = [{ ...HEALTHY, calls: [apart(1_000, undefined)] }];
    expect(judge([suspect(LONG_MS)], { workers }).overdue).toEqual([]);
    expect(judge([message(0, "later", LONG_MS)], { workers }).overdue).toHaveLength(1);
  });
});

test("of several streams one that rests is no excuse for the others", () => {
  const inStream = (stream: string): MessageHistory => {
    const { offers, id, ...rest } = message(0, "new", LONG_MS);
    return { ...rest, id: `${stream}/${id}`, offers: offers.map((offer) => ({ ...offer, id: `${stream}/${id}` })) };
  };
  const workers = [
    { ...HEALTHY, stream: "s", excused: [{ fromMs: 0, toMs: HORIZON_MS }] },
    { ...HEALTHY, stream: "t" },
  ];
  expect(judge([inStream("s"), inStream("t")], { workers }).overdue.map(({ id }) => id)).toEqual(["t/1-0"]);
});

test("the order of messages and workers does not matter", () => {
  fc.assert(
    fc.property(healthy, anyClass, (waits, waitClass) => {
      const messages = [...inTime(waits), message(waits.length, waitClass, LONG_MS)];
      const reversed = judge(messages.toReversed(), { workers: [DEAD, HEALTHY] });
      expect(reversed).toEqual(judge(messages));
    }),
  );
});
