import { compareEntryIds, type EntryId } from "@redis-batch/core";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { makeChunk, makeMessage } from "../../test/make-messages.ts";
import { decideMix } from "../decisions/next-batch.ts";
import type { Message, MessageState } from "../message.ts";
import { Signal } from "../signals.ts";
import type { Deferred } from "./deferred-queue.ts";
import { HeldMessages } from "./held-messages.ts";

type Value = Readonly<Record<string, string>>;

const BATCH_SIZE = 4;
const MAX_BYTES = 40;
const PLACES = 10;
const idOf = (place: number): EntryId => `1-${place}`;

const place = fc.integer({ min: 1, max: PLACES });
const chance = fc.nat();
const anyStep = fc.oneof(
  fc.record({
    kind: fc.constant("read" as const),
    place,
    count: fc.integer({ min: 0, max: 5 }),
    bytes: fc.integer({ min: 2, max: 30 }),
    isEarly: fc.boolean(),
  }),
  fc.record({
    kind: fc.constantFrom("readmit" as const, "adopt" as const),
    place,
    isSuspect: fc.boolean(),
    inMs: fc.integer({ min: 0, max: 30 }),
  }),
  fc.record({ kind: fc.constantFrom("reserve" as const, "forget" as const, "lose" as const), place }),
  fc.record({ kind: fc.constantFrom("offer" as const, "pass" as const, "lineUp" as const, "ripen" as const) }),
  fc.record({
    kind: fc.constantFrom("take" as const, "putBack" as const),
    isSuspect: fc.boolean(),
    count: fc.integer({ min: 1, max: 3 }),
  }),
  fc.record({
    kind: fc.constantFrom(
      "ack" as const,
      "ackLost" as const,
      "ackEnds" as const,
      "withdraw" as const,
      "deadLetter" as const,
      "deadLetterEnds" as const,
      "batchEnds" as const,
      "letGo" as const,
      "letGoOfDeferred" as const,
    ),
    chance,
    isSuspect: fc.boolean(),
  }),
);
type Step = typeof anyStep extends fc.Arbitrary<infer One> ? One : never;

type Entry =
  | { readonly kind: "message"; readonly message: Message<Value> }
  | {
      readonly kind: "deferred";
      readonly of: Message<Value> | undefined;
      readonly dueAtMs: number;
      readonly isSuspect: boolean;
      inLine: boolean;
    }
  | { readonly kind: "reserved" };

/** What is held, in the plainest way: by id, and the state of every message there ever was. */
class Model {
  readonly held = new Map<EntryId, Entry>();
  readonly states = new Map<Message<Value>, MessageState>();
  readonly fresh = new Set<Message<Value>>();
  readonly due = new Set<Message<Value>>();
  /** Those that were acknowledged once, whatever the server said. */
  readonly wereOut = new Set<Message<Value>>();

  hold(id: EntryId, entry: Entry): void {
    const before = this.held.get(id);
    // What waits to be offered gives way to the newer delivery; what is at work ends with its batch.
    if (before?.kind === "message" && before.message !== messageIn(entry)) this.unbuffer(before.message, "returned");
    this.held.set(id, entry);
  }

  unbuffer(message: Message<Value>, next: MessageState): void {
    if (this.states.get(message) !== "buffered") return;
    this.fresh.delete(message);
    this.due.delete(message);
    this.states.set(message, next);
  }

  enter(message: Message<Value>, state: MessageState): void {
    this.unbuffer(message, state);
    this.states.set(message, state);
  }

  isCurrent(message: Message<Value>): boolean {
    const entry = this.held.get(message.id);
    return entry?.kind === "message" ? entry.message === message : entry?.kind === "deferred" && entry.of === message;
  }

  get all(): Message<Value>[] {
    return [...this.states.keys()];
  }
}

/** Which delivery it is: the object may be another one. */
const whichIs = (message: Message<Value> | undefined) => message && { chunk: message.chunk, index: message.index };
const messageIn = (entry: Entry): Message<Value> | undefined => (entry.kind === "message" ? entry.message : undefined);
const bytesOf = (messages: Iterable<Message<Value>>): number =>
  [...messages].reduce((sum, { bytes }) => sum + bytes, 0);
const sorted = (ids: readonly EntryId[]): EntryId[] => ids.toSorted(compareEntryIds);
const pick = <Item>(items: readonly Item[], at: number): Item | undefined => items[at % Math.max(items.length, 1)];

