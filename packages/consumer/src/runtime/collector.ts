/**
 * Collects messages into batches for whoever waits for one. The decisions are in `decisions/`; here are the two queues
 * they judge, the waiting callers, and the one timer.
 */
import { type Clock, compareEntryIds, onAbort } from "@redis-batch/core/internal";
import { decideCut } from "../decisions/cut.ts";
import { decideMix, type Mix } from "../decisions/mix.ts";
import type { BatchReason } from "../events.ts";
import type { Message } from "../message.ts";

export interface CollectorPolicy {
  readonly batchSize: number;
  readonly maxBytes: number;
  readonly maxWaitMs: number;
  readonly retryShare: number;
  /** The largest batch that a message on its n-th delivery may be part of. */
  readonly largestBatch: (deliveries: number) => number;
  /**
   * How many messages may be handed over in one batch now; 0: none, because it is in doubt whose they are, or because
   * the next attempt has to wait.
   */
  readonly mayOffer: () => number;
}

export interface Collected<Value> {
  readonly messages: readonly Message<Value>[];
  readonly reason: BatchReason;
  readonly redelivered: number;
}

export interface TakeOptions {
  /** Since when the wait counts, by the local clock; it may end empty. `null`: from the first message. */
  readonly calledAtMs: number | null;
  readonly signal?: AbortSignal | undefined;
}

// A look takes one round trip; a server that does not answer must not keep a caller waiting for long.
const LOOK_MS = 1_000;

interface Waiter<Value> {
  readonly calledAtMs: number | null;
  /** An empty batch is an honest answer only after the stream was looked at. */
  mustLook: boolean;
  /** So long the look is awaited at most, by the local clock. */
  readonly lookUntilMs: number;
  readonly hand: (collected: Collected<Value>) => void;
  readonly giveUp: (reason: unknown) => void;
}

export class Collector<Value> {
  readonly #policy: CollectorPolicy;
  readonly #clock: Clock;
  readonly #onDemand: () => void;
  /** The one that ripens first in front. */
  readonly #redelivered: Message<Value>[] = [];
  readonly #fresh: Message<Value>[] = [];
  #freshBytes = 0;
  #redeliveredBytes = 0;
  #arrived = 0;
  #arrivedBytes = 0;
  readonly #waiters: Waiter<Value>[] = [];
  #moreFresh = true;
  /** Whether the batch before had no new message. */
  #isFreshTurn = false;
  #isWatching = false;
  #isDraining = false;
  #cancelTimer = (): void => {};

  /** @param onDemand called when more can be used than before */
  constructor(policy: CollectorPolicy, clock: Clock, onDemand: () => void) {
    this.#policy = policy;
    this.#clock = clock;
    this.#onDemand = onDemand;
  }

  /** Batches that somebody waits for. */
  get wanted(): number {
    return this.#waiters.length;
  }

