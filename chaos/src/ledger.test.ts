import { describe, expect, test } from "vitest";
import type { Offer } from "./duplicate.ts";
import { type Account, judge, type ProblemKind } from "./ledger.ts";

const LEASE_MS = 1_000;

function account(changes: Partial<Account>): Account {
  return {
    rules: { leaseMs: LEASE_MS, maxHoldMs: 4_000, drainMs: 500 },
    unlike: { lasting: new Set(), old: new Set() },
    confirmed: [],
    unknown: [],
    offers: [],
    workers: [
      { worker: "a", endedAtMs: undefined, standstills: [], closingAtMs: undefined },
      { worker: "b", endedAtMs: undefined, standstills: [], closingAtMs: undefined },
    ],
    destroyed: new Set(),
    destroyedDeadLetters: new Set(),
    forgotten: [],
    isReplicated: false,
    isOrdered: false,
    ...changes,
    final: { undelivered: [], pending: [], deadLetters: [], ...changes.final },
  };
}

function offer(worker: string, atMs: number, changes: Partial<Offer> = {}): Offer {
  return {
    key: "k",
    id: "1-1",
    worker,
    atMs,
    deliveries: 1,
    worked: { how: "done", atMs: atMs + 10 },
    settledAtMs: atMs + 20,
    ...{ refusedAtMs: undefined, endedAtMs: atMs + 15, deferred: undefined },
    ...changes,
  };
}

const added = { key: "k", id: "1-1", intent: "ack", orderKey: "o" } as const;

function kindsOf(changes: Partial<Account>): ProblemKind[] {
  return judge(account(changes)).problems.map(({ kind }) => kind);
}

describe("the fate of a message", () => {
  test("worked on and gone from the group is acknowledged", () => {
    const verdict = judge(account({ confirmed: [added], offers: [offer("a", 0)] }));
    expect(verdict).toMatchObject({ confirmed: 1, acknowledged: 1, lost: 0, duplicates: 0, problems: [] });
  });

  test("confirmed and nowhere is lost", () => {
    const verdict = judge(account({ confirmed: [added] }));
    expect(verdict).toMatchObject({ lost: 1, acknowledged: 0, problems: [{ kind: "lost", key: "k", id: "1-1" }] });
  });

  test("offered to a handler that was never done with it, and gone, is lost", () => {
    expect(kindsOf({ confirmed: [added], offers: [offer("a", 0, { worked: undefined })] })).toEqual(["lost"]);
  });

  test("worked on under another id does not count", () => {
    const offers = [offer("a", 0, { id: "2-1" })];
    expect(kindsOf({ confirmed: [added], offers }).toSorted()).toEqual(["addedTwice", "lost"]);
  });

  test("destroyed by a fault is its own class, id by id", () => {
    const other = { ...added, key: "l", id: "1-2" };
    const verdict = judge(account({ confirmed: [added, other], destroyed: new Set(["1-1"]) }));
    expect(verdict).toMatchObject({ destroyed: 1, lost: 1 });
    expect(verdict.problems.map(({ id }) => id)).toEqual(["1-2"]);
  });

  test("destroyed after it was worked on is acknowledged", () => {
    const verdict = judge(account({ confirmed: [added], offers: [offer("a", 0)], destroyed: new Set(["1-1"]) }));
    expect(verdict).toMatchObject({ acknowledged: 1, destroyed: 0, problems: [] });
  });

  test("pending or undelivered in the end is in flight, and not lost", () => {
    const final = { undelivered: ["1-2"], pending: [{ id: "1-1", consumer: "a" }], deadLetters: [] };
    const verdict = judge(account({ confirmed: [added, { ...added, key: "l", id: "1-2" }], final }));
    expect(verdict.lost).toBe(0);
    expect(verdict.problems.map(({ kind }) => kind)).toEqual(["leftInFlight", "leftInFlight"]);
  });

  test("an add of unknown outcome may be there or not", () => {
    const unknown = [{ key: "k", intent: "ack" as const, orderKey: "o" }];
    expect(kindsOf({ unknown })).toEqual([]);
    expect(kindsOf({ unknown, offers: [offer("a", 0)] })).toEqual([]);
  });

  test("what nobody added is a problem", () => {
    expect(kindsOf({ offers: [offer("a", 0)] })).toEqual(["neverAdded"]);
  });

  test("one add makes one entry, unless the first was destroyed", () => {
    const offers = [offer("a", 0), offer("b", 500, { id: "2-1" })];
    const confirmed = [{ ...added, id: "2-1" }];
    expect(kindsOf({ confirmed, offers })).toEqual(["addedTwice"]);
    expect(kindsOf({ confirmed, offers, destroyed: new Set(["1-1"]) })).toEqual([]);
  });
});

