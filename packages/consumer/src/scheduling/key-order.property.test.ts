/**
 * The parking of keys, played with all that can happen to a message: whatever comes, no two open batches have the same key,
 * no message is offered before an older one of its key, and no key waits for nothing.
 */
import { compareEntryIds, type EntryId } from "@redis-batch/core";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { makeChunk, makeMessage } from "../../test/make-messages.ts";
import { decideMix } from "../decisions/next-batch.ts";
import type { Message, Offer } from "../message.ts";
import { Signal } from "../signals.ts";
import type { Deferred } from "./deferred-queue.ts";
import { HeldMessages } from "./held-messages.ts";
import { KeyOrder } from "./key-order.ts";

type Value = Readonly<Record<string, string>>;

const BATCH_SIZE = 3;
const MESSAGES = 24;
const idOf = (n: number): EntryId => `1-${n}`;
const pick = <Item>(items: readonly Item[], at: number): Item | undefined => items[at % Math.max(items.length, 1)];

const chance = fc.nat({ max: 1_000 });
const anyStep = fc.record({
  kind: fc.constantFrom(
    ...(["read", "read", "offer", "offer", "offer", "ack", "ack", "retry", "deadLetter", "deadLetterEnds"] as const),
    ...(["end", "end", "endReleased", "hang", "claim", "claim", "release", "readAgain", "readAgain"] as const),
    ...(["readAgain", "readAgain", "readFails", "pass", "forget", "adopt", "parkAside", "giveUp"] as const),
  ),
  chance,
  isSuspect: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
});
type Step = typeof anyStep extends fc.Arbitrary<infer One> ? One : never;
const anyKeys = fc.array(fc.constantFrom("a", "a", "a", "b", "b", undefined), {
  minLength: MESSAGES,
  maxLength: MESSAGES,
});

interface Open {
  readonly offer: Offer;
  readonly messages: readonly Message<Value>[];
}

class Play {
  readonly order = new KeyOrder();
  readonly held = new HeldMessages<Value>(new Signal(), this.order);
  readonly #keys: readonly (string | undefined)[];
  readonly open: Open[] = [];
  /** Pending for nobody here: any look for released messages may bring them. */
  readonly released = new Set<EntryId>();
  /** Pending under this consumer's name, and not known to it: their delivery never arrived. */
  readonly lost = new Set<EntryId>();
  readonly done = new Set<EntryId>();
  readonly known = new Set<EntryId>();
  /** The first of each key that came back from its batch. */
  readonly failed = new Set<EntryId>();
  readonly #deliveries = new Map<EntryId, number>();
  #next = 0;
  #nowMs = 0;

  constructor(keys: readonly (string | undefined)[], before: number) {
    this.#keys = keys;
    // What an earlier process left behind is known before anything new is read.
    for (let n = 0; n < before; n++) this.#learn(this.#next++);
  }

  keyOf(id: EntryId): string | undefined {
    return this.#keys[Number(id.slice(2))];
  }

