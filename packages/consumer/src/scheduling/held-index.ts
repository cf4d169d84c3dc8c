/**
 * Which messages this consumer holds, by id. The messages of one read are held as one chunk: nearly all of them are
 * acknowledged without a lookup by id, and listing each id would be a tenth of a message's cost. Every lookup by id, and every
 * other way in, lists all chunks first. So a chunk never holds an id that is listed or in another chunk.
 */
import { compareEntryIds, type EntryId } from "@redis-batch/core";
import type { Message, Place, ReadChunk } from "../message.ts";
import type { Deferred } from "./deferred-queue.ts";

/** A message that is held by its id only, while an operation on it needs nothing else. */
export interface Reserved {
  readonly id: EntryId;
  readonly isReserved: true;
}

export type HeldItem<Value> = Message<Value> | Deferred | Reserved;

export const isDeferred = <Value>(item: HeldItem<Value>): item is Deferred => "dueAtMs" in item;
export const isReserved = <Value>(item: HeldItem<Value>): item is Reserved => "isReserved" in item;

export class HeldIndex<Value> {
  /** Messages that are listed one by one, by id. */
  readonly #listed = new Map<EntryId, HeldItem<Value>>();
  readonly #chunks = new Set<ReadChunk<Value>>();
  /** The greatest id ever held: no greater id can be held. */
  #newest: EntryId | undefined;

  get size(): number {
    let size = this.#listed.size;
    for (const { held } of this.#chunks) size += held;
    return size;
  }

  /** What is held under this id. */
  get(id: EntryId): HeldItem<Value> | undefined {
    this.#list();
    return this.#listed.get(id);
  }

  /** The same without a look at the chunks, for an id that is known not to be in one. */
  listed(id: EntryId): HeldItem<Value> | undefined {
    return this.#listed.get(id);
  }

  /** Takes in the messages of one read, in stream order → whether they could be held as one chunk. */
  addChunk(chunk: ReadChunk<Value>): boolean {
    const first = chunk.idAt(0);
    if (first === undefined) return true;
    // The same entries are read again after the group was set back or recreated.
    if (this.#newest !== undefined && compareEntryIds(first, this.#newest) <= 0) return false;
    this.#newest = chunk.idAt(chunk.size - 1);
    chunk.holdTogether();
    this.#chunks.add(chunk);
    return true;
  }

  set(item: HeldItem<Value>): void {
    this.#list();
    this.#listed.set(item.id, item);
    if (this.#newest === undefined || compareEntryIds(item.id, this.#newest) > 0) this.#newest = item.id;
  }

  delete(id: EntryId): void {
    this.#list();
    this.#listed.delete(id);
  }

  /** Takes a message out of its chunk → whether it was in one. */
  leaveChunk({ chunk, index }: Place<Value>): boolean {
    if (!chunk.leave(index)) return false;
    if (chunk.held === 0) this.#chunks.delete(chunk);
    return true;
  }

  clear(): void {
    this.#list();
    this.#listed.clear();
  }

  *[Symbol.iterator](): Iterator<HeldItem<Value>> {
    yield* this.#listed.values();
    for (const chunk of this.#chunks) {
      for (let index = 0; index < chunk.size; index++) if (chunk.isTogether(index)) yield chunk.messageAt(index);
    }
  }

  /** Lists the messages of every chunk, so that each is found by its id. */
  #list(): void {
    for (const chunk of this.#chunks) {
      for (let index = 0; index < chunk.size; index++) {
        if (!chunk.leave(index)) continue;
        const message = chunk.messageAt(index);
        this.#listed.set(message.id, message);
      }
    }
    this.#chunks.clear();
  }
}