  get fresh(): { readonly messages: number; readonly bytes: number } {
    return { messages: this.#fresh.length, bytes: this.#freshBytes };
  }

  /**
   * Since when the first new message waits in memory for its batch to fill, and until when it may; `null` when none
   * does, or when something else waits with it.
   */
  get filling(): { readonly sinceMs: number; readonly untilMs: number } | null {
    const [first] = this.#fresh;
    if (first === undefined || this.#redelivered.length > 0) return null;
    const sinceMs = first.arrival.arrivedAtMs;
    return { sinceMs, untilMs: (this.#waiters[0]?.calledAtMs ?? sinceMs) + this.#policy.maxWaitMs };
  }

  /** Redelivered messages that no batch has taken yet. */
  get redelivered(): { readonly messages: number; readonly bytes: number } {
    return { messages: this.#redelivered.length, bytes: this.#redeliveredBytes };
  }

  /** Mean size of a message so far, in bytes; 0 before the first. */
  get meanBytes(): number {
    return this.#arrived === 0 ? 0 : this.#arrivedBytes / this.#arrived;
  }

  /** Whether somebody waits for the answer of a read that has not begun yet. */
  get mustLook(): boolean {
    return this.#waiters.some((waiter) => waiter.mustLook);
  }

  /** Waits for the next batch. Empty when its time is up (unless it counts from the first message), or when the consumer drains. */
  take({ calledAtMs, signal }: TakeOptions): Promise<Collected<Value>> {
    return new Promise((resolve, reject) => {
      if (this.#isDraining) return resolve({ messages: [], reason: "draining", redelivered: 0 });
      signal?.throwIfAborted();
      let stopListening = (): void => {};
      const waiter: Waiter<Value> = {
        calledAtMs,
        // While nothing may be handed over there is no point in a look.
        mustLook: !this.#isWatching && this.#policy.mayOffer() > 0,
        lookUntilMs: this.#clock.nowMs() + Math.max(this.#policy.maxWaitMs, LOOK_MS),
        hand: (collected) => {
          stopListening();
          resolve(collected);
        },
        giveUp: (reason) => {
          stopListening();
          reject(reason);
        },
      };
      this.#waiters.push(waiter);
      stopListening = onAbort(signal, (reason) => {
        this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
        this.#evaluate();
        waiter.giveUp(reason);
      });
      this.#onDemand();
      this.#evaluate();
    });
  }

  /** Takes in the result of a read. `more`: it was full, so more may wait in the stream. */
  addFresh(messages: readonly Message<Value>[], more: boolean): void {
    for (const message of messages) {
      this.#fresh.push(message);
      this.#freshBytes += this.#weigh(message);
    }
    this.#moreFresh = more;
    this.#looked();
  }

  addRedelivered(messages: readonly Message<Value>[]): void {
    for (const message of messages) {
      this.#redelivered.push(message);
      this.#redeliveredBytes += this.#weigh(message);
    }
    this.#redelivered.sort((left, right) => left.ripeAtMs - right.ripeAtMs);
    this.#evaluate();
  }

  /** Tells whether a read is waiting at the server, which means that the stream holds nothing new. */
  watching(isWatching: boolean): void {
    this.#isWatching = isWatching;
    if (isWatching) this.#looked();
  }

  /** The stream cannot be looked at now: nobody shall wait for that beyond his time. */
  lookFailed(): void {
    this.#looked();
  }

  /** Takes out a message that may not be offered any more. */
  drop(message: Message<Value>): void {
    const again = this.#redelivered.indexOf(message);
    if (again >= 0) this.#takeRedelivered(again);
    const fresh = this.#fresh.indexOf(message);
    if (fresh < 0) return;
    this.#fresh.splice(fresh, 1);
    this.#freshBytes -= message.bytes;
  }

  /** Looks again: messages may be handed over that might not before. */
  look(): void {
    this.#evaluate();
  }

  /** Hands every waiting caller an empty batch, now and from now on. What is buffered stays to be given back. */
  drain(): void {
    this.#isDraining = true;
    this.#cancelTimer();
    for (const waiter of this.#waiters.splice(0)) waiter.hand({ messages: [], reason: "draining", redelivered: 0 });
  }

  /** Rejects every waiting caller: the consumer has failed. */
  fail(reason: unknown): void {
    this.#isDraining = true;
    this.#cancelTimer();
    for (const waiter of this.#waiters.splice(0)) waiter.giveUp(reason);
  }

  #weigh({ bytes }: Message<Value>): number {
    this.#arrived++;
    this.#arrivedBytes += bytes;
    return bytes;
  }

  #takeRedelivered(place: number): void {
    for (const { bytes } of this.#redelivered.splice(place, 1)) this.#redeliveredBytes -= bytes;
  }

  #looked(): void {
    for (const waiter of this.#waiters) waiter.mustLook = false;
    this.#evaluate();
  }

  /** Hands out every batch that is due, and sets the timer for the next look. */
  #evaluate(): void {
    this.#cancelTimer();
    for (;;) {
      const waiter = this.#waiters[0];
      if (waiter === undefined) return;
      const nowMs = this.#clock.nowMs();
      const mix = this.#decideMix(nowMs);
      const policy = { ...this.#policy, batchSize: mix.full };
      const decision = decideCut(this.#openBatch(waiter, mix), policy, nowMs);
      if (decision.kind === "wait") return this.#lookAgain(decision.forMs, nowMs);
      const isEmpty = mix.redelivered.length + mix.fresh === 0;
      // Whoever must look is woken by the read; until then it would be a guess that there is nothing, or nothing new.
      const isGuess = waiter.mustLook && (isEmpty || (this.#isFreshTurn && mix.fresh === 0));
      if (isGuess && nowMs < waiter.lookUntilMs) return this.#lookAgain(waiter.lookUntilMs - nowMs, nowMs);
      this.#waiters.shift();
      const collected = this.#cut(mix, decision.reason, nowMs);
      const hasFresh = collected.messages.length > collected.redelivered;
      if (!isEmpty) this.#isFreshTurn = !hasFresh;
      if (hasFresh) this.#ripen(nowMs);
      waiter.hand(collected);
      this.#onDemand();
    }
  }

  #decideMix(nowMs: number): Mix {
    const { retryShare, largestBatch, mayOffer } = this.#policy;
    const isAny = this.#fresh.length + this.#redelivered.length > 0;
    const batchSize = isAny ? mayOffer() : this.#policy.batchSize;
    if (batchSize === 0) return { redelivered: [], fresh: 0, full: this.#policy.batchSize };
    const redelivered = this.#redelivered.map(({ ripeAtMs, deliveries }) => ({
      isRipe: ripeAtMs <= nowMs,
      largestBatch: largestBatch(deliveries),
    }));
    const candidates = { redelivered, fresh: this.#fresh.length, moreFresh: this.#moreFresh };
    return decideMix({ ...candidates, isFreshTurn: this.#isFreshTurn }, batchSize, retryShare);
  }

  #openBatch(waiter: Waiter<Value>, mix: Mix): { entries: number; bytes: number; waitingSinceMs: number | null } {
    const entries = mix.redelivered.length + mix.fresh;
    let firstArrivalMs =
      mix.fresh > 0 ? (this.#fresh[0] as Message<Value>).arrival.arrivedAtMs : Number.POSITIVE_INFINITY;
    let bytes = this.#freshBytes;
    for (const place of mix.redelivered) {
      const message = this.#redelivered[place] as Message<Value>;
      firstArrivalMs = Math.min(firstArrivalMs, message.arrival.arrivedAtMs);
      bytes += message.bytes;
    }
    const waitingSinceMs = waiter.calledAtMs ?? (entries === 0 ? null : firstArrivalMs);
    return { entries, bytes, waitingSinceMs };
  }

  /** Takes of what the mix names as much as the bytes allow, and one message in any case. */
  #cut(mix: Mix, reason: BatchReason, nowMs: number): Collected<Value> {
    const again = mix.redelivered.map((place) => this.#redelivered[place] as Message<Value>);
    const fresh = this.#fresh.slice(0, mix.fresh);
    // Where the first of the new ones has a place in any case, it has one among the bytes, too.
    const isRipe = again.some(({ ripeAtMs }) => ripeAtMs <= nowMs);
    const first = fresh.slice(0, this.#isFreshTurn || !isRipe ? 1 : 0);
    const wanted = [...first, ...again, ...fresh.slice(first.length)];
    let bytes = 0;
    let size = 0;
    for (const message of wanted) {
      bytes += message.bytes;
      if (bytes > this.#policy.maxBytes && size > 0) break;
      size++;
    }
    const messages = wanted.slice(0, size);
    // From the last to the first, so that the places before stay what they are.
    const redelivered = mix.redelivered.slice(0, Math.max(0, size - first.length));
    for (const place of redelivered.toReversed()) this.#takeRedelivered(place);
    for (const message of this.#fresh.splice(0, size - redelivered.length)) this.#freshBytes -= message.bytes;
    // New messages already are in stream order, and redelivered ones may belong between them.
    if (redelivered.length > 0) messages.sort((left, right) => compareEntryIds(left.id, right.id));
    return { messages, reason: size < wanted.length ? "bytes" : reason, redelivered: redelivered.length };
  }

  // New messages went out in between, so offering the rest now is no hot loop.
  #ripen(nowMs: number): void {
    for (const message of this.#redelivered) message.ripeAtMs = Math.min(message.ripeAtMs, nowMs);
  }

  #lookAgain(forMs: number | null, nowMs: number): void {
    let atMs = forMs === null ? Number.POSITIVE_INFINITY : nowMs + forMs;
    for (const { ripeAtMs } of this.#redelivered) if (ripeAtMs > nowMs && ripeAtMs < atMs) atMs = ripeAtMs;
    if (atMs === Number.POSITIVE_INFINITY) return;
    this.#cancelTimer = this.#clock.setTimer(atMs - nowMs, () => this.#evaluate());
  }
}