describe("the order of a key", () => {
  const second = { ...added, key: "l", id: "1-2" };
  const offers = [offer("a", 100), offer("a", 0, { key: "l", id: "1-2" })];

  test("counts what was completed too early, where an order is promised", () => {
    const verdict = judge(account({ confirmed: [added, second], offers, isOrdered: true }));
    expect(verdict).toMatchObject({ outOfOrder: 1, problems: [{ kind: "outOfOrder", key: "l", id: "1-2" }] });
    expect(judge(account({ confirmed: [added, second], offers }))).toMatchObject({
      outOfOrder: undefined,
      problems: [],
    });
  });

  test("includes adds of unknown outcome", () => {
    const unknown = [{ key: "k", intent: "ack" as const, orderKey: "o" }];
    expect(kindsOf({ confirmed: [second], unknown, offers, isOrdered: true })).toEqual(["outOfOrder"]);
  });
});

describe("dead letters", () => {
  const rejected = { ...added, intent: "reject" } as const;
  const letter = { key: "k", id: "1-1", reason: "rejected", atMs: 15 };
  const withLetters = (...deadLetters: (typeof letter)[]): Account["final"] => ({
    undelivered: [],
    pending: [],
    deadLetters,
  });
  const offers = [offer("a", 0, { worked: { how: "rejected", atMs: 10 } })];

  test("one that the handler asked for is right", () => {
    const verdict = judge(account({ confirmed: [rejected], offers, final: withLetters(letter) }));
    expect(verdict).toMatchObject({ deadLettered: 1, acknowledged: 0, problems: [] });
  });

  test("one that the handler asked for and that is not there is lost", () => {
    expect(kindsOf({ confirmed: [rejected], offers })).toEqual(["lost"]);
  });

  test("one of a message that was to be acknowledged is wrong", () => {
    const final = withLetters({ ...letter, reason: "maxDeliveries" });
    expect(kindsOf({ confirmed: [added], offers, final })).toEqual(["wrongDeadLetter"]);
  });

  test("one for another reason, of another payload, or a second one is wrong", () => {
    const confirmed = [rejected];
    const otherReason = withLetters({ ...letter, reason: "maxDeliveries" });
    expect(kindsOf({ confirmed, offers, final: otherReason })).toEqual(["wrongDeadLetter"]);
    expect(kindsOf({ confirmed, offers, final: withLetters({ ...letter, key: "x" }) })).toEqual(["wrongDeadLetter"]);
    expect(kindsOf({ confirmed, offers, final: withLetters(letter, letter) })).toEqual(["wrongDeadLetter"]);
  });

  test("one that a fault destroyed counts as dead-lettered", () => {
    const verdict = judge(account({ confirmed: [rejected], offers, destroyedDeadLetters: new Set(["1-1"]) }));
    expect(verdict).toMatchObject({ deadLettered: 1, problems: [] });
  });

  test("poison that was acknowledged is a problem", () => {
    const confirmed = [{ ...added, intent: "poison" } as const];
    expect(kindsOf({ confirmed, offers: [offer("a", 0)] })).toEqual(["notDeadLettered"]);
  });
});

