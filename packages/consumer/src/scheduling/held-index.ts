/**
 * Which messages this consumer holds, by id. What a read brings is held as one lot: nearly all of it is acknowledged
 * without anybody asking for it by its id, and listing each id would be a tenth of what a message costs. Whatever asks by
 * id, or brings messages in some other way, has all lots listed first. So a lot never holds an id that is listed, or that
 * another lot holds.
 */
import { compareEntryIds, type EntryId } from "@redis-batch/core";
import type { Lot, Message } from "../message.ts";
import type { PutOff } from "./put-off-queue.ts";

/** Held by its id only, while something is done with it that needs nothing else. */
export interface Reserved {
  readonly id: EntryId;
  readonly isReserved: true;
}

export type Holding<Value> = Message<Value> | PutOff | Reserved;

export const isPutOff = <Value>(holding: Holding<Value>): holding is PutOff => "dueAtMs" in holding;
export const isReserved = <Value>(holding: Holding<Value>): holding is Reserved => "isReserved" in holding;

export class HeldIndex<Value> {
  /** By id, and one by one. */
  readonly #listed = new Map<EntryId, Holding<Value>>();
  readonly #lots = new Set<Lot<Value>>();
  /** The greatest id that was ever held: what is greater cannot be held. */
  #newest: EntryId | undefined;

  get size(): number {
    let size = this.#listed.size;
    for (const { held } of this.#lots) size += held;
    return size;
  }

  /** What is held under this id. */
  get(id: EntryId): Holding<Value> | undefined {
    this.#list();
    return this.#listed.get(id);
  }

  /** The same without a look at the lots: for what is known not to be in one. */
  listed(id: EntryId): Holding<Value> | undefined {
    return this.#listed.get(id);
  }

  /** Takes in what one read brought, in stream order → whether it could be held as one lot. */
  addLot(messages: readonly Message<Value>[]): boolean {
    const [first] = messages;
    const last = messages.at(-1);
    if (first === undefined || last === undefined) return true;
    // Read again, after the group was set back or created again.
    if (this.#newest !== undefined && compareEntryIds(first.id, this.#newest) <= 0) return false;
    this.#newest = last.id;
    const lot = { messages, held: messages.length };
    for (const message of messages) message.lot = lot;
    this.#lots.add(lot);
    return true;
  }

  set(holding: Holding<Value>): void {
    this.#list();
    this.#listed.set(holding.id, holding);
    if (this.#newest === undefined || compareEntryIds(holding.id, this.#newest) > 0) this.#newest = holding.id;
  }

  delete(id: EntryId): void {
    this.#list();
    this.#listed.delete(id);
  }

  /** Takes a message out of its lot → whether it was in one. */
  leaveLot(message: Message<Value>): boolean {
    const { lot } = message;
    if (lot === undefined) return false;
    message.lot = undefined;
    lot.held--;
    if (lot.held === 0) this.#lots.delete(lot);
    return true;
  }

  clear(): void {
    this.#list();
    this.#listed.clear();
  }

  *[Symbol.iterator](): Iterator<Holding<Value>> {
    yield* this.#listed.values();
    for (const lot of this.#lots) for (const message of lot.messages) if (message.lot === lot) yield message;
  }

  /** Takes every lot apart, so that all that is held is found by its id. */
  #list(): void {
    for (const lot of this.#lots) {
      for (const message of lot.messages) {
        if (message.lot !== lot) continue;
        message.lot = undefined;
        this.#listed.set(message.id, message);
      }
    }
    this.#lots.clear();
  }
}
