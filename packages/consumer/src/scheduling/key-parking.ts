/**
 * What the order of keys does to the messages that are held: which of them are parked, and when one may be offered. Which waits
 * behind which is known by `key-order.ts`.
 */
import type { EntryId } from "@redis-batch/core";
import type { Message, Offer } from "../message.ts";
import type { Signal } from "../signals.ts";
import type { BufferedMessages } from "./buffered-messages.ts";
import type { DeferredIds } from "./deferred-ids.ts";
import type { Deferred } from "./deferred-queue.ts";
import { type HeldIndex, isDeferred, isReserved } from "./held-index.ts";
import type { KeyLine, KeyOrder } from "./key-order.ts";

/** What is held, and how it is put away. */
export interface ParkingPlace<Value> {
  readonly index: HeldIndex<Value>;
  readonly buffered: BufferedMessages<Value>;
  readonly deferred: DeferredIds;
  readonly roomChanged: Signal;
  /** From now on only the id of the message is held. */
  keepId(message: Message<Value>, deferred: Deferred): void;
  /** Takes a message that was about to be offered out of the memory. */
  unbuffer(message: Message<Value>): void;
}

/** Long enough that a key with quick batches drains the memory first, and is not read twice. */
const PATIENCE_MS = 100;

export class KeyParking<Value> {
  readonly #order: KeyOrder;
  readonly #place: ParkingPlace<Value>;

  constructor(order: KeyOrder, place: ParkingPlace<Value>) {
    this.#order = order;
    this.#place = place;
  }

  /** Whether a message that was delivered again may be offered next, or after others of its key that are in memory. */
  isNext({ id }: Message<Value>, key: string): boolean {
    const order = this.#order;
    const known = order.inLine(id);
    if (known === undefined) this.#makeWay(order.put(id, key, { isParked: false }), id);
    else if (known.isParked) return false;
    const before = order.before(id);
    return before === undefined || (!before.isParked && this.#messageOf(before.id)?.state === "buffered");
  }

  /** It waits behind others of its key, and only its id is held. */
  park(message: Message<Value>, key: string): void {
    const { id, deliveries, isSuspect, ripeAtMs, arrival } = message;
    this.#place.keepId(message, {
      ...{ id, deliveries: deliveries - 1, isSuspect, hasFailedHere: false, isCountedAhead: true },
      ...{ dueAtMs: arrival.arrivedAtMs, ripeAtMs },
    });
    this.stepBack(id, key, undefined);
  }

  /**
   * Before a batch is put together: sees to it that the first new messages may all be offered. Those whose key is in an open
   * batch step aside; those that have one of their key in front of them are held by their ids only.
   */
  sift(most: number, nowMs: number): void {
    const order = this.#order;
    if (!order.countOpen()) return;
    const { buffered, roomChanged } = this.#place;
    const isFree = ({ key }: Message<Value>): boolean => key === undefined || order.standing(key) === "free";
    const taken = buffered.takeFresh(most, isFree);
    for (const message of taken) {
      const key = message.key as string;
      if (order.standing(key) !== "parked") {
        buffered.setAside(message);
        continue;
      }
      // Those of its key that stand aside are older.
      this.#parkThoseAside((one) => one.key === key);
      this.park(message, key);
    }
    if (taken.length > 0) roomChanged.raise();
    // A handler waits, and all that is in memory waits for keys: there are other keys behind it.
    if (buffered.fresh.messages === 0) this.parkAside(nowMs - PATIENCE_MS);
  }

  /** A batch has ended, or its handler hangs: its keys may be in other batches. */
  closeBatch(offer: Offer): void {
    for (const line of this.#order.close(offer)) this.#queueNext(line);
    this.#place.buffered.returnAside();
  }

  /** If some of those that stand aside arrived before this time, all of them make room: other keys must not wait for one that is slow. */
  parkAside(beforeMs: number): void {
    if (!this.#place.buffered.isAsideSince(beforeMs)) return;
    this.#parkThoseAside(() => true);
    this.#place.roomChanged.raise();
  }

  /** Messages in lines that are not held here: released ones, or others'. */
  unheldInLines(): EntryId[] {
    const ids: EntryId[] = [];
    for (const { waiting } of this.#order.lines) {
      for (const { id, isParked } of waiting) {
        if (!isParked && this.#place.index.get(id) === undefined) ids.push(id);
      }
    }
    return ids;
  }

  /** A message that is held by its id only goes to its place in the line of its key. */
  stepBack(id: EntryId, key: string, offer: Offer | undefined): void {
    const order = this.#order;
    const line = order.put(id, key, { isParked: true, offer: order.isOpen(offer) ? offer : undefined });
    this.#makeWay(line, id);
    this.#queueNext(line);
  }

  /** A message that is being released or dead-lettered keeps its place in the line. */
  stepOut({ id, key }: Message<Value>): void {
    if (key !== undefined) this.#makeWay(this.#order.put(id, key, { isParked: false }), id);
  }

  /** It is done, so the next of its key may be offered. */
  leaveLine(id: EntryId): void {
    const line = this.#order.settle(id);
    if (line === undefined) return;
    this.#queueNext(line);
    this.#place.roomChanged.raise();
  }

  #messageOf(id: EntryId): Message<Value> | undefined {
    const item = this.#place.index.get(id);
    return item === undefined || isDeferred(item) || isReserved(item) ? undefined : item;
  }

  #parkThoseAside(isMeant: (message: Message<Value>) => boolean): void {
    for (const message of this.#place.buffered.takeAside(isMeant)) this.park(message, message.key as string);
  }

  /** Those behind it that were about to be offered are parked again. */
  #makeWay(line: KeyLine, id: EntryId): void {
    const { index } = this.#place;
    for (const one of this.#order.behind(id)) {
      if (one.isParked) continue;
      const item = index.get(one.id);
      if (item === undefined || isReserved(item)) continue;
      if (isDeferred(item)) {
        one.isParked = true;
        // The queues know the old object, and skip it.
        index.set({ ...item });
      } else if (item.state === "buffered") {
        this.#place.unbuffer(item);
        this.park(item, line.key);
      }
    }
  }

  /** Queues the messages of a line that have nothing in front of them. */
  #queueNext(line: KeyLine): void {
    const { index, deferred, roomChanged } = this.#place;
    let [dueAtMs, ripeAtMs] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
    let isFirst = true;
    for (const one of this.#order.next(line)) {
      const item = index.get(one.id);
      if (item === undefined || !isDeferred(item)) return;
      if (item.isSuspect && !isFirst) return;
      // Where one was given up the next one may fail as well, and must not take others with it.
      if (isFirst && this.#order.isBad(line)) item.isSuspect = true;
      // None is due before those in front of it.
      item.dueAtMs = dueAtMs = Math.max(dueAtMs, item.dueAtMs);
      item.ripeAtMs = ripeAtMs = Math.max(ripeAtMs, item.ripeAtMs);
      one.isParked = false;
      deferred.push(item);
      if (item.isSuspect) break;
      isFirst = false;
    }
    if (!isFirst) roomChanged.raise();
  }
}
