/**
 * Every message this consumer holds, from its delivery to the end of its acknowledgement: the one file that changes a
 * message's state.
 *
 * | state                                       | where it is                              | leaves by                                         |
 * |---------------------------------------------|------------------------------------------|---------------------------------------------------|
 * | `buffered`                                  | in memory, never offered by this process | offered · acknowledged by id · released · tooLate |
 * | `offered`                                   | in a batch, without an outcome           | an outcome · the end of its batch · tooLate       |
 * | `acking`                                    | its acknowledgement is being sent        | acknowledged · tooLate · offered, if refused      |
 * | `deadLettering`                             | being moved to the dead letters          | deadLettered · tooLate · returned                 |
 * | `returned`                                  | its id is deferred or released           | a new delivery, which is another object           |
 * | `acknowledged` · `deadLettered` · `tooLate` | no longer held                           | –                                                 |
 *
 * Of a deferred message only the id is held. When it is due its id waits in line, suspects in a line of their own, until its
 * payload is read again. With `orderBy` a message that has one of its key in front of it is deferred as well, and in no line
 * until nothing is in front of it (`key-order.ts`).
 */
import { compareEntryIds, type EntryId } from "@redis-batch/core";
import type { DueMessage, Mix, MixFacts } from "../decisions/next-batch.ts";
import type { Message, Offer } from "../message.ts";
import type { Signal } from "../signals.ts";
import { type Deferred, DeferredQueue } from "./deferred-queue.ts";
import { HeldIndex, type HeldItem, isDeferred, isReserved, type Reserved } from "./held-index.ts";
import type { KeyLine, KeyOrder } from "./key-order.ts";

/** Messages in memory that no batch has taken yet. */
export interface Buffered {
  readonly messages: number;
  readonly bytes: number;
}

/** The messages of a mix, which are offered now. */
export interface Cut<Value> {
  readonly messages: readonly Message<Value>[];
  readonly redelivered: number;
  /** Whether some of the mix stayed behind because of `maxBytes`. */
  readonly isFullOfBytes: boolean;
}

const isOpen = <Value>(item: HeldItem<Value>): boolean =>
  isDeferred(item) || (!isReserved(item) && (item.state === "buffered" || item.state === "offered"));

export class HeldMessages<Value> {
  readonly #index = new HeldIndex<Value>();
  /** In stream order. */
  #fresh: Message<Value>[] = [];
  /** New messages of keys that are in an open batch, in stream order. */
  #aside: Message<Value>[] = [];
  /** Redelivered messages; the one that ripens first is in front. */
  readonly #due: Message<Value>[] = [];
  #freshBytes = 0;
  #asideBytes = 0;
  #asideSinceMs = 0;
  #dueBytes = 0;
  #suspectsDue = 0;
  #suspectsDueBytes = 0;
  readonly #deferred = new DeferredQueue();
  /** Deferred messages that are due and whose payload is not in memory: first in, first out. */
  #dueIds: Deferred[] = [];
  #suspectIds: Deferred[] = [];
  // Which object a deferred message was. Weak, so that deferring a message frees its payload.
  readonly #objectOf = new WeakMap<Message<Value>, Deferred>();
  readonly #roomChanged: Signal;
  readonly #order: KeyOrder | undefined;
  #deferredCount = 0;
  #suspectsOpen = 0;
  /** Ids whose outcome has reached the server since `noteEnded`; `undefined` while nobody asks. */
  #ended: Set<EntryId> | undefined;

  /**
   * @param roomChanged raised when a message was deferred, is no longer deferred, or left without being offered
   * @param order `undefined`: the order of keys does not matter
   */
  constructor(roomChanged: Signal, order?: KeyOrder) {
    this.#roomChanged = roomChanged;
    this.#order = order;
  }

  /** Messages held by their ids only, due or not. */
  get deferredCount(): number {
    return this.#deferredCount;
  }

  /** Messages that wait behind an earlier one of their key; `undefined`: the order of keys does not matter. */
  get parked(): KeyOrder["parked"] | undefined {
    return this.#order?.parked;
  }

  get size(): number {
    return this.#index.size;
  }

