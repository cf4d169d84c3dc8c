import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Ask,
  type Askable,
  type BatchPolicy,
  type Caller,
  type DueMessage,
  decideMix,
  decideNextBatch,
  type Gate,
  type Mix,
  type MixFacts,
  type NextBatch,
  NOT_ASKED,
  type Offerable,
} from "./next-batch.ts";

const policy: BatchPolicy = { batchSize: 10, maxBytes: 1_000, maxWaitMs: 500, retryShare: 0.5 };
const nothing: Offerable = {
  ...{ due: [], fresh: 0, moreFresh: false },
  ...{ isSuspectOpen: false, isFreshTurn: false, isOthersTurn: false },
};
const idle: Askable = { released: NOT_ASKED, due: NOT_ASKED, suspect: NOT_ASKED };
const open: Gate = { isPaused: false, limit: 10 };
const NOW = 10_000;
const inLoop: Caller = { calledAtMs: null, look: "none", lookUntilMs: NOW + 3_000 };
const inCall: Caller = { calledAtMs: NOW, look: "none", lookUntilMs: NOW + 3_000 };

const ripe = (count: number, largestBatch = 10_000): DueMessage[] =>
  Array.from({ length: count }, () => ({ isRipe: true, largestBatch, isSuspect: false }));
const unripe = (count: number): DueMessage[] => ripe(count).map((one) => ({ ...one, isRipe: false }));
const suspects = (count: number): DueMessage[] =>
  Array.from({ length: count }, () => ({ isRipe: true, largestBatch: 1, isSuspect: true }));

/** How many of each kind are in the mix. */
function counts(offerable: Partial<Offerable>, size = 10, share = 0.5): [due: number, fresh: number] {
  const { due, fresh } = decideMix({ ...nothing, ...offerable }, size, share);
  return [due.length, fresh];
}

interface Situation {
  readonly offerable: Offerable;
  readonly askable: Askable;
  readonly gate: Gate;
  readonly caller: Caller;
  readonly policy: BatchPolicy;
  readonly messageBytes: number;
  /** When what is in memory arrived, before now. */
  readonly agoMs: number;
}

function decide(
  { offerable, askable, gate, caller, policy: rule, messageBytes, agoMs }: Situation,
  nowMs: number = NOW,
): NextBatch {
  // What is new has arrived at that moment; all of it counts, whether it is in the mix or not.
  const factsOf = ({ due, fresh }: Mix): MixFacts => ({
    bytes: (due.length + offerable.fresh) * messageBytes,
    firstArrivedAtMs: due.length + fresh > 0 ? NOW - agoMs : Number.POSITIVE_INFINITY,
  });
  return decideNextBatch({ offerable, askable, gate }, caller, rule, nowMs, factsOf);
}

/** One with which everything is in order, changed. */
const given = (changes: Partial<Situation>): Situation => ({
  ...{ offerable: nothing, askable: idle, gate: open, caller: inLoop, policy, messageBytes: 10, agoMs: 0 },
  ...changes,
});

