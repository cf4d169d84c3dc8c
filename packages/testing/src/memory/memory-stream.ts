import { compareEntryIds, type EntryId, type RawFields } from "@redis-batch/core";
import type { StreamEntry } from "@redis-batch/core/internal/messages";
import type { MemoryGroup } from "./memory-group.ts";
import { isAtOrAfter, isAtOrBefore, parseFrom, parseTo } from "./memory-id-range.ts";
import type { Trim } from "./port.ts";

/** One stream of the in-memory Redis: its entries and its groups, and what Redis does to the entries. */
export class MemoryStream {
  readonly groups: Map<string, MemoryGroup> = new Map();
  #entries: StreamEntry[] = [];
  #lastId: EntryId = "0-0";
  #added = 0;

  get length(): number {
    return this.#entries.length;
  }

  get lastId(): EntryId {
    return this.#lastId;
  }

  get added(): number {
    return this.#added;
  }

  /** The id of the next entry, added now. Clocks that stop, or go back, only raise the sequence. */
  nextId(nowMs: number): EntryId {
    const [ms = "0", sequence = "0"] = this.#lastId.split("-");
    return BigInt(nowMs) > BigInt(ms) ? `${nowMs}-0` : `${ms}-${BigInt(sequence) + 1n}`;
  }

  append(id: EntryId, fields: RawFields): void {
    this.#entries.push({ id, fields });
    this.#lastId = id;
    this.#added++;
  }

  find(id: EntryId): StreamEntry | undefined {
    const entry = this.#entries[this.#indexOf(id)];
    return entry?.id === id ? entry : undefined;
  }

  /** At most `count` entries, oldest first, between two ids as XRANGE takes them. */
  range(from: string, to: string, count: number): readonly StreamEntry[] {
    const start = parseFrom(from);
    const end = parseTo(to);
    const page: StreamEntry[] = [];
    for (let index = this.#indexOf(start.id); index < this.#entries.length && page.length < count; index++) {
      const entry = this.#entries[index] as StreamEntry;
      if (!isAtOrBefore(entry.id, end)) break;
      if (isAtOrAfter(entry.id, start)) page.push(entry);
    }
    return page;
  }

  /** How many entries come after this id. */
  countAfter(id: EntryId): number {
    const index = this.#indexOf(id);
    return this.#entries.length - index - (this.#entries[index]?.id === id ? 1 : 0);
  }

  delete(ids: readonly EntryId[]): number {
    let deleted = 0;
    for (const id of ids) {
      if (this.find(id) === undefined) continue;
      this.#entries.splice(this.#indexOf(id), 1);
      deleted++;
      for (const group of this.groups.values()) group.entryDeleted(id);
    }
    return deleted;
  }

  trim({ strategy, threshold, approximate }: Trim): number {
    const excess =
      strategy === "maxLen" ? this.#entries.length - Number(threshold) : this.#indexOf(parseFrom(`${threshold}`).id);
    // Redis drops whole nodes of a hundred entries when it need not be exact.
    const dropped = Math.max(approximate ? Math.floor(excess / 100) * 100 : excess, 0);
    this.#entries = this.#entries.slice(dropped);
    return dropped;
  }

  /** Where the entry with this id is, or would be. */
  #indexOf(id: EntryId): number {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareEntryIds((this.#entries[middle] as StreamEntry).id, id) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