/** Does the same to both. */
class Play {
  readonly held = new HeldMessages<Value>(new Signal());
  readonly model = new Model();
  readonly offers: (readonly Message<Value>[])[] = [];
  #taken: Deferred[] = [];
  nowMs = 0;

  carryOut(step: Step): void {
    const { held, model, nowMs } = this;
    switch (step.kind) {
      case "read": {
        const ids = Array.from({ length: Math.min(step.count, PLACES + 1 - step.place) }, (_, at) =>
          idOf(step.place + at),
        );
        const chunk = makeChunk(ids, { bytes: step.bytes, atMs: nowMs });
        held.admitRead(chunk);
        if (step.isEarly) held.lineUpFresh(chunk.messages);
        else held.lineUpRead(chunk);
        for (const message of chunk.messages) this.#admitted(message, model.fresh);
        return;
      }
      case "readmit": {
        const made = { deliveries: 2, atMs: nowMs, ripeAtMs: nowMs + step.inMs, isSuspect: step.isSuspect, bytes: 5 };
        const message = makeMessage(idOf(step.place), made);
        held.admit(message);
        held.lineUpDue([message]);
        return this.#admitted(message, model.due);
      }
      case "adopt": {
        const times = { dueAtMs: nowMs + step.inMs, ripeAtMs: nowMs + step.inMs };
        const { isSuspect } = step;
        held.adopt({ id: idOf(step.place), deliveries: 2, isSuspect, hasFailedHere: false, ...times });
        return model.hold(idOf(step.place), {
          kind: "deferred",
          of: undefined,
          dueAtMs: times.dueAtMs,
          isSuspect,
          inLine: false,
        });
      }
      case "reserve":
        held.reserve(idOf(step.place));
        return model.hold(idOf(step.place), { kind: "reserved" });
      case "forget":
        // Only what is held by its id.
        if (model.held.get(idOf(step.place))?.kind === "message") return;
        held.dismiss(idOf(step.place));
        return void model.held.delete(idOf(step.place));
      case "lose": {
        const entry = model.held.get(idOf(step.place));
        const message = entry && messageIn(entry);
        expect(whichIs(held.loseLease(idOf(step.place)))).toEqual(whichIs(message));
        if (message !== undefined) model.enter(message, "tooLate");
        return void model.held.delete(idOf(step.place));
      }
      case "pass":
        this.nowMs += 10;
        return;
      case "lineUp": {
        const due = [...model.held.values()].filter(
          (one) => one.kind === "deferred" && !one.inLine && one.dueAtMs <= nowMs,
        );
        expect(held.lineUpIds(nowMs)).toBe(due.length > 0);
        for (const one of due) if (one.kind === "deferred") one.inLine = true;
        return;
      }
      case "ripen":
        return held.ripenAll(nowMs);
      case "take":
        return this.#take(step.isSuspect, step.count);
      case "putBack":
        return this.#putBack();
      case "offer":
        return this.#offer();
      default:
        return this.#settle(step);
    }
  }