const anyDue: fc.Arbitrary<DueMessage> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      isRipe: fc.boolean(),
      largestBatch: fc.integer({ min: 1, max: 20 }),
      isSuspect: fc.constant(false),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ isRipe: fc.boolean(), largestBatch: fc.constant(1), isSuspect: fc.constant(true) }),
  },
);
const anyOfferable: fc.Arbitrary<Offerable> = fc.record({
  due: fc.array(anyDue, { maxLength: 30 }),
  fresh: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 30 })),
  moreFresh: fc.boolean(),
  isSuspectOpen: fc.boolean(),
  isFreshTurn: fc.boolean(),
  isOthersTurn: fc.boolean(),
});
const anySize = fc.integer({ min: 1, max: 20 });
const anyShare = fc.double({ min: 0, max: 1, noNaN: true });
const anyAsk: fc.Arbitrary<Ask> = fc.oneof(
  { weight: 3, arbitrary: fc.constant(NOT_ASKED) },
  { weight: 1, arbitrary: fc.constant<Ask>({ state: "wanted", untilMs: 0 }) },
  {
    weight: 1,
    arbitrary: fc.integer({ min: -500, max: 1_000 }).map((ms): Ask => ({ state: "asked", untilMs: NOW + ms })),
  },
);
const anySituation: fc.Arbitrary<Situation> = fc.record({
  offerable: anyOfferable,
  askable: fc.record({ released: anyAsk, due: anyAsk, suspect: anyAsk }),
  gate: fc.record({ isPaused: fc.boolean(), limit: fc.integer({ min: 0, max: 20 }) }),
  caller: fc.record({
    calledAtMs: fc.oneof(
      fc.constant(null),
      fc.integer({ min: 0, max: 5_000 }).map((ms) => NOW - ms),
    ),
    look: fc.constantFrom("none", "asked", "answered", "failed"),
    lookUntilMs: fc.integer({ min: -500, max: 3_000 }).map((ms) => NOW + ms),
  }),
  policy: fc.record({
    batchSize: anySize,
    maxBytes: fc.integer({ min: 1, max: 500 }),
    maxWaitMs: fc.integer({ min: 0, max: 2_000 }),
    retryShare: anyShare,
  }),
  messageBytes: fc.integer({ min: 1, max: 100 }),
  agoMs: fc.integer({ min: 0, max: 3_000 }),
});
const anyMood = fc.constantFrom("answers", "is silent");

const ANSWER_MS = 1_000;
const LOOK_MS = 3_000;

/**
 * Lets time pass until the caller has its answer, while nothing comes: what is asked is answered at once with nothing, or
 * never → the last decision, when it was made, and how many were.
 */
function waitFor(situation: Situation, mood: "answers" | "is silent") {
  let { caller } = situation;
  const askable: Record<"released" | "due" | "suspect", Ask> = { ...situation.askable };
  let nowMs = NOW;
  let decisions = 0;
  for (;;) {
    const next = decide({ ...situation, caller, askable }, nowMs);
    if (++decisions > 20) throw new Error(`it goes on and on: ${JSON.stringify(next)}`);
    if (next.kind === "ask") {
      if (next.what === "look")
        caller = { ...caller, look: mood === "answers" ? "answered" : "asked", lookUntilMs: nowMs + LOOK_MS };
      else askable[next.what] = mood === "answers" ? NOT_ASKED : { state: "asked", untilMs: nowMs + ANSWER_MS };
    } else if (next.kind === "wait" && next.untilMs !== null) {
      if (next.untilMs <= nowMs) throw new Error("it waits for a moment that has passed");
      nowMs = next.untilMs;
    } else {
      return { next, nowMs, decisions };
    }
  }
}

/** Whether something may go, even if something else has to wait. */
const isSomethingOfferable = ({ due, fresh }: Offerable): boolean =>
  fresh > 0 || due.some(({ isRipe, isSuspect }) => isRipe && !isSuspect);