  get fresh(): Buffered {
    return { messages: this.#fresh.length, bytes: this.#freshBytes };
  }

  /** New messages that wait for the end of a batch that has their key. They are not among the `fresh` ones. */
  get aside(): Buffered {
    return { messages: this.#aside.length, bytes: this.#asideBytes };
  }

  /** Redelivered messages whose payload is in memory. */
  get due(): Buffered {
    return { messages: this.#due.length, bytes: this.#dueBytes };
  }

  /** Those of them that may share a batch: a suspect that waits its turn must not take up their room. */
  get dueAmongOthers(): Buffered {
    return { messages: this.#due.length - this.#suspectsDue, bytes: this.#dueBytes - this.#suspectsDueBytes };
  }

  /** When the oldest new message in memory arrived; `null` if there is none. */
  get freshSinceMs(): number | null {
    return this.#fresh[0]?.arrival.arrivedAtMs ?? null;
  }

  get isSuspectOpen(): boolean {
    return this.#suspectsOpen > 0;
  }

  /** Whether a suspect is in memory, with its payload. */
  get isSuspectBuffered(): boolean {
    return this.#suspectsDue > 0;
  }

  holds(id: EntryId): boolean {
    return this.#index.get(id) !== undefined;
  }

  /** Whether this object is the newest delivery of its message, deferred or not. */
  isCurrent(message: Message<Value>): boolean {
    if (message.chunk !== undefined) return true;
    const item = this.#index.listed(message.id);
    return item !== undefined && (item === message || item === this.#objectOf.get(message));
  }

  /** Whether the message is still deferred: neither acknowledged nor redelivered in the meantime. */
  isStill(deferred: Deferred): boolean {
    return this.#index.listed(deferred.id) === deferred;
  }

  /** The message object that is held under this id. A deferred message has none. */
  messageOf(id: EntryId): Message<Value> | undefined {
    const item = this.#index.get(id);
    return item === undefined || isDeferred(item) || isReserved(item) ? undefined : item;
  }

  /** The deferred message that is held under this id. */
  deferredOf(id: EntryId): Deferred | undefined {
    const item = this.#index.get(id);
    return item !== undefined && isDeferred(item) ? item : undefined;
  }

  /** Whether the message is held, and no outcome of it is being sent. */
  isOpen(id: EntryId): boolean {
    const item = this.#index.get(id);
    return item !== undefined && isOpen(item);
  }

  // ── coming in ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Takes in the messages of one read, in stream order. They supersede older deliveries of the same ids. */
  admitRead(messages: readonly Message<Value>[]): void {
    if (this.#index.addChunk(messages)) return;
    for (const message of messages) this.admit(message);
  }

  /** Takes in a delivered message. It supersedes an older delivery of the same id. */
  admit(message: Message<Value>): void {
    this.#hold(message);
  }

  /** Queues new messages: those of one read, or released ones that were never offered. */
  lineUpFresh(messages: readonly Message<Value>[]): void {
    const last = this.#fresh.at(-1);
    const first = messages[0];
    for (const message of messages) {
      if (this.#order?.lineOf(message.id) !== undefined) {
        this.lineUpDue([message]);
        continue;
      }
      this.#fresh.push(message);
      this.#freshBytes += message.bytes;
    }
    // Released messages that were never offered are older than those read since.
    if (last !== undefined && first !== undefined && compareEntryIds(first.id, last.id) < 0) this.#fresh.sort(byId);
  }

  /** Queues redelivered messages. */
  lineUpDue(messages: readonly Message<Value>[]): void {
    const order = this.#order;
    const some = order === undefined ? messages : messages.toSorted(byId);
    for (const message of some) {
      if (order !== undefined && message.key !== undefined && !this.#isNext(message, message.key)) {
        this.#park(message, message.key);
        continue;
      }
      this.#due.push(message);
      this.#countDue(message, 1);
    }
    this.#due.sort((left, right) => left.ripeAtMs - right.ripeAtMs);
  }

  /** Takes in the id of a message that was found pending for this consumer, or has to wait for its payload. */
  adopt(deferred: Deferred): void {
    this.#putAway(deferred);
  }

  /** Holds a message by its id only, so that it is not offered. */
  reserve(id: EntryId): Reserved {
    const reserved: Reserved = { id, isReserved: true };
    this.#hold(reserved);
    return reserved;
  }

  /** Whether it is still held by this reservation. */
  isReserved(reserved: Reserved): boolean {
    return this.#index.get(reserved.id) === reserved;
  }

  /** Ends a reservation, unless the message has been delivered again: anybody can claim a released message. */
  free(reserved: Reserved): void {
    if (this.isReserved(reserved)) this.#index.delete(reserved.id);
  }

  /** From now on notes the ids whose outcome has reached the server. */
  noteEnded(): ReadonlySet<EntryId> {
    this.#ended = new Set();
    return this.#ended;
  }

  stopNoting(): void {
    this.#ended = undefined;
  }

  // ── redelivery ─────────────────────────────────────────────────────────────────────────────────────────────────

  /** When the next deferred message is due; `null` if there is none. */
  get nextDueAtMs(): number | null {
    for (;;) {
      const next = this.#deferred.peek();
      if (next === undefined) return null;
      // Messages that are no longer deferred are skipped here, which is cheaper than removing them at once.
      if (this.isStill(next)) return next.dueAtMs;
      this.#deferred.pop();
    }
  }

  /** Queues the ids of deferred messages that are due → whether there are any. */
  lineUpIds(nowMs: number): boolean {
    let isAny = false;
    for (let atMs = this.nextDueAtMs; atMs !== null && atMs <= nowMs; atMs = this.nextDueAtMs) {
      const next = this.#deferred.pop() as Deferred;
      (next.isSuspect ? this.#suspectIds : this.#dueIds).push(next);
      isAny = true;
    }
    return isAny;
  }

  /** Whether other messages, or a suspect, wait for their payload. */
  get waitingForPayload(): { readonly due: boolean; readonly suspect: boolean } {
    const skip = (ids: Deferred[]): boolean => {
      while (ids[0] !== undefined && !this.isStill(ids[0])) ids.shift();
      return ids.length > 0;
    };
    return { due: skip(this.#dueIds), suspect: skip(this.#suspectIds) };
  }

  /** Takes ids out of their line to read their payloads, one after the other as long as they fit. They stay held. */
  takeIds(kind: "due" | "suspect", fits: (next: Deferred, taken: number) => boolean): Deferred[] {
    const ids = kind === "due" ? this.#dueIds : this.#suspectIds;
    const taken: Deferred[] = [];
    let passed = 0;
    for (const next of ids) {
      if (this.isStill(next)) {
        if (!fits(next, taken.length)) break;
        taken.push(next);
      }
      passed++;
    }
    ids.splice(0, passed);
    return taken;
  }

  /** The first of those that wait for their payload. */
  get firstDueId(): Deferred | undefined {
    return this.waitingForPayload.due ? this.#dueIds[0] : undefined;
  }

  /** Puts back ids whose payload could not be read. */
  putBack(allDeferred: readonly Deferred[], dueAtMs: number): void {
    for (const before of allDeferred) if (this.isStill(before)) this.#putAway({ ...before, dueAtMs });
  }

  // ── being offered ────────────────────────────────────────────────────────────────────────────────────────────────

  /** The redelivered messages in memory, in the order in which they are offered. */
  dueMessages(largestBatch: (deliveries: number) => number, nowMs: number): readonly DueMessage[] {
    if (this.#order !== undefined && this.#due.length > 0) return this.#dueInOrder(largestBatch, nowMs);
    return this.#due.map(({ ripeAtMs, deliveries, isSuspect }) => ({
      isRipe: ripeAtMs <= nowMs,
      largestBatch: largestBatch(deliveries),
      isSuspect,
    }));
  }

  /** The same, and each says after which other one it may be offered. */
  #dueInOrder(largestBatch: (deliveries: number) => number, nowMs: number): readonly DueMessage[] {
    const places = new Map(this.#due.map(({ id }, place) => [id, place]));
    const after = new Map<number, number | undefined>();
    for (const line of new Set(this.#due.map(({ id }) => this.#order?.lineOf(id)))) {
      let last: number | undefined;
      for (const { id, isAlone } of line === undefined || line.open > 0 ? [] : line.waiting) {
        const place = places.get(id);
        if (place === undefined || place < (last ?? 0)) break;
        after.set(place, last);
        last = place;
        if (isAlone || this.#due[place]?.isSuspect === true) break;
      }
    }
    return this.#due.map(({ ripeAtMs, deliveries, isSuspect, key }, place) => {
      const isNext = key === undefined || after.has(place);
      return {
        isRipe: isNext && ripeAtMs <= nowMs,
        largestBatch: largestBatch(deliveries),
        isSuspect,
        after: isNext ? after.get(place) : Number.NaN,
      };
    });
  }

  /**
   * Before a batch is put together: sees to it that the first new messages may all be offered. Those whose key is in an open
   * batch step aside; those that have one of their key in front of them are held by their ids only.
   */
  sift(most: number, nowMs: number): void {
    const order = this.#order;
    if (order === undefined || !order.countOpen()) return;
    const kept: Message<Value>[] = [];
    let place = 0;
    for (; place < this.#fresh.length && kept.length < most; place++) {
      const message = this.#fresh[place] as Message<Value>;
      const standing = message.key === undefined ? "free" : order.standing(message.key);
      if (standing === "free") {
        kept.push(message);
        continue;
      }
      this.#freshBytes -= message.bytes;
      if (standing === "parked") {
        // Those of its key that stand aside are older.
        this.#parkThoseAside(({ key }) => key === message.key);
        this.#park(message, message.key as string);
        continue;
      }
      if (this.#aside.length === 0) this.#asideSinceMs = nowMs;
      this.#aside.push(message);
      this.#asideBytes += message.bytes;
    }
    if (kept.length === place) return;
    this.#fresh = [...kept, ...this.#fresh.slice(place)];
    this.#roomChanged.raise();
  }

  /** A batch has ended, or its handler hangs: its keys may be in other batches. */
  closeBatch(offer: Offer): void {
    const order = this.#order;
    if (order === undefined) return;
    for (const line of order.close(offer)) this.#queueNext(line);
    if (this.#aside.length === 0) return;
    this.#fresh = [...this.#aside, ...this.#fresh].toSorted(byId);
    this.#freshBytes += this.#asideBytes;
    this.#aside = [];
    this.#asideBytes = 0;
  }

  /** Those that have stood aside since before this time make room: other keys must not wait for a batch that takes long. */
  parkAside(beforeMs: number): void {
    if (this.#aside.length === 0 || this.#asideSinceMs > beforeMs) return;
    this.#parkThoseAside(() => true);
    this.#roomChanged.raise();
  }

  /** A message is pending in the group, and not held here: nothing of its key may be offered before it is done. */
  learn(id: EntryId, key: string): void {
    this.#order?.put(id, key, { isParked: false });
  }

  /** What is not held here is not pending any more, or is another consumer's. */
  unlearn(id: EntryId): void {
    if (!this.holds(id)) this.#leaveLine(id);
  }

  /** Messages in lines that are not held here: released ones, or others'. */
  unheldInLines(): EntryId[] {
    const ids: EntryId[] = [];
    for (const { waiting } of this.#order?.lines ?? []) {
      for (const { id, isParked } of waiting) if (!isParked && !this.holds(id)) ids.push(id);
    }
    return ids;
  }

  /** When the next redelivered message ripens; infinite if none does. */
  nextRipeAtMs(nowMs: number): number {
    let atMs = Number.POSITIVE_INFINITY;
    for (const { ripeAtMs } of this.#due) if (ripeAtMs > nowMs && ripeAtMs < atMs) atMs = ripeAtMs;
    return atMs;
  }

  factsOf(mix: Mix): MixFacts {
    let firstArrivedAtMs = mix.fresh > 0 ? (this.freshSinceMs ?? 0) : Number.POSITIVE_INFINITY;
    let bytes = this.#freshBytes;
    for (const place of mix.due) {
      const message = this.#due[place] as Message<Value>;
      firstArrivedAtMs = Math.min(firstArrivedAtMs, message.arrival.arrivedAtMs);
      bytes += message.bytes;
    }
    return { bytes, firstArrivedAtMs };
  }

  /** Offers as much of the mix as `maxBytes` allows, and at least one message. */
  offer(mix: Mix, maxBytes: number, isFreshTurn: boolean, offer: Offer): Cut<Value> {
    const { wanted, first } = this.#inOrder(mix, isFreshTurn, offer.atMs);
    let bytes = 0;
    let size = 0;
    for (const message of wanted) {
      bytes += message.bytes;
      if (bytes > maxBytes && size > 0) break;
      size++;
    }
    const messages = size === wanted.length ? wanted : wanted.slice(0, size);
    // From the last to the first, so that the earlier places stay valid.
    const redelivered = mix.due.slice(0, Math.max(0, size - first));
    for (const place of redelivered.toReversed()) this.#takeDue(place);
    for (const message of this.#fresh.splice(0, size - redelivered.length)) this.#freshBytes -= message.bytes;
    // New messages are in stream order already; redelivered ones may belong between them.
    if (redelivered.length > 0) messages.sort(byId);
    for (const message of messages) {
      this.#enter(message, "offered");
      message.offer = offer;
    }
    this.#order?.open(offer, messages);
    return { messages, redelivered: redelivered.length, isFullOfBytes: size < wanted.length };
  }

  /** The messages of a mix in the order in which they get their share of the bytes, and how many new ones come first. */
  #inOrder(
    mix: Mix,
    isFreshTurn: boolean,
    nowMs: number,
  ): { readonly wanted: Message<Value>[]; readonly first: number } {
    const fresh = this.#fresh.slice(0, mix.fresh);
    // The usual case.
    if (mix.due.length === 0) return { wanted: fresh, first: fresh.length };
    const again = mix.due.map((place) => this.#due[place] as Message<Value>);
    // If the first new message is sure of a place in the batch, it is sure of its bytes as well.
    const isRipe = again.some(({ ripeAtMs }) => ripeAtMs <= nowMs);
    const first = Math.min(fresh.length, isFreshTurn || !isRipe ? 1 : 0);
    return { wanted: [...fresh.slice(0, first), ...again, ...fresh.slice(first)], first };
  }

  /** New messages were offered in between, so offering what was just returned is no hot loop. */
  ripenAll(nowMs: number): void {
    for (const message of this.#due) message.ripeAtMs = Math.min(message.ripeAtMs, nowMs);
  }

  // ── outcomes ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Whether the message can still get an outcome: it is offered, read ahead, or was returned and not redelivered since. */
  canSettle(message: Message<Value>): boolean {
    const { state } = message;
    if (state !== "offered" && state !== "returned" && state !== "buffered") return false;
    return message.isLetGo || this.isCurrent(message);
  }

  /** Its acknowledgement is being sent. */
  beginAck(message: Message<Value>): void {
    this.#settle(message, "acking");
    if (this.#order === undefined) return;
    this.#order.hasSucceeded = true;
    this.#leaveLine(message.id);
  }

  /** The server has its acknowledgement, or refused it because the message no longer belongs to this consumer. */
  endAck(message: Message<Value>, isTooLate: boolean): void {
    if (!isTooLate) this.#ended?.add(message.id);
    // Whatever is held under its id goes with it. If it was too late, that is a later delivery, which counts.
    if (!message.isLetGo && !this.#index.leaveChunk(message) && (!isTooLate || this.isCurrent(message))) {
      this.dismiss(message.id);
    }
    this.#enter(message, isTooLate ? "tooLate" : "acknowledged");
  }

  /** It is being moved to the dead letters. */
  beginDeadLetter(message: Message<Value>): void {
    this.#settle(message, "deadLettering");
    this.#stepOut(message);
  }

  /** It is in the dead letters, or no longer belongs to this consumer. */
  endDeadLetter(id: EntryId, message: Message<Value> | undefined, isTooLate: boolean): void {
    if (!isTooLate) this.#ended?.add(id);
    if (message === undefined || !isTooLate || this.isCurrent(message)) this.dismiss(id);
    else this.#leaveLine(id);
    if (message !== undefined) this.#enter(message, isTooLate ? "tooLate" : "deadLettered");
  }

  /** Its outcome could not be sent, and never will be, so it has none. */
  withdrawOutcome(message: Message<Value>): void {
    this.#enter(message, "offered");
  }

  /** It will be redelivered. Its payload is not kept. */
  defer(
    message: Message<Value>,
    { isUncounted, ...times }: Pick<Deferred, "dueAtMs" | "ripeAtMs" | "isSuspect"> & { readonly isUncounted: boolean },
  ): void {
    this.#enter(message, "returned");
    this.#index.leaveChunk(message);
    const deferred = {
      id: message.id,
      deliveries: message.deliveries - (isUncounted ? 1 : 0),
      hasFailedHere: true,
      ...times,
    };
    this.#objectOf.set(message, deferred);
    this.#putAway(deferred, message);
  }

  /**
   * It is released, and held by its id until the server has answered. `undefined`: it was redelivered in the meantime, and only
   * the later delivery can be released.
   */
  letGo(message: Message<Value>): Reserved | undefined {
    const isCurrent = this.isCurrent(message);
    this.#unbuffer(message);
    message.isLetGo = true;
    this.#enter(message, "returned");
    this.#index.leaveChunk(message);
    if (isCurrent) this.#stepOut(message);
    return isCurrent ? this.reserve(message.id) : undefined;
  }

  /** It is returned, and no longer current: only the later delivery counts. */
  return(message: Message<Value>): void {
    this.#enter(message, "returned");
  }

  /** It no longer belongs to this consumer → its object. */
  loseLease(id: EntryId): Message<Value> | undefined {
    const message = this.messageOf(id);
    this.dismiss(id);
    if (message === undefined) return undefined;
    message.wasTakenAtWork = message.state === "offered";
    this.#enter(message, "tooLate");
    return message;
  }

  /** An outcome came too late: the message was redelivered, or is no longer held. */
  markLost(message: Message<Value>): void {
    this.#enter(message, "tooLate");
  }

  /** Ends whatever is held under this id. */
  dismiss(id: EntryId): void {
    this.#displace(this.#index.get(id));
    this.#index.delete(id);
    this.#leaveLine(id);
  }

  clear(): void {
    this.#index.clear();
    this.#deferredCount = 0;
  }

  // ── what is held ─────────────────────────────────────────────────────────────────────────────────────────────────

  /** The messages whose lease has to be renewed: those whose outcome is not being sent. */
  ids(): EntryId[] {
    const ids: EntryId[] = [];
    for (const item of this.#index) if (isOpen(item)) ids.push(item.id);
    return ids;
  }

  /** Messages without an outcome in batches that were handed over before this time. */
  offeredBefore(atMs: number): Message<Value>[] {
    const messages: Message<Value>[] = [];
    for (const item of this.#index) {
      if (isDeferred(item) || isReserved(item) || item.state !== "offered") continue;
      if ((item.offer?.atMs ?? Number.POSITIVE_INFINITY) < atMs) messages.push(item);
    }
    return messages;
  }

  /** What has been waiting to be offered since before this time, with its payload or by its id. */
  waitingSince(atMs: number): { readonly fresh: Message<Value>[]; readonly due: (Message<Value> | Deferred)[] } {
    const since = ({ arrival }: Message<Value>): boolean => arrival.arrivedAtMs <= atMs;
    const ids = [...this.#dueIds, ...this.#suspectIds].filter((one) => this.isStill(one) && one.dueAtMs <= atMs);
    return { fresh: [...this.#aside, ...this.#fresh].filter(since), due: [...this.#due.filter(since), ...ids] };
  }

  /** Deferred messages that are not due yet. */
  allDeferred(): Deferred[] {
    const waiting = new Set([...this.#dueIds, ...this.#suspectIds]);
    const allDeferred: Deferred[] = [];
    for (const item of this.#index) if (isDeferred(item) && !waiting.has(item)) allDeferred.push(item);
    return allDeferred;
  }

  /** Since when the oldest message that could be offered has been waiting, by the local clock; `null` if there is none. */
  get oldestOfferableSinceMs(): number | null {
    let sinceMs = this.freshSinceMs ?? Number.POSITIVE_INFINITY;
    for (const { arrival } of this.#due) sinceMs = Math.min(sinceMs, arrival.arrivedAtMs);
    for (const ids of [this.#dueIds, this.#suspectIds]) {
      const first = ids.find((one) => this.isStill(one));
      if (first !== undefined) sinceMs = Math.min(sinceMs, first.dueAtMs);
    }
    return sinceMs === Number.POSITIVE_INFINITY ? null : sinceMs;
  }

  /** All that is held, for a consumer that leaves: an outcome that has not reached the server may never do so. */
  inventory(): {
    /** Ids of messages that the application never got. */
    readonly neverOffered: readonly EntryId[];
    readonly offered: readonly EntryId[];
    readonly deferred: readonly Deferred[];
  } {
    const neverOffered: EntryId[] = [];
    const offered: EntryId[] = [];
    const deferred: Deferred[] = [];
    for (const item of this.#index) {
      if (isDeferred(item) && item.isCountedAhead !== true) deferred.push(item);
      else if (isDeferred(item)) neverOffered.push(item.id);
      else if (isReserved(item)) offered.push(item.id);
      else if (item.state === "buffered") neverOffered.push(item.id);
      else offered.push(item.id);
    }
    return { neverOffered, offered, deferred };
  }

  /** Takes a deferred message out of its line to release it. Its id is held until the server has answered. */
  letGoOfDeferred(deferred: Deferred): Reserved | undefined {
    if (!this.isStill(deferred)) return undefined;
    const one = this.#order?.inLine(deferred.id);
    if (one !== undefined) one.isParked = false;
    return this.reserve(deferred.id);
  }

  #settle(message: Message<Value>, state: "acking" | "deadLettering"): void {
    this.#unbuffer(message);
    // After the end of its batch, but before it was redelivered: that is still in time.
    if (message.state === "returned" && !message.isLetGo) this.#hold(message);
    this.#enter(message, state);
  }

  #enter(message: Message<Value>, state: Message<Value>["state"]): void {
    if (message.isSuspect) {
      if (message.state === "offered") this.#suspectsOpen--;
      if (state === "offered") this.#suspectsOpen++;
    }
    message.state = state;
  }

  #hold(item: HeldItem<Value>): void {
    const before = this.#index.get(item.id);
    if (before !== item) this.#displace(before);
    this.#index.set(item);
  }

  #putAway(deferred: Deferred, before?: Message<Value>): void {
    this.#hold(deferred);
    this.#deferredCount++;
    const key = this.#order?.lineOf(deferred.id)?.key ?? before?.key;
    if (key === undefined) this.#deferred.push(deferred);
    else this.#stepBack(deferred.id, key, before?.offer);
    this.#roomChanged.raise();
  }

  // ── the order of keys ────────────────────────────────────────────────────────────────────────────────────────────

  /** Whether a message that was delivered again may be offered next, or after others of its key that are in memory. */
  #isNext({ id }: Message<Value>, key: string): boolean {
    const order = this.#order as KeyOrder;
    const known = order.inLine(id);
    if (known === undefined) this.#makeWay(order.put(id, key, { isParked: false }), id);
    else if (known.isParked) return false;
    const before = order.before(id);
    return before === undefined || (!before.isParked && this.messageOf(before.id)?.state === "buffered");
  }

  /** It waits behind others of its key, and only its id is held. */
  #park(message: Message<Value>, key: string): void {
    const { id, deliveries, isSuspect, ripeAtMs, arrival } = message;
    this.#enter(message, "returned");
    this.#index.leaveChunk(message);
    const deferred: Deferred = {
      ...{ id, deliveries: deliveries - 1, isSuspect, hasFailedHere: false, isCountedAhead: true },
      ...{ dueAtMs: arrival.arrivedAtMs, ripeAtMs },
    };
    this.#objectOf.set(message, deferred);
    this.#hold(deferred);
    this.#deferredCount++;
    this.#stepBack(id, key, undefined);
  }

  #parkThoseAside(isMeant: (message: Message<Value>) => boolean): void {
    if (this.#aside.length === 0) return;
    const some = this.#aside.filter(isMeant);
    if (some.length === 0) return;
    this.#aside = this.#aside.filter((message) => !isMeant(message));
    for (const message of some) {
      this.#asideBytes -= message.bytes;
      this.#park(message, message.key as string);
    }
  }

  /** A message that is held by its id only goes to its place in the line of its key. */
  #stepBack(id: EntryId, key: string, offer: Offer | undefined): void {
    const order = this.#order as KeyOrder;
    const line = order.put(id, key, { isParked: true, offer: order.isOpen(offer) ? offer : undefined });
    this.#makeWay(line, id);
    this.#queueNext(line);
  }

  /** A message that is being released or dead-lettered keeps its place in the line. */
  #stepOut({ id, key }: Message<Value>): void {
    const order = this.#order;
    if (order !== undefined && key !== undefined) this.#makeWay(order.put(id, key, { isParked: false }), id);
  }

  /** Those behind it that were about to be offered are parked again. */
  #makeWay(line: KeyLine, id: EntryId): void {
    for (const one of (this.#order as KeyOrder).behind(id)) {
      if (one.isParked) continue;
      const item = this.#index.get(one.id);
      if (item === undefined || isReserved(item)) continue;
      if (isDeferred(item)) {
        one.isParked = true;
        // The queues know the old object, and skip it.
        this.#index.set({ ...item });
      } else if (item.state === "buffered") {
        this.#unbuffer(item);
        this.#park(item, line.key);
      }
    }
  }

  /** Queues the messages of a line that have nothing in front of them. */
  #queueNext(line: KeyLine): void {
    let [dueAtMs, ripeAtMs] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
    let isFirst = true;
    for (const one of (this.#order as KeyOrder).next(line)) {
      const item = this.#index.get(one.id);
      if (item === undefined || !isDeferred(item)) return;
      if (item.isSuspect && !isFirst) return;
      // None is due before those in front of it.
      item.dueAtMs = dueAtMs = Math.max(dueAtMs, item.dueAtMs);
      item.ripeAtMs = ripeAtMs = Math.max(ripeAtMs, item.ripeAtMs);
      one.isParked = false;
      this.#deferred.push(item);
      if (item.isSuspect) break;
      isFirst = false;
    }
    if (!isFirst) this.#roomChanged.raise();
  }

  /** It is done, so the next of its key may be offered. */
  #leaveLine(id: EntryId): void {
    const line = this.#order?.settle(id);
    if (line === undefined) return;
    this.#queueNext(line);
    this.#roomChanged.raise();
  }

  /** What was held under this id is replaced or ended, and must not be offered any more. */
  #displace(item: HeldItem<Value> | undefined): void {
    if (item === undefined || isReserved(item)) return;
    if (isDeferred(item)) {
      this.#deferredCount--;
      this.#roomChanged.raise();
    } else if (item.state === "buffered") {
      this.#unbuffer(item);
      this.#enter(item, "returned");
    }
  }

  /** Takes a message out of the queue in which it waits to be offered. */
  #unbuffer(message: Message<Value>): void {
    if (message.state !== "buffered") return;
    // That makes room for another one.
    this.#roomChanged.raise();
    const place = this.#due.indexOf(message);
    if (place >= 0) return this.#takeDue(place);
    const fresh = this.#fresh.indexOf(message);
    if (fresh >= 0) {
      this.#fresh.splice(fresh, 1);
      this.#freshBytes -= message.bytes;
      return;
    }
    const aside = this.#aside.indexOf(message);
    if (aside < 0) return;
    this.#aside.splice(aside, 1);
    this.#asideBytes -= message.bytes;
  }

  #takeDue(place: number): void {
    for (const message of this.#due.splice(place, 1)) this.#countDue(message, -1);
  }

  #countDue({ bytes, isSuspect }: Message<Value>, by: 1 | -1): void {
    this.#dueBytes += by * bytes;
    if (!isSuspect) return;
    this.#suspectsDue += by;
    this.#suspectsDueBytes += by * bytes;
  }
}

const byId = (left: { readonly id: EntryId }, right: { readonly id: EntryId }): number =>
  compareEntryIds(left.id, right.id);
