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
import type { EntryId } from "@redis-batch/core";
import type { DueMessage, Mix, MixFacts } from "../decisions/next-batch.ts";
import type { Message, MessageState, Offer, Place, ReadChunk } from "../message.ts";
import type { Signal } from "../signals.ts";
import { type Buffered, BufferedMessages, byId, type Cut } from "./buffered-messages.ts";
import { DeferredIds } from "./deferred-ids.ts";
import type { Deferred } from "./deferred-queue.ts";
import { HeldIndex, type HeldItem, isDeferred, isReserved, type Reserved } from "./held-index.ts";
import type { KeyOrder } from "./key-order.ts";
import { KeyParking } from "./key-parking.ts";

const isOpen = <Value>(item: HeldItem<Value>): boolean =>
  isDeferred(item) || (!isReserved(item) && (item.state === "buffered" || item.state === "offered"));

/** Whether it is the message at this place: there may be another object for it by now. */
const isAt = <Value>(item: HeldItem<Value>, { chunk, index }: Place<Value>): boolean =>
  "chunk" in item && item.chunk === chunk && item.index === index;

export class HeldMessages<Value> {
  readonly #index = new HeldIndex<Value>();
  readonly #buffered = new BufferedMessages<Value>();
  readonly #deferred = new DeferredIds((deferred) => this.isStill(deferred));
  // Which object a deferred message was. Weak, so that deferring a message frees its payload.
  readonly #objectOf = new WeakMap<Message<Value>, Deferred>();
  readonly #roomChanged: Signal;
  readonly #order: KeyOrder | undefined;
  readonly #parking: KeyParking<Value> | undefined;
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
    this.#parking =
      order &&
      new KeyParking(order, {
        ...{ index: this.#index, buffered: this.#buffered, deferred: this.#deferred, roomChanged },
        keepId: (message, deferred) => this.#keepId(message, deferred),
        unbuffer: (message) => this.#unbuffer(message),
      });
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
    return this.#buffered.fresh;
  }

  /** New messages that wait for the end of a batch that has their key. They are not among the `fresh` ones. */
  get aside(): Buffered {
    return this.#buffered.aside;
  }

  /** Redelivered messages whose payload is in memory. */
  get due(): Buffered {
    return this.#buffered.due;
  }

  /** Those of them that may share a batch: a suspect that waits its turn must not take up their room. */
  get dueAmongOthers(): Buffered {
    return this.#buffered.dueAmongOthers;
  }

  /** When the oldest new message in memory arrived; `null` if there is none. */
  get freshSinceMs(): number | null {
    return this.#buffered.freshSinceMs;
  }

  get isSuspectOpen(): boolean {
    return this.#suspectsOpen > 0;
  }

  /** Whether a suspect is in memory, with its payload. */
  get isSuspectBuffered(): boolean {
    return this.#buffered.isSuspectBuffered;
  }

  holds(id: EntryId): boolean {
    return this.#index.get(id) !== undefined;
  }