describe("decideMix: what a batch is made of", () => {
  it("gives redelivered messages their share and new ones the rest", () => {
    expect(counts({ due: ripe(10), fresh: 10, moreFresh: true })).toEqual([5, 5]);
  });

  it("keeps no share for new messages that cannot come", () => {
    expect(counts({ due: ripe(20), fresh: 2 })).toEqual([8, 2]);
    expect(counts({ due: ripe(20) })).toEqual([10, 0]);
  });

  it("keeps to the share while new messages may still wait in the stream", () => {
    expect(counts({ due: ripe(20), moreFresh: true })).toEqual([5, 0]);
  });

  it("makes no batch of nothing but what was just returned, and lets it accompany new messages", () => {
    expect(counts({ due: unripe(10) })).toEqual([0, 0]);
    expect(counts({ due: unripe(3), fresh: 1 })).toEqual([3, 1]);
  });

  it("takes turns where a batch has no room for both", () => {
    const both = { due: ripe(3), fresh: 3, moreFresh: true };
    expect(counts(both, 1)).toEqual([1, 0]);
    expect(counts({ ...both, isFreshTurn: true }, 1)).toEqual([0, 1]);
    expect(counts({ ...both, due: ripe(3, 1), isFreshTurn: true })).toEqual([0, 3]);
  });

  it("offers a message alone that may only be alone, and calls that a full batch", () => {
    const offerable = { ...nothing, due: [...ripe(1, 1), ...ripe(5)], fresh: 9 };
    expect(decideMix(offerable, 10, 0.5)).toEqual({ due: [0], fresh: 0, full: 1 });
  });

  it("leaves out a message that may not be part of a batch as large as this one is already", () => {
    const offerable = { ...nothing, due: [...ripe(3), ...ripe(1, 2)] };
    expect(decideMix(offerable, 10, 0.5).due).toEqual([0, 1, 2]);
  });

  it("offers one suspect at a time, alone, and passes them all while one is open", () => {
    const due = [...suspects(2), ...ripe(2)];
    expect(decideMix({ ...nothing, due }, 10, 0.5)).toEqual({ due: [0], fresh: 0, full: 1 });
    expect(decideMix({ ...nothing, due, isSuspectOpen: true }, 10, 0.5).due).toEqual([2, 3]);
  });

  it("lets everybody else go after a suspect, and the next suspect at once where there is nobody else", () => {
    const after = { ...nothing, isOthersTurn: true };
    expect(decideMix({ ...after, due: [...suspects(1), ...ripe(2)] }, 10, 0.5).due).toEqual([1, 2]);
    expect(decideMix({ ...after, due: suspects(1), fresh: 3 }, 10, 0.5)).toMatchObject({ due: [], fresh: 3 });
    expect(decideMix({ ...after, due: [...suspects(1), ...unripe(2)] }, 10, 0.5).due).toEqual([0]);
  });

  it("never takes more than there is, nor more than a batch full, nor anything twice", () => {
    fc.assert(
      fc.property(anyOfferable, anySize, anyShare, (offerable, size, share) => {
        const mix = decideMix(offerable, size, share);
        expect(mix.fresh).toBeGreaterThanOrEqual(0);
        expect(mix.fresh).toBeLessThanOrEqual(offerable.fresh);
        expect(mix.due).toEqual([...new Set(mix.due)].toSorted((left, right) => left - right));
        expect(mix.due.every((place) => offerable.due[place] !== undefined)).toBe(true);
        expect(mix.full).toBeLessThanOrEqual(size);
        expect(mix.due.length + mix.fresh).toBeLessThanOrEqual(mix.full);
      }),
    );
  });

  it("puts no message into a batch larger than it may be part of, and a suspect beside nobody", () => {
    fc.assert(
      fc.property(anyOfferable, anySize, anyShare, (offerable, size, share) => {
        const mix = decideMix(offerable, size, share);
        const taken = mix.due.flatMap((place) => offerable.due[place] ?? []);
        for (const { largestBatch } of taken) expect(mix.full).toBeLessThanOrEqual(largestBatch);
        if (!taken.some(({ isSuspect }) => isSuspect)) return;
        expect([taken.length, mix.fresh, offerable.isSuspectOpen]).toEqual([1, 0, false]);
      }),
    );
  });

  it("lets redelivered messages have at most their share while more new ones wait than have room", () => {
    fc.assert(
      fc.property(anyOfferable, anySize, anyShare, (offerable, size, share) => {
        const mix = decideMix(offerable, size, share);
        const areNewLeft = offerable.fresh > mix.fresh || offerable.moreFresh;
        const most = areNewLeft ? Math.max(1, Math.floor(mix.full * share)) : offerable.due.length;
        expect(mix.due.length).toBeLessThanOrEqual(most);
      }),
    );
  });

  it("leaves no place empty for new messages that cannot come, while a ripe one could take it", () => {
    const anyHealthy = fc.record({
      isRipe: fc.boolean(),
      largestBatch: fc.constant(1_000),
      isSuspect: fc.constant(false),
    });
    fc.assert(
      fc.property(
        fc.array(anyHealthy, { maxLength: 30 }),
        anyOfferable,
        anySize,
        anyShare,
        (due, rest, size, share) => {
          const { fresh } = rest;
          const mix = decideMix({ ...rest, due, moreFresh: false }, size, share);
          const mayGo = due.filter(({ isRipe }) => isRipe || fresh > 0).length;
          expect(mix.due.length + mix.fresh).toBe(Math.min(size, mayGo + fresh));
        },
      ),
    );
  });

  it("never starves new messages: in their turn there is one in the batch, whatever its size and the share", () => {
    fc.assert(
      fc.property(anyOfferable, anySize, anyShare, (offerable, size, share) => {
        fc.pre(offerable.fresh > 0);
        expect(decideMix({ ...offerable, isFreshTurn: true }, size, share).fresh).toBeGreaterThan(0);
      }),
    );
  });

  it("never starves ripe redelivered messages: the first of them goes, unless it is the new ones' turn", () => {
    fc.assert(
      fc.property(anyOfferable, anySize, anyShare, (offerable, size, share) => {
        const due = offerable.due.filter(({ isRipe, isSuspect }) => isRipe && !isSuspect);
        fc.pre(due.length > 0);
        expect(decideMix({ ...offerable, due, isFreshTurn: false }, size, share).due).toContain(0);
      }),
    );
  });

  it("makes no batch of nothing but what was just returned", () => {
    fc.assert(
      fc.property(anyOfferable, anySize, anyShare, (offerable, size, share) => {
        const mix = decideMix(offerable, size, share);
        const isOneRipe = mix.due.some((place) => offerable.due[place]?.isRipe);
        expect(mix.due.length > 0 && !isOneRipe && mix.fresh === 0).toBe(false);
      }),
    );
  });

  it("lets suspects that cannot go hold up nobody: the others go as if there were none", () => {
    fc.assert(
      fc.property(anyOfferable, anySize, anyShare, (offerable, size, share) => {
        const others = offerable.due.filter(({ isSuspect }) => !isSuspect);
        const mix = decideMix({ ...offerable, isSuspectOpen: true }, size, share);
        const withoutSuspects = decideMix({ ...offerable, due: others }, size, share);
        expect(mix.due.map((place) => offerable.due[place])).toEqual(withoutSuspects.due.map((place) => others[place]));
        expect([mix.fresh, mix.full]).toEqual([withoutSuspects.fresh, withoutSuspects.full]);
      }),
    );
  });

  it("lets the others not hold up a suspect for ever: the first in line goes within three batches", () => {
    fc.assert(
      fc.property(anyOfferable, anySize, anyShare, (offerable, size, share) => {
        const due = [...suspects(1), ...offerable.due];
        let situation: Offerable = { ...offerable, due, isSuspectOpen: false };
        const went = [1, 2, 3].some(() => {
          // Whatever goes is replaced at once by the like.
          const mix = decideMix(situation, size, share);
          const isSuspect = mix.due.some((place) => due[place]?.isSuspect);
          situation = { ...situation, isFreshTurn: mix.fresh === 0, isOthersTurn: isSuspect };
          return isSuspect;
        });
        expect(went).toBe(true);
      }),
    );
  });
});

