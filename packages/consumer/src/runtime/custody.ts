/**
 * Every message this consumer holds, from its delivery to the end of its acknowledgement.
 *
 * What a read brings is held as one lot: nearly all of it is acknowledged without anybody asking for it by its id, and
 * listing each id would be a tenth of what a message costs. Whatever asks by id, or brings messages in some other way,
 * has all lots listed first. So a lot never holds an id that is listed, or that another lot holds.
 */
import { compareEntryIds, type EntryId } from "@redis-batch/core";
import type { Lot, Message } from "../message.ts";
import { type Deferred, DueQueue } from "./due-queue.ts";

/** Held by its id only, while something is done with it that needs nothing else. */
interface Reserved {
  readonly id: EntryId;
  readonly isReserved: true;
}

type Holding<Value> = Message<Value> | Deferred | Reserved;

const isDeferred = <Value>(holding: Holding<Value>): holding is Deferred => "dueAtMs" in holding;
const isReserved = <Value>(holding: Holding<Value>): holding is Reserved => "isReserved" in holding;
const isOpen = <Value>(holding: Holding<Value>): boolean =>
  isDeferred(holding) || (!isReserved(holding) && (holding.state === "buffered" || holding.state === "offered"));

export class Custody<Value> {
  /** By id, and one by one. */
  readonly #holdings = new Map<EntryId, Holding<Value>>();
  readonly #lots = new Set<Lot<Value>>();
  /** The greatest id that was ever held: what is greater cannot be held. */
  #newest: EntryId | undefined;
  readonly #due = new DueQueue();
  // Which message object a deferred one was; weak, so that putting a message off frees its payload.
  readonly #objectOf = new WeakMap<Message<Value>, Deferred>();
  readonly #onDeferral: () => void;
  #deferred = 0;

  /** @param onDeferral called when a message was put off, and when one is put off no more */
  constructor(onDeferral: () => void) {
    this.#onDeferral = onDeferral;
  }

  /** Messages put off until later. */
  get deferred(): number {
    return this.#deferred;
  }

