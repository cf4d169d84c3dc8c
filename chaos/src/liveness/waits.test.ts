import { describe, expect, test } from "vitest";
import type { Offer } from "../duplicate.ts";
import type { LivenessPolicy } from "./bounds.ts";
import { indexWorkers, type MessageHistory, waitsOf } from "./waits.ts";
import type { WorkerView } from "./worker-view.ts";

const POLICY: LivenessPolicy = {
  ...{ maxWaitMs: 250, leaseMs: 2_000, heartbeatMs: 600, recoverEveryMs: 500 },
  ...{ maxHoldMs: 4_000, maxDeliveries: 8, retryCapMs: 500 },
};
const HORIZON_MS = 60_000;

function worker(name: string, changes: Partial<WorkerView> = {}): WorkerView {
  return {
    ...{ worker: name, name, stream: "", isOld: false, fromMs: 0, toMs: undefined, end: undefined },
    ...{ places: 2, calls: [], cutOff: [], excused: [], intakeHeld: [], owned: undefined, ...changes },
  };
}
function offer(atMs: number, changes: Partial<Offer> = {}): Offer {
  return {
    ...{ key: "k", id: "1-1", worker: "a", atMs, deliveries: 1, worked: undefined, settledAtMs: undefined },
    ...{ refusedAtMs: undefined, endedAtMs: undefined, deferred: undefined, ...changes },
  };
}
const UNKEYED = { key: "k", id: "1-1", isDestroyed: false, orderKey: undefined };
/** The waits of a message that was added at 1,000, as class, begin and end. */
function waits(history: Partial<MessageHistory>, workers: readonly WorkerView[] = [worker("a"), worker("b")]) {
  const nothing = { ...UNKEYED, addedAtMs: 1_000, offers: [], owners: [], endMs: undefined };
  return waitsOf({ ...nothing, ...history }, indexWorkers(workers), POLICY, HORIZON_MS).map((wait) => [
    ...[wait.class, wait.fromMs, wait.toMs],
  ]);
}
const owned = (atMs: number, owner: string | null, deliveries = 1): MessageHistory["owners"][number] => ({
  ...{ atMs, owner, deliveries },
});
const done = { worked: { how: "done", atMs: 1_500 }, endedAtMs: 1_600 } as const;

test("a new message waits from when it was added until it is offered, or until now", () => {
  expect(waits({ offers: [offer(1_400, done)], endMs: 1_500 })).toEqual([["new", 1_000, 1_400]]);
  expect(waits({})).toEqual([["new", 1_000, HORIZON_MS]]);
});

test("what is worked on does not wait, nor what is done and on its way to the server", () => {
  expect(waits({ offers: [offer(1_400, done)] })).toEqual([["new", 1_000, 1_400]]);
});

describe("after a failure", () => {
  test("it waits once the longest delay of the retry policy is over", () => {
    const offers = [offer(1_400, { endedAtMs: 1_500 }), offer(2_800, done)];
    expect(waits({ offers, endMs: 2_900 }).slice(1)).toEqual([["later", 2_000, 2_800]]);
  });

  test("it waits once the delay that the handler asked for is over", () => {
    const first = offer(1_400, { endedAtMs: 1_500, deferred: { atMs: 1_450, delayMs: 8_000 } });
    expect(waits({ offers: [first, offer(9_800, done)], endMs: 9_900 }).slice(1)).toEqual([["later", 9_450, 9_800]]);
    expect(waits({ offers: [first, offer(9_300, done)], endMs: 9_900 }).slice(1)).toEqual([]);
  });

  test("that delay holds also when the rest of its batch never ended", () => {
    const first = offer(1_400, { deferred: { atMs: 1_450, delayMs: 8_000 } });
    expect(waits({ offers: [first, offer(9_800, done)], endMs: 9_900 }).slice(1)).toEqual([["later", 9_450, 9_800]]);
  });

  test("one on which a handler hung is kept apart afterwards", () => {
    const hung = offer(1_400, { refusedAtMs: 5_450 });
    const failed = offer(1_400, { endedAtMs: 1_500 });
    const isKept = (first: Offer): readonly boolean[] =>
      waitsOf(
        { ...UNKEYED, addedAtMs: 1_400, offers: [first, offer(9_000, done)], owners: [], endMs: 9_100 },
        indexWorkers([worker("a"), worker("b")]),
        POLICY,
        HORIZON_MS,
      ).map(({ isSuspect }) => isSuspect);
    expect(isKept(hung)).toEqual([true]);
    expect(isKept(failed)).toEqual([false]);
  });

  test("the delay holds wherever the message goes meanwhile, also when its holder dies", () => {
    const offers = [offer(1_400, { endedAtMs: 1_500, deferred: { atMs: 1_450, delayMs: 8_000 } })];
    const closed = [worker("a", { toMs: 3_000, end: "closed" }), worker("b")];
    expect(waits({ offers, owners: [owned(2_000, "rb:later")] }, closed).slice(1)).toEqual([
      ["later", 9_450, HORIZON_MS],
    ]);
    const died = [worker("a", { toMs: 3_000, end: "died" }), worker("b")];
    expect(waits({ offers }, died).slice(1)).toEqual([["orphaned", 9_450, HORIZON_MS]]);
  });
});

