/** Messages in memory that no batch has taken yet, in the order in which they are offered. Knows no states and no index. */
import { compareEntryIds, type EntryId } from "@redis-batch/core";
import type { DueMessage, Mix, MixFacts } from "../decisions/next-batch.ts";
import type { Message, ReadChunk } from "../message.ts";
import type { KeyOrder } from "./key-order.ts";

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

export class BufferedMessages<Value> {
  /** In stream order. */
  #fresh: Message<Value>[] = [];
  /** New messages behind those that there is no object for yet: what was read, and the first of each that is left. */
  #unmade: { readonly chunk: ReadChunk<Value>; next: number }[] = [];
  #unmadeCount = 0;
  /** New messages of keys that are in an open batch, in stream order. */
  #aside: Message<Value>[] = [];
  /** Redelivered messages; the one that ripens first is in front. */
  readonly #due: Message<Value>[] = [];
  #freshBytes = 0;
  #asideBytes = 0;
  #dueBytes = 0;
  #suspectsDue = 0;
  #suspectsDueBytes = 0;

  get fresh(): Buffered {
    return { messages: this.#fresh.length + this.#unmadeCount, bytes: this.#freshBytes };
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
    const first = this.#fresh[0] ?? this.#unmade[0]?.chunk;
    return first?.arrival.arrivedAtMs ?? null;
  }

  /** Whether a suspect is in memory, with its payload. */
  get isSuspectBuffered(): boolean {
    return this.#suspectsDue > 0;
  }

  /** Since when the first of all but those aside has been waiting; infinite if there is none. */
  get oldestSinceMs(): number {
    let sinceMs = this.freshSinceMs ?? Number.POSITIVE_INFINITY;
    for (const { arrival } of this.#due) sinceMs = Math.min(sinceMs, arrival.arrivedAtMs);
    return sinceMs;
  }

  /** What has been waiting since before this time. */
  waitingSince(atMs: number): { readonly fresh: Message<Value>[]; readonly due: Message<Value>[] } {
    this.#make();
    const since = ({ arrival }: Message<Value>): boolean => arrival.arrivedAtMs <= atMs;
    return { fresh: [...this.#aside, ...this.#fresh].filter(since), due: this.#due.filter(since) };
  }

  /** All messages of one read. */
  addChunk(chunk: ReadChunk<Value>): void {
    const before = this.#unmade.at(-1)?.chunk;
    const last = before?.idAt(before.size - 1) ?? this.#fresh.at(-1)?.id;
    const first = chunk.idAt(0);
    if (first === undefined) return;
    if (last !== undefined && compareEntryIds(first, last) < 0) return this.addFresh(chunk.messages);
    this.#unmade.push({ chunk, next: 0 });
    this.#unmadeCount += chunk.size;
    this.#freshBytes += chunk.bytes;
  }

  /** New messages: some of one read, or released ones that were never offered. */
  addFresh(messages: readonly Message<Value>[]): void {
    this.#make();
    const last = this.#fresh.at(-1);
    const first = messages[0];
    for (const message of messages) {
      this.#fresh.push(message);
      this.#freshBytes += message.bytes;
    }
    // Released messages that were never offered are older than those read since.
    if (last !== undefined && first !== undefined && compareEntryIds(first.id, last.id) < 0) this.#fresh.sort(byId);
  }

  /** Makes objects for new messages, until there are this many of them. */
  #make(most = Number.POSITIVE_INFINITY): void {
    for (let first = this.#unmade[0]; first !== undefined && this.#fresh.length < most; first = this.#unmade[0]) {
      this.#fresh.push(first.chunk.messageAt(first.next));
      first.next++;
      this.#unmadeCount--;
      if (first.next === first.chunk.size) this.#unmade.shift();
    }
  }

  addDue(messages: readonly Message<Value>[]): void {
    for (const message of messages) {
      this.#due.push(message);
      this.#countDue(message, 1);
    }
    this.#due.sort((left, right) => left.ripeAtMs - right.ripeAtMs);
  }

  remove(message: Message<Value>): void {
    const place = this.#due.indexOf(message);
    if (place >= 0) return this.#takeDue(place);
    this.#make();
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

  /** Takes new messages out, from the first on, until `most` of them have stayed → those that were taken out. */
  takeFresh(most: number, stays: (message: Message<Value>) => boolean): readonly Message<Value>[] {
    this.#make();
    const kept: Message<Value>[] = [];
    const taken: Message<Value>[] = [];
    let place = 0;
    for (; place < this.#fresh.length && kept.length < most; place++) {
      const message = this.#fresh[place] as Message<Value>;
      (stays(message) ? kept : taken).push(message);
    }
    if (taken.length === 0) return taken;
    for (const { bytes } of taken) this.#freshBytes -= bytes;
    this.#fresh = [...kept, ...this.#fresh.slice(place)];
    return taken;
  }

  setAside(message: Message<Value>): void {
    this.#aside.push(message);
    this.#asideBytes += message.bytes;
  }

  /** Whether one of those that stand aside arrived before this time. However short its batches are, a slow key keeps them from leaving. */
  isAsideSince(atMs: number): boolean {
    const [first] = this.#aside;
    return first !== undefined && first.arrival.arrivedAtMs <= atMs;
  }

  takeAside(isMeant: (message: Message<Value>) => boolean): readonly Message<Value>[] {
    if (this.#aside.length === 0) return [];
    const taken = this.#aside.filter(isMeant);
    if (taken.length === 0) return taken;
    this.#aside = this.#aside.filter((message) => !isMeant(message));
    for (const { bytes } of taken) this.#asideBytes -= bytes;
    return taken;
  }

  /** Those that stood aside are new messages like others again. */
  returnAside(): void {
    if (this.#aside.length === 0) return;
    this.#make();
    this.#fresh = [...this.#aside, ...this.#fresh].toSorted(byId);
    this.#freshBytes += this.#asideBytes;
    this.#aside = [];
    this.#asideBytes = 0;
  }

  /** The redelivered messages, in the order in which they are offered. */
  dueMessages(
    largestBatch: (deliveries: number) => number,
    nowMs: number,
    order: KeyOrder | undefined,
  ): readonly DueMessage[] {
    if (order !== undefined && this.#due.length > 0) return this.#dueInOrder(largestBatch, nowMs, order);
    return this.#due.map(({ ripeAtMs, deliveries, isSuspect }) => ({
      isRipe: ripeAtMs <= nowMs,
      largestBatch: largestBatch(deliveries),
      isSuspect,
    }));
  }

  /** The same, and each says after which other one it may be offered. */
  #dueInOrder(largestBatch: (deliveries: number) => number, nowMs: number, order: KeyOrder): readonly DueMessage[] {
    const places = new Map(this.#due.map(({ id }, place) => [id, place]));
    const after = new Map<number, number | undefined>();
    const blocking = new Set<number>();
    for (const line of new Set(this.#due.map(({ id }) => order.lineOf(id)))) {
      let last: number | undefined;
      for (const { id, isAlone } of line === undefined || line.open > 0 ? [] : line.waiting) {
        const place = places.get(id);
        if (place === undefined || place < (last ?? 0)) break;
        after.set(place, last);
        last = place;
        const isLast = isAlone || this.#due[place]?.isSuspect === true;
        if (isLast && line?.waiting.at(-1)?.id !== id) blocking.add(place);
        if (isLast) break;
      }
    }
    return this.#due.map(({ ripeAtMs, deliveries, isSuspect, key }, place) => {
      const isNext = key === undefined || after.has(place);
      return {
        isRipe: isNext && ripeAtMs <= nowMs,
        largestBatch: largestBatch(deliveries),
        isSuspect,
        after: isNext ? after.get(place) : Number.NaN,
        isBlocking: blocking.has(place),
      };
    });
  }

  /** When the next redelivered message ripens; infinite if none does. */
  nextRipeAtMs(nowMs: number): number {
    let atMs = Number.POSITIVE_INFINITY;
    for (const { ripeAtMs } of this.#due) if (ripeAtMs > nowMs && ripeAtMs < atMs) atMs = ripeAtMs;
    return atMs;
  }

  /** New messages were offered in between, so offering what was just returned is no hot loop. */
  ripenAll(nowMs: number): void {
    for (const message of this.#due) message.ripeAtMs = Math.min(message.ripeAtMs, nowMs);
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

  /** Takes out as much of the mix as `maxBytes` allows, and at least one message. */
  take(mix: Mix, maxBytes: number, isFreshTurn: boolean, nowMs: number): Cut<Value> {
    const { wanted, first } = this.#inOrder(mix, isFreshTurn, nowMs);
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
    return { messages, redelivered: redelivered.length, isFullOfBytes: size < wanted.length };
  }

  /** The messages of a mix in the order in which they get their share of the bytes, and how many new ones come first. */
  #inOrder(
    mix: Mix,
    isFreshTurn: boolean,
    nowMs: number,
  ): { readonly wanted: Message<Value>[]; readonly first: number } {
    this.#make(mix.fresh);
    const fresh = this.#fresh.slice(0, mix.fresh);
    // The usual case.
    if (mix.due.length === 0) return { wanted: fresh, first: fresh.length };
    const again = mix.due.map((place) => this.#due[place] as Message<Value>);
    // If the first new message is sure of a place in the batch, it is sure of its bytes as well.
    const isRipe = again.some(({ ripeAtMs }) => ripeAtMs <= nowMs);
    const first = Math.min(fresh.length, isFreshTurn || !isRipe ? 1 : 0);
    return { wanted: [...fresh.slice(0, first), ...again, ...fresh.slice(first)], first };
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

export const byId = (left: { readonly id: EntryId }, right: { readonly id: EntryId }): number =>
  compareEntryIds(left.id, right.id);
