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
 * payload is read again.
 */
import { compareEntryIds, type EntryId } from "@redis-batch/core";
import type { DueMessage, Mix, MixFacts } from "../decisions/next-batch.ts";
import type { Message, Offer } from "../message.ts";
import type { Signal } from "../signals.ts";
import { type Deferred, DeferredQueue } from "./deferred-queue.ts";
import { HeldIndex, type HeldItem, isDeferred, isReserved, type Reserved } from "./held-index.ts";

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
  readonly #fresh: Message<Value>[] = [];
  /** Redelivered messages; the one that ripens first is in front. */
  readonly #due: Message<Value>[] = [];
  #freshBytes = 0;
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
  #deferredCount = 0;
  #suspectsOpen = 0;
  /** Ids whose outcome has reached the server since `noteEnded`; `undefined` while nobody asks. */
  #ended: Set<EntryId> | undefined;

  /** @param roomChanged raised when a message was deferred, is no longer deferred, or left without being offered */
  constructor(roomChanged: Signal) {
    this.#roomChanged = roomChanged;
  }

  /** Messages held by their ids only, due or not. */
  get deferredCount(): number {
    return this.#deferredCount;
  }

  get size(): number {
    return this.#index.size;
  }

  get fresh(): Buffered {
    return { messages: this.#fresh.length, bytes: this.#freshBytes };
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
      this.#fresh.push(message);
      this.#freshBytes += message.bytes;
    }
    // Released messages that were never offered are older than those read since.
    if (last !== undefined && first !== undefined && compareEntryIds(first.id, last.id) < 0) this.#fresh.sort(byId);
  }

  /** Queues redelivered messages. */
  lineUpDue(messages: readonly Message<Value>[]): void {
    for (const message of messages) {
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
    return this.#due.map(({ ripeAtMs, deliveries, isSuspect }) => ({
      isRipe: ripeAtMs <= nowMs,
      largestBatch: largestBatch(deliveries),
      isSuspect,
    }));
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
  }

  /** It is in the dead letters, or no longer belongs to this consumer. */
  endDeadLetter(id: EntryId, message: Message<Value> | undefined, isTooLate: boolean): void {
    if (!isTooLate) this.#ended?.add(id);
    if (message === undefined || !isTooLate || this.isCurrent(message)) this.dismiss(id);
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
    this.#putAway(deferred);
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
    return { fresh: this.#fresh.filter(since), due: [...this.#due.filter(since), ...ids] };
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
      if (isDeferred(item)) deferred.push(item);
      else if (isReserved(item)) offered.push(item.id);
      else if (item.state === "buffered") neverOffered.push(item.id);
      else offered.push(item.id);
    }
    return { neverOffered, offered, deferred };
  }

  /** Takes a deferred message out of its line to release it. Its id is held until the server has answered. */
  letGoOfDeferred(deferred: Deferred): Reserved | undefined {
    return this.isStill(deferred) ? this.reserve(deferred.id) : undefined;
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

  #putAway(deferred: Deferred): void {
    this.#hold(deferred);
    this.#deferredCount++;
    this.#deferred.push(deferred);
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
    if (fresh < 0) return;
    this.#fresh.splice(fresh, 1);
    this.#freshBytes -= message.bytes;
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