  get size(): number {
    let size = this.#holdings.size;
    for (const { held } of this.#lots) size += held;
    return size;
  }

  holds(id: EntryId): boolean {
    this.#list();
    return this.#holdings.has(id);
  }

  /** Whether this very object is the newest delivery of its message, put off or not. */
  isCurrent(message: Message<Value>): boolean {
    if (message.lot !== undefined) return true;
    const holding = this.#holdings.get(message.id);
    return holding !== undefined && (holding === message || holding === this.#objectOf.get(message));
  }

  /** Whether the message is still put off as it was then: not acknowledged and not delivered anew meanwhile. */
  isStill(deferred: Deferred): boolean {
    return this.#holdings.get(deferred.id) === deferred;
  }

  /** The message object that is held under this id, if there is one; a deferred message has none. */
  messageOf(id: EntryId): Message<Value> | undefined {
    this.#list();
    const holding = this.#holdings.get(id);
    return holding === undefined || isDeferred(holding) || isReserved(holding) ? undefined : holding;
  }

  /** Takes in what one read brought, in stream order. Older deliveries of the same ids are superseded. */
  admitRead(messages: readonly Message<Value>[]): void {
    const [first] = messages;
    const last = messages.at(-1);
    if (first === undefined || last === undefined) return;
    // Read again, after the group was set back or created anew.
    if (this.#newest !== undefined && compareEntryIds(first.id, this.#newest) <= 0) {
      for (const message of messages) this.admit(message);
      return;
    }
    this.#newest = last.id;
    const lot = { messages, held: messages.length };
    for (const message of messages) message.lot = lot;
    this.#lots.add(lot);
  }

  /** Takes a delivered message in. An older delivery of the same id is superseded by it. */
  admit(message: Message<Value>): void {
    this.#hold(message);
  }

  /** Puts a message off; of its payload nothing is kept. */
  putOff(message: Message<Value>, times: Pick<Deferred, "dueAtMs" | "ripeAtMs">): void {
    this.#leave(message);
    const deferred = { id: message.id, deliveries: message.deliveries, ...times };
    this.#objectOf.set(message, deferred);
    this.#putOff(deferred);
  }

  /** Puts a message off that is known by its id only: it was found pending for this consumer. */
  putOffUnseen(id: EntryId, deliveries: number, nowMs: number): void {
    this.#putOff({ id, deliveries, dueAtMs: nowMs, ripeAtMs: nowMs });
  }

  /** Holds a message that is known by its id only, and is not to be delivered. */
  reserve(id: EntryId): void {
    this.#hold({ id, isReserved: true });
  }

  /** The deferred message that is due next; `undefined` when there is none. */
  nextDue(): Deferred | undefined {
    return this.#nextDeferred();
  }

  /** Takes messages out of the queue that are due, one after the other as long as they fit; they stay held. */
  takeDue(nowMs: number, fits: (next: Deferred, taken: number) => boolean): Deferred[] {
    const taken: Deferred[] = [];
    for (;;) {
      const next = this.#nextDeferred();
      if (next === undefined || next.dueAtMs > nowMs || !fits(next, taken.length)) break;
      this.#due.pop();
      taken.push(next);
    }
    return taken;
  }

  /** Puts back what was taken and could not be read. */
  putBack(deferred: readonly Deferred[], dueAtMs: number): void {
    for (const before of deferred) {
      if (this.isStill(before)) this.#putOff({ ...before, dueAtMs });
    }
  }

  /** Ends custody: acknowledged, lost, vanished or given back. */
  dismiss(id: EntryId): void {
    this.#list();
    this.#forgetDeferral(id);
    this.#holdings.delete(id);
  }

  /** The same for a message that is at hand; what else is held under its id goes with it. */
  dismissMessage(message: Message<Value>): void {
    if (this.#leave(message)) return;
    this.#forgetDeferral(message.id);
    this.#holdings.delete(message.id);
  }

  /** Takes a message back out of deferral, because its acknowledgement came after all. */
  resume(message: Message<Value>): void {
    this.#hold(message);
  }

  /** Ends custody of everything. */
  clear(): void {
    this.#list();
    this.#holdings.clear();
    this.#deferred = 0;
  }

  /** Every message whose lease this consumer has to renew: those without an outcome that is on its way. */
  ids(): EntryId[] {
    const ids: EntryId[] = [];
    for (const holding of this.#all()) if (isOpen(holding)) ids.push(holding.id);
    return ids;
  }

  /** Whether the message is held, and no outcome of it is on its way. */
  isOpen(id: EntryId): boolean {
    this.#list();
    const holding = this.#holdings.get(id);
    return holding !== undefined && isOpen(holding);
  }

  /** Messages that were handed over before this moment and have no outcome yet. */
  offeredBefore(atMs: number): EntryId[] {
    const ids: EntryId[] = [];
    for (const holding of this.#all()) {
      if (isDeferred(holding) || isReserved(holding) || holding.state !== "offered") continue;
      if ((holding.offer?.atMs ?? Number.POSITIVE_INFINITY) < atMs) ids.push(holding.id);
    }
    return ids;
  }

  /** What is held, for giving it back: ids that never reached the application's code, and ids that did. */
  inventory(): { readonly neverOffered: readonly EntryId[]; readonly offered: readonly EntryId[] } {
    const neverOffered: EntryId[] = [];
    const offered: EntryId[] = [];
    for (const holding of this.#all()) {
      if (isDeferred(holding) || isReserved(holding)) offered.push(holding.id);
      else if (holding.state === "buffered") neverOffered.push(holding.id);
      else if (holding.state !== "acking") offered.push(holding.id);
    }
    return { neverOffered, offered };
  }

  *#all(): Iterable<Holding<Value>> {
    yield* this.#holdings.values();
    for (const lot of this.#lots) for (const message of lot.messages) if (message.lot === lot) yield message;
  }

  /** Takes every lot apart, so that all that is held is found by its id. */
  #list(): void {
    for (const lot of this.#lots) {
      for (const message of lot.messages) {
        if (message.lot !== lot) continue;
        message.lot = undefined;
        this.#holdings.set(message.id, message);
      }
    }
    this.#lots.clear();
  }

  #hold(holding: Holding<Value>): void {
    this.#list();
    this.#forgetDeferral(holding.id);
    this.#holdings.set(holding.id, holding);
    if (this.#newest === undefined || compareEntryIds(holding.id, this.#newest) > 0) this.#newest = holding.id;
  }

  /** Takes a message out of its lot → whether it was in one. */
  #leave(message: Message<Value>): boolean {
    const { lot } = message;
    if (lot === undefined) return false;
    message.lot = undefined;
    lot.held--;
    if (lot.held === 0) this.#lots.delete(lot);
    return true;
  }

  #putOff(deferred: Deferred): void {
    this.#hold(deferred);
    this.#deferred++;
    this.#due.push(deferred);
    this.#onDeferral();
  }

  #forgetDeferral(id: EntryId): void {
    if (this.#deferred === 0) return;
    const holding = this.#holdings.get(id);
    if (holding === undefined || !isDeferred(holding)) return;
    this.#deferred--;
    this.#onDeferral();
  }

  // Entries of the heap whose message has moved on since are skipped here, instead of being searched for then.
  #nextDeferred(): Deferred | undefined {
    for (;;) {
      const next = this.#due.peek();
      if (next === undefined || this.#holdings.get(next.id) === next) return next;
      this.#due.pop();
    }
  }
}