describe("a message that hangs", () => {
  const hang = { ...added, intent: "hang" } as const;
  const hung = offer("a", 0, { worked: undefined, settledAtMs: undefined, endedAtMs: undefined });
  const again = { ...hung, worker: "b", atMs: 5_000 };
  const deadLetteredFor = (reason: string): Account["final"] => ({
    ...{ undelivered: [], pending: [], deadLetters: [{ key: "k", id: "1-1", reason, atMs: 15 }] },
  });

  test("is dead-lettered for that, and for nothing else", () => {
    expect(kindsOf({ confirmed: [hang], offers: [hung, again], final: deadLetteredFor("hung") })).toEqual([]);
    const final = deadLetteredFor("maxDeliveries");
    expect(kindsOf({ confirmed: [hang], offers: [hung, again], final })).toEqual(["wrongDeadLetter"]);
    const unlike = { lasting: new Set(["b"]), old: new Set<string>() };
    expect(kindsOf({ confirmed: [hang], offers: [hung, again], final, unlike })).toEqual([]);
  });

  test("need not have wanted to: twice in a handler that hangs is enough, once is not", () => {
    const final = deadLetteredFor("hung");
    expect(kindsOf({ confirmed: [added], offers: [hung, again], final })).toEqual([]);
    expect(kindsOf({ confirmed: [added], offers: [hung], final })).toEqual(["wrongDeadLetter"]);
  });

  test("may be acknowledged by a worker of an earlier version, and by no other", () => {
    const offers = [hung, offer("b", 5_000)];
    expect(kindsOf({ confirmed: [hang], offers })).toEqual(["notDeadLettered"]);
    const unlike = { lasting: new Set<string>(), old: new Set(["b"]) };
    expect(kindsOf({ confirmed: [hang], offers, unlike })).toEqual([]);
  });
});

describe("a message that is deferred", () => {
  const confirmed = [{ ...added, intent: "deferredLong" } as const];
  const first = { worked: undefined, settledAtMs: undefined, deferred: { atMs: 10, delayMs: 8_000 } };
  const defer = (againMs: number, workers?: Account["workers"]): ProblemKind[] =>
    kindsOf({
      confirmed,
      offers: [offer("a", 0, first), offer("b", againMs)],
      ...(workers === undefined ? {} : { workers }),
    });

  test("is redelivered when its time has come, and not before", () => {
    expect(defer(8_100)).toEqual([]);
    expect(defer(7_900)).toEqual([]);
    expect(defer(5_000)).toEqual(["tooEarly"]);
  });

  test("is redelivered at any time when its outcome was too late", () => {
    const refused = { ...first, settledAtMs: undefined, refusedAtMs: 20 };
    expect(kindsOf({ confirmed, offers: [offer("a", 0, refused), offer("b", 5_000)] })).toEqual([]);
  });

  test("is redelivered at any time when its worker was frozen for a lease before its outcome", () => {
    const late = { ...first, deferred: { atMs: 1_500, delayMs: 8_000 } };
    const stood = (forMs: number): ProblemKind[] =>
      kindsOf({
        confirmed,
        offers: [offer("a", 0, late), offer("b", 5_000)],
        workers: [
          {
            ...{ worker: "a", endedAtMs: undefined, closingAtMs: undefined },
            standstills: [{ fromMs: 100, toMs: 100 + forMs, why: "frozen" }],
          },
        ],
      });
    expect(stood(1_390)).toEqual([]);
    expect(stood(300)).toEqual(["tooEarly"]);
  });

  test("also when its worker is gone, unless that could not tell anybody", () => {
    const ended = (endedAtMs: number): Account["workers"] => [
      { worker: "a", endedAtMs, standstills: [], closingAtMs: undefined },
    ];
    expect(defer(5_000, ended(3_000))).toEqual(["tooEarly"]);
    expect(defer(5_000, ended(500))).toEqual([]);
    const standstills = [{ fromMs: 200, toMs: 600, why: "disconnected" }];
    const cutOff = { worker: "a", endedAtMs: undefined, standstills, closingAtMs: undefined };
    expect(defer(5_000, [cutOff])).toEqual([]);
  });
});