describe("a handler that does not end", () => {
  test("may have the message until it has held it too long", () => {
    expect(waits({ offers: [offer(1_400)] }).slice(1)).toEqual([["released", 5_400, HORIZON_MS]]);
  });

  test("makes an orphan of it when its process dies", () => {
    const workers = [worker("a", { toMs: 2_000, end: "died" }), worker("b")];
    expect(waits({ offers: [offer(1_400)] }, workers).slice(1)).toEqual([["orphaned", 2_000, HORIZON_MS]]);
  });

  test("lets it go when its process closes", () => {
    const workers = [worker("a", { toMs: 2_000, end: "closed" }), worker("b")];
    expect(waits({ offers: [offer(1_400)] }, workers).slice(1)).toEqual([["released", 2_000, HORIZON_MS]]);
  });
});

describe("a consumer that reads ahead", () => {
  test("may die, or be cut off for a while: then it is an orphan", () => {
    const died = [worker("a", { toMs: 2_000, end: "died" }), worker("b")];
    const owners = [owned(1_200, "a")];
    expect(waits({ owners }, died)).toEqual([
      ["new", 1_000, 2_000],
      ["orphaned", 2_000, HORIZON_MS],
    ]);
    const frozen = [worker("a", { cutOff: [{ fromMs: 2_000, toMs: 4_500 }] }), worker("b")];
    expect(waits({ owners }, frozen)).toEqual([
      ["new", 1_000, 2_000],
      ["orphaned", 2_000, 4_500],
      ["new", 4_500, HORIZON_MS],
    ]);
  });

  test("is of no importance while nobody has read it", () => {
    const frozen = [worker("a", { cutOff: [{ fromMs: 2_000, toMs: 4_500 }] }), worker("b")];
    expect(waits({}, frozen)).toEqual([["new", 1_000, HORIZON_MS]]);
  });

  test("and was dead when it was read leaves an orphan from the start", () => {
    const died = [worker("a", { toMs: 1_100, end: "died" }), worker("b")];
    expect(waits({ owners: [owned(1_200, "a")] }, died)).toEqual([
      ["new", 1_000, 1_200],
      ["orphaned", 1_200, HORIZON_MS],
    ]);
  });

  test("does not stop being an orphan's owner because its name is in use again", () => {
    const again = [worker("a", { toMs: 2_000, end: "died" }), { ...worker("a.2", { fromMs: 3_000 }), name: "a" }];
    expect(waits({ owners: [owned(1_200, "a")] }, again)).toEqual([
      ["new", 1_000, 2_000],
      ["orphaned", 2_000, HORIZON_MS],
    ]);
  });
});

test("released, it waits from when it was first seen to be, however often it is taken and released again", () => {
  const owners = [owned(1_200, "a"), owned(2_000, "rb:released"), owned(3_000, "b"), owned(3_500, "rb:released")];
  expect(waits({ owners })).toEqual([
    ["new", 1_000, 2_000],
    ["released", 2_000, HORIZON_MS],
  ]);
});

test("an outcome that came too late leaves it to the others", () => {
  expect(waits({ offers: [offer(1_400, { ...done, refusedAtMs: 1_700 })] }).slice(1)).toEqual([
    ["released", 1_700, HORIZON_MS],
  ]);
});

test("what an earlier version holds is excused until that dies", () => {
  const old = worker("a", { isOld: true });
  expect(waits({ owners: [owned(1_200, "a")] }, [old, worker("b")])).toEqual([["new", 1_000, 1_200]]);
  expect(waits({ offers: [offer(1_400, { endedAtMs: 1_500 })] }, [old, worker("b")])).toEqual([["new", 1_000, 1_400]]);
  expect(waits({ owners: [owned(1_200, "a")] }, [{ ...old, toMs: 5_000, end: "died" }, worker("b")])).toEqual([
    ["new", 1_000, 1_200],
    ["orphaned", 5_000, HORIZON_MS],
  ]);
});

test("it is kept apart also where it was delivered often and offered to nobody", () => {
  const kept = (deliveries: number) =>
    waitsOf(
      { ...UNKEYED, addedAtMs: 0, owners: [], offers: [offer(1_000, { ...done, deliveries })], endMs: 1_700 },
      indexWorkers([worker("a")]),
      POLICY,
      HORIZON_MS,
    ).map(({ isSuspect }) => isSuspect);
  expect([kept(4), kept(5)]).toEqual([[false], [true]]);
});

test("in the last half of its deliveries it is kept apart, and beyond the last one it is for somebody else", () => {
  const flags = (deliveries: number, counted = deliveries) =>
    waitsOf(
      {
        ...{ ...UNKEYED, addedAtMs: 0, owners: [owned(1_900, "rb:released", counted)], endMs: undefined },
        offers: [offer(1_000, { deliveries, endedAtMs: 1_100 })],
      },
      indexWorkers([worker("a")]),
      POLICY,
      HORIZON_MS,
    )
      .slice(1)
      .map(({ isSuspect, isLast }) => [isSuspect, isLast])[0];
  expect(flags(3)).toEqual([false, false]);
  expect(flags(4)).toEqual([true, false]);
  expect(flags(3, 5)).toEqual([true, false]);
  expect(flags(8)).toEqual([true, true]);
});