  /** Whether this object is the newest delivery of its message, deferred or not. */
  isCurrent(message: Message<Value>): boolean {
    if (message.chunk.isTogether(message.index)) return true;
    const item = this.#index.listed(message.id);
    return item !== undefined && (isAt(item, message) || item === this.#objectOf.get(message));
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
  admitRead(chunk: ReadChunk<Value>): void {
    if (this.#index.addChunk(chunk)) return;
    for (const message of chunk.messages) this.admit(message);
  }

  /** Takes in a delivered message. It supersedes an older delivery of the same id. */
  admit(message: Message<Value>): void {
    this.#hold(message);
  }

  /** Queues all messages of one read. */
  lineUpRead(chunk: ReadChunk<Value>): void {
    if (this.#order === undefined) this.#buffered.addChunk(chunk);
    else this.lineUpFresh(chunk.messages);
  }

  /** Queues new messages: some of one read, or released ones that were never offered. */
  lineUpFresh(messages: readonly Message<Value>[]): void {
    const inLine = ({ id }: Message<Value>): boolean => this.#order?.lineOf(id) !== undefined;
    const known = this.#order === undefined || this.#order.size === 0 ? [] : messages.filter(inLine);
    for (const message of known) this.lineUpDue([message]);
    this.#buffered.addFresh(known.length === 0 ? messages : messages.filter((message) => !known.includes(message)));
  }

  /** Queues redelivered messages. */
  lineUpDue(messages: readonly Message<Value>[]): void {
    const parking = this.#parking;
    if (parking === undefined) return this.#buffered.addDue(messages);
    for (const message of messages.toSorted(byId)) {
      const { key } = message;
      if (key !== undefined && !parking.isNext(message, key)) parking.park(message, key);
      else this.#buffered.addDue([message]);
    }
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
    return this.#deferred.nextDueAtMs;
  }

  /** Queues the ids of deferred messages that are due → whether there are any. */
  lineUpIds(nowMs: number): boolean {
    return this.#deferred.lineUp(nowMs);
  }

  /** Whether other messages, or a suspect, wait for their payload. */
  get waitingForPayload(): { readonly due: boolean; readonly suspect: boolean } {
    return this.#deferred.waiting;
  }

  /** Takes ids out of their line to read their payloads, one after the other as long as they fit. They stay held. */
  takeIds(kind: "due" | "suspect", fits: (next: Deferred, taken: number) => boolean): Deferred[] {
    return this.#deferred.take(kind, fits);
  }

  /** The first of those that wait for their payload. */
  get firstDueId(): Deferred | undefined {
    return this.#deferred.firstDue;
  }

  /** Puts back ids whose payload could not be read. */
  putBack(allDeferred: readonly Deferred[], dueAtMs: number): void {
    for (const before of allDeferred) if (this.isStill(before)) this.#putAway({ ...before, dueAtMs });
  }

  // ── being offered ────────────────────────────────────────────────────────────────────────────────────────────────

  /** The redelivered messages in memory, in the order in which they are offered. */
  dueMessages(largestBatch: (deliveries: number) => number, nowMs: number): readonly DueMessage[] {
    return this.#buffered.dueMessages(largestBatch, nowMs, this.#order);
  }

  /** Before a batch is put together: sees to it that the first new messages may all be offered. */
  sift(most: number, nowMs: number): void {
    this.#parking?.sift(most, nowMs);
  }

  /** When the next redelivered message ripens; infinite if none does. */
  nextRipeAtMs(nowMs: number): number {
    return this.#buffered.nextRipeAtMs(nowMs);
  }

  factsOf(mix: Mix): MixFacts {
    return this.#buffered.factsOf(mix);
  }

  /** Offers as much of the mix as `maxBytes` allows, and at least one message. */
  offer(mix: Mix, maxBytes: number, isFreshTurn: boolean, offer: Offer): Cut<Value> {
    const cut = this.#buffered.take(mix, maxBytes, isFreshTurn, offer.atMs);
    for (const message of cut.messages) {
      this.#enter(message, "offered");
      message.offer = offer;
    }
    this.#order?.open(offer, cut.messages);
    return cut;
  }

  /** New messages were offered in between, so offering what was just returned is no hot loop. */
  ripenAll(nowMs: number): void {
    this.#buffered.ripenAll(nowMs);
  }

  // ── the order of keys ────────────────────────────────────────────────────────────────────────────────────────────

  /** A batch has ended, or its handler hangs: its keys may be in other batches. */
  closeBatch(offer: Offer): void {
    this.#parking?.closeBatch(offer);
  }

  /** If some of those that stand aside arrived before this time, all of them make room: other keys must not wait for one that is slow. */
  parkAside(beforeMs: number): void {
    this.#parking?.parkAside(beforeMs);
  }

  /** A message is pending in the group, and not held here: nothing of its key may be offered before it is done. */
  learn(id: EntryId, key: string): void {
    this.#order?.put(id, key, { isParked: false });
  }

  /** What is not held here is not pending any more, or is another consumer's. */
  unlearn(id: EntryId): void {
    if (!this.holds(id)) this.#parking?.leaveLine(id);
  }

  /** Messages in lines that are not held here: released ones, or others'. */
  unheldInLines(): EntryId[] {
    return this.#parking?.unheldInLines() ?? [];
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
    this.#order?.noteSuccess(message);
    this.#parking?.leaveLine(message.id);
    message.chunk.letGoOfObject(message);
  }

  /** The server has its acknowledgement, or refused it because the message no longer belongs to this consumer. */
  endAck(place: Place<Value>, isTooLate: boolean): void {
    const { chunk, index, entry } = place;
    if (!isTooLate) this.#ended?.add(entry.id);
    // Whatever is held under its id goes with it. If it was too late, that is a later delivery, which counts.
    if (!chunk.isLetGo(index) && !this.#index.leaveChunk(place)) {
      const item = this.#index.listed(entry.id);
      if (!isTooLate || (item !== undefined && isAt(item, place))) this.dismiss(entry.id);
    }
    this.#enter(place, isTooLate ? "tooLate" : "acknowledged");
  }

  /** It is being moved to the dead letters. */
  beginDeadLetter(message: Message<Value>): void {
    this.#settle(message, "deadLettering");
    this.#parking?.stepOut(message);
  }

  /** It is in the dead letters, or no longer belongs to this consumer. */
  endDeadLetter(id: EntryId, message: Message<Value> | undefined, isTooLate: boolean): void {
    if (!isTooLate) this.#ended?.add(id);
    if (message === undefined || !isTooLate || this.isCurrent(message)) this.dismiss(id);
    else this.#parking?.leaveLine(id);
    if (message !== undefined) this.#enter(message, isTooLate ? "tooLate" : "deadLettered");
  }

  /** Its outcome could not be sent, and never will be, so it has none. */
  withdrawOutcome(place: Place<Value>): void {
    this.#enter(place, "offered");
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
    if (isCurrent) this.#parking?.stepOut(message);
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
    this.#parking?.leaveLine(id);
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
    const { fresh, due } = this.#buffered.waitingSince(atMs);
    return { fresh, due: [...due, ...this.#deferred.inLine().filter(({ dueAtMs }) => dueAtMs <= atMs)] };
  }

  /** Deferred messages that are not due yet. */
  allDeferred(): Deferred[] {
    const waiting = new Set(this.#deferred.inLine());
    const allDeferred: Deferred[] = [];
    for (const item of this.#index) if (isDeferred(item) && !waiting.has(item)) allDeferred.push(item);
    return allDeferred;
  }

  /** Since when the oldest message that could be offered has been waiting, by the local clock; `null` if there is none. */
  get oldestOfferableSinceMs(): number | null {
    const sinceMs = Math.min(this.#buffered.oldestSinceMs, this.#deferred.oldestSinceMs);
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

  #enter({ chunk, index }: Place<Value>, state: MessageState): void {
    if (chunk.isSuspect(index)) {
      if (chunk.stateAt(index) === "offered") this.#suspectsOpen--;
      if (state === "offered") this.#suspectsOpen++;
    }
    chunk.setState(index, state);
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
    if (this.#parking === undefined || key === undefined) this.#deferred.push(deferred);
    else this.#parking.stepBack(deferred.id, key, before?.offer);
    this.#roomChanged.raise();
  }

  /** A message that was never offered is held by its id only. */
  #keepId(message: Message<Value>, deferred: Deferred): void {
    this.#enter(message, "returned");
    this.#index.leaveChunk(message);
    this.#objectOf.set(message, deferred);
    this.#hold(deferred);
    this.#deferredCount++;
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
    this.#buffered.remove(message);
  }
}