describe("decideNextBatch: when a batch goes, and for what and until when it waits", () => {
  it("offers a full batch at once, and what fills the bytes", () => {
    expect(decide(given({ offerable: { ...nothing, fresh: 10 } }))).toMatchObject({ kind: "offer", reason: "entries" });
    const large = given({ offerable: { ...nothing, fresh: 5 }, messageBytes: 200 });
    expect(decide(large)).toMatchObject({ kind: "offer", reason: "bytes" });
  });

  it("waits in a loop maxWaitMs from the first message, in a call from the call", () => {
    const offerable = { ...nothing, fresh: 3 };
    expect(decide(given({ offerable, agoMs: 200 }))).toEqual({ kind: "wait", untilMs: NOW + 300 });
    expect(decide(given({ offerable, agoMs: 200, caller: inCall }))).toEqual({ kind: "wait", untilMs: NOW + 500 });
    expect(decide(given({ offerable, agoMs: 500 }))).toMatchObject({ kind: "offer", reason: "wait" });
  });

  it("waits without end in a loop while there is nothing", () => {
    expect(decide(given({}))).toEqual({ kind: "wait", untilMs: null });
  });

  it("asks for a look before it says in a call that there is nothing", () => {
    const caller = { ...inCall, calledAtMs: NOW - 500 };
    expect(decide(given({ caller }))).toEqual({ kind: "ask", what: "look" });
    expect(decide(given({ caller: { ...caller, look: "asked" } }))).toEqual({ kind: "wait", untilMs: NOW + 3_000 });
    expect(decide(given({ caller: { ...caller, look: "answered" } }))).toEqual({ kind: "empty" });
    expect(decide(given({ caller: { ...caller, look: "failed" } }))).toEqual({ kind: "refuse" });
    expect(decide(given({ caller: { ...caller, look: "asked", lookUntilMs: NOW } }))).toEqual({ kind: "refuse" });
  });

  it("looks before it gives away what is kept for new messages that may or may not come", () => {
    const offerable = { ...nothing, due: ripe(10), moreFresh: true };
    expect(decide(given({ offerable }))).toEqual({ kind: "ask", what: "look" });
    expect(decide(given({ offerable: { ...offerable, isFreshTurn: true, due: ripe(1, 1) } }))).toEqual({
      kind: "ask",
      what: "look",
    });
  });

  it("does not look for more where the bytes are full already: there would be no room for it", () => {
    const offerable = { ...nothing, fresh: 4, due: ripe(10), moreFresh: true };
    expect(decide(given({ offerable, messageBytes: 250 }))).toMatchObject({ kind: "offer", reason: "bytes" });
  });

  it("asks first for what nobody holds, then for what was returned, then for a suspect", () => {
    const wanted: Ask = { state: "wanted", untilMs: 0 };
    const offerable = { ...nothing, fresh: 10 };
    const asks = (askable: Askable, changes: Partial<Offerable> = {}): NextBatch =>
      decide(given({ offerable: { ...offerable, ...changes }, askable }));
    expect(asks({ released: wanted, due: wanted, suspect: wanted })).toEqual({ kind: "ask", what: "released" });
    expect(asks({ released: NOT_ASKED, due: wanted, suspect: wanted })).toEqual({ kind: "ask", what: "due" });
    expect(asks({ ...idle, suspect: wanted })).toEqual({ kind: "ask", what: "suspect" });
    expect(asks({ ...idle, suspect: wanted }, { isSuspectOpen: true })).toMatchObject({ kind: "offer" });
    expect(asks({ ...idle, suspect: wanted }, { isOthersTurn: true })).toMatchObject({ kind: "offer" });
  });

  it("ends a call empty while the consumer is paused, without a look, and keeps a loop waiting", () => {
    const gate = { isPaused: true, limit: 0 };
    expect(decide(given({ gate, caller: { ...inCall, calledAtMs: NOW - 500 } }))).toEqual({ kind: "empty" });
    expect(decide(given({ gate, offerable: { ...nothing, fresh: 10 } }))).toEqual({ kind: "wait", untilMs: null });
  });

  it("offers nothing while it is in doubt whose the messages are, and refuses a call that waited long enough", () => {
    const gate = { isPaused: false, limit: 0 };
    const caller = { ...inCall, calledAtMs: NOW - 500, lookUntilMs: NOW };
    expect(decide(given({ gate, caller, offerable: { ...nothing, fresh: 10 } }))).toEqual({ kind: "refuse" });
  });

  it("offers what may be offered within its bound, whatever is asked and whether or not it is answered", () => {
    fc.assert(
      fc.property(anySituation, anyMood, (situation, mood) => {
        const { offerable, gate, caller, policy: rule, agoMs } = situation;
        fc.pre(!gate.isPaused && gate.limit > 0 && isSomethingOfferable(offerable));
        const { next, nowMs } = waitFor(situation, mood);
        expect(next.kind).toBe("offer");
        const since = caller.calledAtMs ?? NOW - agoMs;
        const answersMs = mood === "answers" ? ANSWER_MS : 2 * ANSWER_MS + LOOK_MS;
        // The time of its own, and what the answers take that were asked for, before or now.
        const asked = [situation.askable.released, situation.askable.due, situation.askable.suspect].map(
          ({ untilMs }) => untilMs,
        );
        const bound = Math.max(since + rule.maxWaitMs, NOW, caller.lookUntilMs, ...asked) + answersMs;
        expect(nowMs).toBeLessThanOrEqual(bound);
      }),
      { numRuns: 1_000 },
    );
  });

  it("ends every call, and soon, whatever is there and whether or not the server answers", () => {
    fc.assert(
      fc.property(anySituation, anyMood, (situation, mood) => {
        const { caller } = situation;
        const { next } = waitFor(situation, mood);
        if (caller.calledAtMs === null) return;
        expect(["offer", "empty", "refuse"]).toContain(next.kind);
      }),
      { numRuns: 1_000 },
    );
  });

  it("says that there is nothing only after a look that was answered, or while it is paused", () => {
    fc.assert(
      fc.property(anySituation, (situation) => {
        const { offerable, gate, caller, policy: rule } = situation;
        if (decide(situation).kind !== "empty") return;
        expect(
          caller.calledAtMs === null ? Number.POSITIVE_INFINITY : caller.calledAtMs + rule.maxWaitMs,
        ).toBeLessThanOrEqual(NOW);
        if (gate.isPaused) return;
        expect(caller.look).toBe("answered");
        expect(isSomethingOfferable(offerable)).toBe(false);
      }),
      { numRuns: 1_000 },
    );
  });

  it("offers nothing while it is paused or in doubt, nothing above the limit, and nothing empty", () => {
    fc.assert(
      fc.property(anySituation, (situation) => {
        const next = decide(situation);
        if (next.kind !== "offer") return;
        const { mix } = next;
        expect(situation.gate.isPaused).toBe(false);
        expect(mix.due.length + mix.fresh).toBeGreaterThan(0);
        expect(mix.full).toBeLessThanOrEqual(Math.min(situation.gate.limit, situation.policy.batchSize));
      }),
      { numRuns: 1_000 },
    );
  });

  it("is not kept by an open suspect, or one whose payload does not come, when others can go", () => {
    fc.assert(
      fc.property(anySituation, anyMood, (situation, mood) => {
        const { offerable } = situation;
        fc.pre(!situation.gate.isPaused && situation.gate.limit > 0 && isSomethingOfferable(offerable));
        const without = {
          ...offerable,
          due: offerable.due.filter(({ isSuspect }) => !isSuspect),
          isSuspectOpen: false,
        };
        const alone = waitFor(
          { ...situation, offerable: without, askable: { ...situation.askable, suspect: NOT_ASKED } },
          mood,
        );
        const beside = waitFor({ ...situation, offerable: { ...offerable, isSuspectOpen: true } }, mood);
        expect(beside.nowMs).toBe(alone.nowMs);
        expect(beside.next.kind).toBe(alone.next.kind);
      }),
    );
  });
});