  #learn(n: number): void {
    const id = idOf(n);
    const key = this.keyOf(id);
    this.known.add(id);
    if (n % 2 === 0) this.released.add(id);
    else this.lost.add(id);
    if (key !== undefined) this.held.learn(id, key);
  }

  carryOut({ kind, chance: at, isSuspect }: Step): void {
    const { held } = this;
    const nowMs = (this.#nowMs += 3);
    const batch = pick(this.open, at);
    const unsettled = batch?.messages.filter(({ state }) => state === "offered") ?? [];
    const one = pick(unsettled, at >> 2);
    const times = { dueAtMs: nowMs + (at % 3) * 10, ripeAtMs: nowMs + (at % 3) * 10 };
    switch (kind) {
      case "read":
        return this.#read(1 + (at % 4));
      case "parkAside":
        return held.parkAside(nowMs);
      case "offer":
        return this.#offer();
      case "ack":
        if (one === undefined) return;
        held.beginAck(one);
        held.endAck(one, false);
        return void this.done.add(one.id);
      case "retry":
        if (one === undefined) return;
        return held.defer(one, { ...times, isSuspect, isUncounted: false });
      case "deadLetter":
        if (one !== undefined) held.beginDeadLetter(one);
        return;
      case "deadLetterEnds":
        return this.#deadLettersEnd(at);
      case "end":
      case "endReleased":
        if (batch === undefined) return;
        for (const message of unsettled) {
          if (kind === "end") held.defer(message, { ...times, isSuspect, isUncounted: false });
          else this.#release(message);
        }
        return this.#close(batch);
      case "hang":
        if (batch === undefined) return;
        for (const message of unsettled) {
          this.#release(message);
          held.markLost(message);
        }
        return this.#close(batch);
      case "claim":
        return this.#claim(pick([...this.released], at), isSuspect);
      case "adopt":
        return this.#adopt(pick([...this.lost], at));
      case "release": {
        const deferred = pick(held.allDeferred(), at);
        const reserved = deferred && held.letGoOfDeferred(deferred);
        if (reserved === undefined) return;
        held.free(reserved);
        return void this.released.add(reserved.id);
      }
      case "forget": {
        const deferred = pick(held.allDeferred(), at);
        if (deferred === undefined) return;
        held.dismiss(deferred.id);
        return void this.done.add(deferred.id);
      }
      case "giveUp": {
        const line = pick(this.order.blocked, at);
        const deferred = line && held.deferredOf(line.waiting[0]?.id ?? "");
        if (line === undefined || deferred === undefined || held.letGoOfDeferred(deferred) === undefined) return;
        this.order.noteGivenUp(line);
        held.endDeadLetter(deferred.id, undefined, false);
        return void this.done.add(deferred.id);
      }
      case "readAgain":
      case "readFails":
        return this.#readAgain(at, kind === "readFails");
      case "pass":
        this.#nowMs += 15;
    }
  }

  #make(id: EntryId, isSuspect: boolean): Message<Value> {
    const deliveries = (this.#deliveries.get(id) ?? 0) + 1;
    this.#deliveries.set(id, deliveries);
    const message = makeMessage(id, { deliveries, atMs: this.#nowMs, ripeAtMs: this.#nowMs, isSuspect, bytes: 5 });
    message.key = this.keyOf(id);
    return message;
  }

  #read(count: number): void {
    const ids: EntryId[] = [];
    for (; ids.length < count && this.#next < MESSAGES; this.#next++) ids.push(idOf(this.#next));
    const chunk = makeChunk(ids, { atMs: this.#nowMs, bytes: 5 });
    const read = chunk.messages;
    for (const message of read) {
      this.#deliveries.set(message.id, 1);
      message.key = this.keyOf(message.id);
    }
    this.held.admitRead(chunk);
    this.held.lineUpRead(chunk);
    for (const { id } of read) this.known.add(id);
  }

  #release(message: Message<Value>): void {
    const reserved = this.held.letGo(message);
    if (reserved === undefined) return;
    this.held.free(reserved);
    this.released.add(message.id);
  }

  #close(batch: Open): void {
    const keys = new Set<string | undefined>();
    for (const { id, state, isLetGo } of batch.messages) {
      const key = this.keyOf(id);
      this.failed.delete(id);
      if (state !== "returned" || keys.has(key)) continue;
      keys.add(key);
      if (!isLetGo) this.failed.add(id);
    }
    this.held.closeBatch(batch.offer);
    this.open.splice(this.open.indexOf(batch), 1);
  }

  #deadLettersEnd(at: number): void {
    const moving = [...this.open.flatMap(({ messages }) => messages), ...this.#moving].filter(
      ({ state }) => state === "deadLettering",
    );
    const message = pick(moving, at);
    if (message === undefined) return;
    this.held.endDeadLetter(message.id, message, false);
    this.done.add(message.id);
  }

  readonly #moving: Message<Value>[] = [];

  #claim(id: EntryId | undefined, isSuspect: boolean): void {
    if (id === undefined) return;
    this.released.delete(id);
    this.held.reserve(id);
    const isNew = !this.#deliveries.has(id);
    const message = this.#make(id, isSuspect);
    this.held.admit(message);
    if (isNew && !isSuspect) this.held.lineUpFresh([message]);
    else this.held.lineUpDue([message]);
  }

  #adopt(id: EntryId | undefined): void {
    if (id === undefined) return;
    this.lost.delete(id);
    const times = { dueAtMs: this.#nowMs, ripeAtMs: this.#nowMs };
    this.held.adopt({ id, deliveries: 0, isSuspect: false, hasFailedHere: false, ...times });
  }

  #readAgain(at: number, fails: boolean): void {
    const { held } = this;
    held.lineUpIds(this.#nowMs);
    const kind = at % 4 === 0 ? "suspect" : "due";
    const taken: Deferred[] = held.takeIds(kind, (_, before) => before < 1 + (at % 2));
    if (fails) return held.putBack(taken, this.#nowMs + 5);
    const again = taken.filter((one) => held.isStill(one)).map((one) => this.#make(one.id, one.isSuspect));
    for (const message of again) held.admit(message);
    held.lineUpDue(again);
  }

  #offer(): void {
    const { held } = this;
    const nowMs = this.#nowMs;
    held.sift(BATCH_SIZE, nowMs);
    const offerable = {
      due: held.dueMessages((deliveries) => (deliveries > 3 ? 2 : BATCH_SIZE), nowMs),
      ...{ fresh: held.fresh.messages, moreFresh: false, isSuspectOpen: held.isSuspectOpen },
      ...{ isFreshTurn: nowMs % 2 === 0, isOthersTurn: false },
    };
    const mix = decideMix(offerable, BATCH_SIZE, 0.5);
    if (mix.due.length + mix.fresh === 0) return;
    const offer: Offer = { mode: "loop", atMs: nowMs };
    const { messages } = held.offer(mix, 11, offerable.isFreshTurn, offer);
    this.#check(messages);
    this.open.push({ offer, messages });
    this.#moving.push(...messages);
  }

  #check(messages: readonly Message<Value>[]): void {
    const ids = new Set(messages.map(({ id }) => id));
    for (const { id } of messages) {
      const key = this.keyOf(id);
      if (key === undefined) continue;
      const others = this.open.flatMap((batch) => batch.messages.map((message) => this.keyOf(message.id)));
      expect(others).not.toContain(key);
      const older = [...this.known].filter((one) => this.keyOf(one) === key && compareEntryIds(one, id) < 0);
      expect(older.filter((one) => !this.done.has(one) && !ids.has(one))).toEqual([]);
      // One that failed is not offered together with those that wait behind it.
      const later = [...ids].filter((one) => this.keyOf(one) === key && compareEntryIds(one, id) > 0);
      if (this.failed.has(id)) expect(later).toEqual([]);
    }
  }

  /** What waits behind a message that is away, or not due yet, takes up no memory but for its id. */
  checkMemory(): void {
    const { held } = this;
    for (const { waiting, open } of this.order.lines) {
      const [first, ...others] = waiting;
      if (first === undefined || open > 0 || held.messageOf(first.id) !== undefined) continue;
      expect(others.filter(({ id }) => held.messageOf(id)?.state === "buffered")).toEqual([]);
    }
  }

  /** From now on everything succeeds. */
  finish(): void {
    for (let round = 0; round < 12 * MESSAGES && this.done.size < MESSAGES; round++) {
      this.#nowMs += 50;
      for (const batch of this.open.slice()) {
        for (const message of batch.messages) {
          if (message.state !== "offered") continue;
          this.held.beginAck(message);
          this.held.endAck(message, false);
          this.done.add(message.id);
        }
        this.#close(batch);
      }
      for (const _ of this.#moving) this.#deadLettersEnd(round);
      for (const id of [...this.lost]) this.#adopt(id);
      for (const id of [...this.released].toSorted(compareEntryIds)) this.#claim(id, false);
      this.#readAgain(4, false);
      this.#readAgain(1, false);
      this.#read(1);
      this.#offer();
    }
  }
}

describe("messages of one key", () => {
  it("are never in two open batches, never offered before older ones, and never wait for nothing", () => {
    fc.assert(
      fc.property(
        anyKeys,
        fc.integer({ min: 0, max: 5 }),
        fc.array(anyStep, { minLength: 20, maxLength: 120, size: "max" }),
        (keys, before, steps) => {
          const play = new Play(keys, before);
          for (const step of steps) {
            play.carryOut(step);
            play.checkMemory();
          }
          play.finish();
          expect([...play.done].toSorted(compareEntryIds)).toEqual(keys.map((_, n) => idOf(n)));
          expect([play.order.size, [...play.order.lines]]).toEqual([0, []]);
        },
      ),
      { numRuns: 1_000 },
    );
  });
});