describe("a message worked on twice", () => {
  const unsettled = { settledAtMs: undefined };
  const twice = (first: Partial<Offer>, workers?: Account["workers"]): ReturnType<typeof judge> =>
    judge(
      account({
        confirmed: [added],
        offers: [offer("b", 5_000), offer("a", 0, first)],
        ...(workers === undefined ? {} : { workers }),
      }),
    );
  const b = { worker: "b", endedAtMs: undefined, standstills: [], closingAtMs: undefined };

  test("without a reason is unexplained", () => {
    const verdict = twice(unsettled);
    expect(verdict).toMatchObject({ duplicates: 1, explainedDuplicates: 0, acknowledged: 1 });
    expect(verdict.problems).toMatchObject([{ kind: "unexplainedDuplicate", key: "k", id: "1-1" }]);
  });

  test("is explained when the first process died without an answer", () => {
    const dead = [{ worker: "a", endedAtMs: 100, standstills: [], closingAtMs: undefined }, b];
    expect(twice(unsettled, dead)).toMatchObject({ explanations: { died: 1, lease: 0 }, problems: [] });
  });

  test("is not explained by a death after the answer, or after the second offer", () => {
    expect(
      twice({}, [{ worker: "a", endedAtMs: 100, standstills: [], closingAtMs: undefined }, b]).explainedDuplicates,
    ).toBe(0);
    expect(
      twice(unsettled, [{ worker: "a", endedAtMs: 6_000, standstills: [], closingAtMs: undefined }, b])
        .explainedDuplicates,
    ).toBe(0);
  });

  test("is explained when the first worker was frozen for about a lease", () => {
    const standstills = [
      { fromMs: 5, toMs: 400, why: "disconnected" },
      { fromMs: 390, toMs: 800, why: "frozen" },
    ];
    const verdict = twice(unsettled, [{ worker: "a", endedAtMs: undefined, standstills, closingAtMs: undefined }, b]);
    expect(verdict).toMatchObject({ explanations: { died: 0, lease: 1 }, problems: [] });
  });

  test("is explained by a standstill that ended just before the first handler got it, and by none that ended earlier", () => {
    const offers = [offer("a", 1_000, unsettled), offer("b", 5_000)];
    const endingAt = (toMs: number): number => {
      const a = {
        worker: "a",
        endedAtMs: undefined,
        standstills: [{ fromMs: 0, toMs, why: "" }],
        closingAtMs: undefined,
      };
      return judge(account({ confirmed: [added], offers, workers: [a, b] })).explanations.lease;
    };
    expect(endingAt(998)).toBe(1);
    expect(endingAt(900)).toBe(0);
  });

  test("is explained when another took it while the first worker was frozen, whose outcome reached the server after that", () => {
    const standstills = [{ fromMs: 100, toMs: 2_000, why: "frozen" }];
    const again = (worker: string, atMs: number): number =>
      judge(
        account({
          confirmed: [added],
          offers: [offer("a", 0, { settledAtMs: 2_100 }), offer(worker, atMs)],
          workers: [{ worker: "a", endedAtMs: undefined, standstills, closingAtMs: undefined }, b],
        }),
      ).explanations.lease;
    expect(again("b", 2_300)).toBe(1);
    expect(again("b", 3_200)).toBe(0);
    // Nobody takes from itself what it knows the server to have.
    expect(again("a", 2_300)).toBe(0);
  });

  test("is not explained by a short standstill, nor by one at another time", () => {
    const standing = (fromMs: number, toMs: number): number =>
      twice(unsettled, [
        { worker: "a", endedAtMs: undefined, standstills: [{ fromMs, toMs, why: "" }], closingAtMs: undefined },
        b,
      ]).explainedDuplicates;
    expect(standing(5, 400)).toBe(0);
    expect(standing(6_000, 9_000)).toBe(0);
  });

  test("is explained when the second worker slept on what it had in memory", () => {
    const sleeper = { ...b, standstills: [{ fromMs: -500, toMs: 4_990, why: "frozen" }] };
    expect(
      twice({}, [{ worker: "a", endedAtMs: undefined, standstills: [], closingAtMs: undefined }, sleeper]).explanations
        .lease,
    ).toBe(1);
  });

  test("is explained when the first worker held it too long, so that it was released", () => {
    const late = { worked: { how: "done", atMs: 4_500 }, settledAtMs: undefined } as const;
    expect(twice(late)).toMatchObject({ explanations: { held: 1 }, problems: [] });
    expect(twice({ ...late, worked: { how: "done", atMs: 3_000 } }).explainedDuplicates).toBe(0);
  });

  test("is explained when the first worker was asked to stop, and did not wait for its handler any longer", () => {
    const closing = (closingAtMs: number): number =>
      twice(unsettled, [{ worker: "a", endedAtMs: undefined, standstills: [], closingAtMs }, b]).explanations.drained;
    expect(closing(1_000)).toBe(1);
    expect(closing(4_900)).toBe(0);
  });

  test("an offer that no handler finished is no duplicate", () => {
    expect(twice({ worked: undefined, settledAtMs: undefined }).duplicates).toBe(0);
  });
});
