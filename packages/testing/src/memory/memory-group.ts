import { compareEntryIds, type EntryId } from "@redis-batch/core";
import type { PendingEntry } from "@redis-batch/core/internal/groups";
import type { StreamEntry } from "@redis-batch/core/internal/messages";

/** What a group reads of its stream. */
interface Entries {
  readonly length: number;
  readonly lastId: EntryId;
  find(id: EntryId): StreamEntry | undefined;
  range(from: string, to: string, count: number): readonly StreamEntry[];
  countAfter(id: EntryId): number;
}

interface Delivery {
  readonly consumer: string;
  readonly atMs: number;
  readonly count: number;
}

interface ConsumerTimes {
  readonly seenAtMs: number;
  readonly gotAtMs: number | null;
}

export interface Claim {
  readonly consumer: string;
  readonly ids: readonly EntryId[];
  readonly minIdleMs: number;
  /** The idle time the entries show afterwards. */
  readonly idleMs?: number | undefined;
  /** How often each counts as delivered afterwards. */
  readonly deliveries: (before: number, id: EntryId) => number;
}

/** One consumer group of the in-memory Redis: its position, its consumers and its pending list. */
export class MemoryGroup {
  readonly #entries: Entries;
  readonly #consumers = new Map<string, ConsumerTimes>();
  readonly #pending = new Map<EntryId, Delivery>();
  #lastDeliveredId: EntryId;
  #isLagKnown: boolean;

  constructor(entries: Entries, lastDeliveredId: EntryId, isLagKnown: boolean) {
    this.#entries = entries;
    this.#lastDeliveredId = lastDeliveredId;
    this.#isLagKnown = isLagKnown;
  }

  get lastDeliveredId(): EntryId {
    return this.#lastDeliveredId;
  }

  /** How many entries wait; `null` while Redis would not know. */
  get lag(): number | null {
    return this.#isLagKnown ? this.#entries.countAfter(this.#lastDeliveredId) : null;
  }

  get pendingCount(): number {
    return this.#pending.size;
  }

  get consumers(): ReadonlyMap<string, ConsumerTimes> {
    return this.#consumers;
  }

  /** Redis counts what it delivered, not what is there: a hole among the unread makes its count useless. */
  entryDeleted(id: EntryId): void {
    if (compareEntryIds(id, this.#lastDeliveredId) > 0) this.#isLagKnown = false;
  }

  /** What comes after this entry is delivered next. */
  setPosition(id: EntryId): void {
    this.#lastDeliveredId = id;
    const waiting = this.#entries.countAfter(id);
    this.#isLagKnown = waiting === 0 || waiting === this.#entries.length;
  }

  /** → whether the consumer is new. */
  createConsumer(name: string, nowMs: number): boolean {
    if (this.#consumers.has(name)) return false;
    this.#consumers.set(name, { seenAtMs: nowMs, gotAtMs: null });
    return true;
  }

  /** The consumer has tried to read, and got nothing. */
  touchConsumer(name: string, nowMs: number): void {
    this.#consumers.set(name, { seenAtMs: nowMs, gotAtMs: this.#consumers.get(name)?.gotAtMs ?? null });
  }

  removeConsumer(name: string): void {
    this.#consumers.delete(name);
  }

  deliverNew(consumer: string, count: number, nowMs: number): readonly StreamEntry[] {
    const entries = this.#entries.range(`(${this.#lastDeliveredId}`, "+", count);
    for (const { id } of entries) this.#pending.set(id, { consumer, atMs: nowMs, count: 1 });
    const last = entries.at(-1);
    if (last !== undefined) this.#lastDeliveredId = last.id;
    if (this.#lastDeliveredId === this.#entries.lastId) this.#isLagKnown = true;
    if (last === undefined) this.touchConsumer(consumer, nowMs);
    else this.#consumers.set(consumer, { seenAtMs: nowMs, gotAtMs: nowMs });
    return entries;
  }

  acknowledge(ids: readonly EntryId[]): number {
    return ids.filter((id) => this.#pending.delete(id)).length;
  }

  /** The whole pending list in the order of its ids, or one consumer's part of it. */
  pending(nowMs: number, consumer?: string): readonly PendingEntry[] {
    return [...this.#pending]
      .filter(([, delivery]) => consumer === undefined || delivery.consumer === consumer)
      .toSorted(([left], [right]) => compareEntryIds(left, right))
      .map(([id, { consumer: owner, atMs, count }]) => ({
        id,
        consumer: owner,
        // A server whose clock has gone back says so as well.
        idleMs: Math.max(nowMs - atMs, 0),
        deliveries: count,
      }));
  }

  /** Whether this group has yet to read or to acknowledge the entry. */
  needs(id: EntryId): boolean {
    return compareEntryIds(id, this.#lastDeliveredId) > 0 || this.#pending.has(id);
  }

  /** Whether it is pending, for any consumer. */
  isPending(id: EntryId): boolean {
    return this.#pending.has(id);
  }

  /** Puts an entry that nobody has pending into the list of a consumer, as one that was never delivered. */
  adopt(id: EntryId, consumer: string, nowMs: number): void {
    this.createConsumer(consumer, nowMs);
    this.#pending.set(id, { consumer, atMs: nowMs, count: 0 });
  }

  /** How often it was delivered; `undefined` where it is not pending for this consumer. */
  deliveriesOf(id: EntryId, consumer: string): number | undefined {
    const delivery = this.#pending.get(id);
    return delivery?.consumer === consumer ? delivery.count : undefined;
  }

  /** Moves pending entries to a consumer → those that moved. What is no longer in the stream is dropped from the list. */
  claim({ consumer, ids, minIdleMs, idleMs = 0, deliveries }: Claim, nowMs: number): readonly StreamEntry[] {
    this.createConsumer(consumer, nowMs);
    const claimed: StreamEntry[] = [];
    for (const id of ids) {
      const delivery = this.#pending.get(id);
      // Without a minimum nobody asks how old it is: after a clock was set back it may be of the future.
      if (delivery === undefined || (minIdleMs > 0 && nowMs - delivery.atMs < minIdleMs)) continue;
      const entry = this.#entries.find(id);
      if (entry === undefined) {
        this.#pending.delete(id);
        continue;
      }
      this.#pending.set(id, { consumer, atMs: nowMs - idleMs, count: deliveries(delivery.count, id) });
      claimed.push(entry);
    }
    return claimed;
  }
}