  #admitted(message: Message<Value>, line: Set<Message<Value>>): void {
    this.model.states.set(message, "buffered");
    this.model.hold(message.id, { kind: "message", message });
    line.add(message);
  }

  #take(isSuspect: boolean, count: number): void {
    const { held, model } = this;
    const taken = held.takeIds(isSuspect ? "suspect" : "due", (_, before) => before < count);
    for (const one of taken) {
      const entry = model.held.get(one.id);
      expect(entry).toMatchObject({ kind: "deferred", isSuspect, inLine: true });
    }
    const inLine = [...model.held].filter(
      ([id, one]) =>
        one.kind === "deferred" &&
        one.inLine &&
        one.isSuspect === isSuspect &&
        !this.#taken.some((before) => before.id === id && held.isStill(before)),
    );
    expect(taken.length).toBe(Math.min(count, inLine.length));
    this.#taken.push(...taken);
  }

  #putBack(): void {
    const { held, model, nowMs } = this;
    const still = this.#taken.filter((one) => held.isStill(one));
    held.putBack(this.#taken, nowMs + 5);
    this.#taken = [];
    for (const { id } of still) {
      const entry = model.held.get(id);
      if (entry?.kind === "deferred")
        model.held.set(id, {
          kind: "deferred",
          of: undefined,
          dueAtMs: nowMs + 5,
          isSuspect: entry.isSuspect,
          inLine: false,
        });
    }
  }

  #offer(): void {
    const { held, model, nowMs } = this;
    const isFreshTurn = nowMs % 20 === 0;
    const offerable = {
      due: held.dueMessages(() => BATCH_SIZE, nowMs),
      ...{
        fresh: held.fresh.messages,
        moreFresh: false,
        isSuspectOpen: held.isSuspectOpen,
        isFreshTurn,
        isOthersTurn: false,
      },
    };
    const mix = decideMix(offerable, BATCH_SIZE, 0.5);
    if (mix.due.length + mix.fresh === 0) return;
    const { messages, redelivered, isFullOfBytes } = held.offer(mix, MAX_BYTES, isFreshTurn, {
      mode: "loop",
      atMs: nowMs,
    });
    expect(messages.length).toBeGreaterThan(0);
    expect(isFullOfBytes).toBe(messages.length < mix.due.length + mix.fresh);
    expect(bytesOf(messages) <= MAX_BYTES || messages.length === 1).toBe(true);
    expect(messages.map(({ id }) => id)).toEqual(sorted(messages.map(({ id }) => id)));
    expect(redelivered).toBe(messages.filter((message) => model.due.has(message)).length);
    for (const message of messages) {
      expect(model.states.get(message)).toBe("buffered");
      expect(model.isCurrent(message)).toBe(true);
      model.enter(message, "offered");
    }
    this.offers.push(messages);
  }

  #settle(step: Extract<Step, { readonly chance: number }>): void {
    const { held, model } = this;
    const inState = (...states: readonly MessageState[]): Message<Value> | undefined =>
      pick(
        model.all.filter((message) => states.includes(model.states.get(message) ?? "tooLate")),
        step.chance,
      );
    switch (step.kind) {
      case "ack":
      case "deadLetter": {
        // Of any age: one that was deferred, let go of, or delivered again since.
        const message = pick(model.all, step.chance);
        if (message === undefined) return;
        const state = model.states.get(message) ?? "tooLate";
        const mayBe =
          ["offered", "returned", "buffered"].includes(state) && (message.isLetGo || model.isCurrent(message));
        expect(held.canSettle(message)).toBe(mayBe);
        if (!mayBe || (step.kind === "deadLetter" && message.isLetGo)) return;
        const wasReturned = state === "returned";
        if (step.kind === "ack") model.wereOut.add(message);
        if (step.kind === "ack") held.beginAck(message);
        else held.beginDeadLetter(message);
        model.enter(message, step.kind === "ack" ? "acking" : "deadLettering");
        if (wasReturned && !message.isLetGo) model.hold(message.id, { kind: "message", message });
        return;
      }
      case "ackEnds":
      case "ackLost": {
        const message = inState("acking");
        if (message === undefined) return;
        const isLater = step.kind === "ackLost" && !model.isCurrent(message);
        held.endAck(message, step.kind === "ackLost");
        model.enter(message, step.kind === "ackLost" ? "tooLate" : "acknowledged");
        if (message.isLetGo || isLater) return;
        const other = model.held.get(message.id);
        // What else is held under its id goes with it; where it was lost, that is a later delivery, which counts.
        if (other?.kind === "message" && other.message !== message) model.unbuffer(other.message, "returned");
        return void model.held.delete(message.id);
      }
      case "deadLetterEnds": {
        const message = inState("deadLettering");
        if (message === undefined) return;
        const isLater = step.isSuspect && !model.isCurrent(message);
        held.endDeadLetter(message.id, message, step.isSuspect);
        model.enter(message, step.isSuspect ? "tooLate" : "deadLettered");
        if (isLater) return;
        const other = model.held.get(message.id);
        if (other?.kind === "message" && other.message !== message) model.unbuffer(other.message, "returned");
        return void model.held.delete(message.id);
      }
      case "withdraw": {
        const message = inState("acking", "deadLettering");
        if (message === undefined) return;
        held.withdrawOutcome(message);
        return model.enter(message, "offered");
      }
      case "batchEnds": {
        const message = inState("offered");
        if (message === undefined) return;
        if (!held.isCurrent(message)) {
          held.return(message);
          return model.enter(message, "returned");
        }
        const times = { dueAtMs: this.nowMs + 10, ripeAtMs: this.nowMs + 10 };
        held.defer(message, { ...times, isSuspect: step.isSuspect, isUncounted: false });
        model.enter(message, "returned");
        return model.hold(message.id, {
          kind: "deferred",
          of: message,
          dueAtMs: times.dueAtMs,
          isSuspect: step.isSuspect,
          inLine: false,
        });
      }
      case "letGo": {
        const message = inState("offered", "buffered");
        if (message === undefined || !held.isCurrent(message)) return;
        held.letGo(message);
        model.enter(message, "returned");
        return model.hold(message.id, { kind: "reserved" });
      }
      case "letGoOfDeferred": {
        const { due } = held.waitingSince(this.nowMs);
        const deferred = pick(
          [...held.allDeferred(), ...due.filter((one): one is Deferred => "dueAtMs" in one)],
          step.chance,
        );
        if (deferred === undefined) return;
        held.letGoOfDeferred(deferred);
        return model.hold(deferred.id, { kind: "reserved" });
      }
    }
  }

  check(): void {
    const { held, model } = this;
    const entries = [...model.held];
    const deferred = entries.filter(([, { kind }]) => kind === "deferred");
    const stateIn = (states: readonly MessageState[]) => (entry: Entry) => {
      const message = messageIn(entry);
      return message !== undefined && states.includes(model.states.get(message) ?? "tooLate");
    };
    const ids = (isMeant: (entry: Entry) => boolean): EntryId[] =>
      sorted(entries.filter(([, one]) => isMeant(one)).map(([id]) => id));
    expect(held.size).toBe(entries.length);
    expect(held.deferredCount).toBe(deferred.length);
    expect(held.fresh).toEqual({ messages: model.fresh.size, bytes: bytesOf(model.fresh) });
    expect(held.due).toEqual({ messages: model.due.size, bytes: bytesOf(model.due) });
    const others = [...model.due].filter(({ isSuspect }) => !isSuspect);
    expect(held.dueAmongOthers).toEqual({ messages: others.length, bytes: bytesOf(others) });
    expect(held.isSuspectBuffered).toBe([...model.due].some(({ isSuspect }) => isSuspect));
    expect(held.isSuspectOpen).toBe(
      model.all.some((message) => message.isSuspect && model.states.get(message) === "offered"),
    );
    for (const message of model.all) {
      expect(held.isCurrent(message)).toBe(model.isCurrent(message));
      expect(message.state).toBe(model.states.get(message));
    }
    for (let at = 1; at <= PLACES; at++) {
      const entry = model.held.get(idOf(at));
      expect(held.holds(idOf(at))).toBe(entry !== undefined);
      const message = entry && messageIn(entry);
      const found = held.messageOf(idOf(at));
      expect(whichIs(found)).toEqual(whichIs(message));
      // Its object is the application's, unless its outcome has been on its way.
      if (message !== undefined && !model.wereOut.has(message)) expect(found).toBe(message);
    }
    const isOpen = (entry: Entry): boolean => entry.kind === "deferred" || stateIn(["buffered", "offered"])(entry);
    expect(sorted(held.ids())).toEqual(ids(isOpen));
    const { neverOffered, offered, deferred: away } = held.inventory();
    expect(sorted(neverOffered)).toEqual(ids(stateIn(["buffered"])));
    expect(sorted(offered)).toEqual(
      ids((one) => one.kind === "reserved" || stateIn(["offered", "acking", "deadLettering"])(one)),
    );
    expect(sorted(away.map(({ id }) => id))).toEqual(ids(({ kind }) => kind === "deferred"));
    const notInLine = deferred.flatMap(([, one]) => (one.kind === "deferred" && !one.inLine ? [one.dueAtMs] : []));
    expect(held.nextDueAtMs).toBe(notInLine.length > 0 ? Math.min(...notInLine) : null);
  }
}

describe("HeldMessages", () => {
  it("holds what a plain list by id would hold, whatever comes and whatever leaves", () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 40 }), (steps) => {
        const play = new Play();
        for (const step of steps) {
          play.carryOut(step);
          play.check();
        }
        play.held.clear();
        expect(play.held.size).toBe(0);
        for (const message of play.model.all) expect(play.held.isCurrent(message)).toBe(false);
      }),
      { numRuns: 400 },
    );
  });

  it("offers no message a second time unless it was delivered again", () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 60 }), (steps) => {
        const play = new Play();
        for (const step of steps) play.carryOut(step);
        const offered = play.offers.flat();
        expect(new Set(offered).size).toBe(offered.length);
        for (const messages of play.offers) expect(new Set(messages.map(({ id }) => id)).size).toBe(messages.length);
      }),
      { numRuns: 300 },
    );
  });
});
