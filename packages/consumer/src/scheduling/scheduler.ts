/**
 * Hands batches to whoever waits for one. What the next batch is, or for what and until when it waits, is decided in
 * `decisions/next-batch.ts`; here are the waiting callers, what was asked of the server for them, and the one timer.
 */
import { type Clock, ConnectionError, onAbort } from "@redis-batch/core/internal";
import {
  type Ask,
  type BatchPolicy,
  decideNextBatch,
  type Gate,
  type Mix,
  type NextBatch,
  NOT_ASKED,
} from "../decisions/next-batch.ts";
import type { PullMode } from "../decisions/redelivery.ts";
import type { BatchReason } from "../events.ts";
import type { Message } from "../message.ts";
import type { HeldMessages } from "./held-messages.ts";

export interface Collected<Value> {
  readonly messages: readonly Message<Value>[];
  readonly reason: BatchReason;
  readonly redelivered: number;
}

export interface TakeOptions {
  readonly mode: PullMode;
  /** Since when the wait counts, by the local clock; the batch may be empty. `null`: from the first message. */
  readonly calledAtMs: number | null;
  readonly signal?: AbortSignal | undefined;
}

/** Where messages come from that are not in memory. */
export interface MessageSources {
  /** Messages that nobody holds. */
  readonly released: {
    /** Whether it is time to look for some. */
    readonly isWanted: () => boolean;
    /** Looks for some. Never rejects. */
    readonly take: () => Promise<void>;
    /** Has them looked for now. */
    readonly expire: () => void;
  };
  /** Messages that were returned, and are due. */
  readonly returned: {
    /** Whether some are being read ahead, or will be at once. */
    readonly areComing: () => boolean;
    /** Whether some are read only to be offered at once, and the next batch, of so many, has room for them. */
    readonly areWanted: (batchSize: number) => boolean;
    /** Reads what the next batch may have of them, at most so many. Never rejects. */
    readonly readDue: (atMost: number) => Promise<void>;
    /** Reads the suspect that is first in line. Never rejects. */
    readonly readSuspect: () => Promise<void>;
  };
  /** New messages. */
  readonly reader: {
    /** How many reads were sent so far. */
    readonly sent: () => number;
    /** Has the stream read now, without waiting at the server. */
    readonly look: () => void;
    /** How long the answer to a look may take, in milliseconds. */
    readonly lookMs: number;
  };
}

export interface SchedulerContext<Value> {
  readonly policy: BatchPolicy;
  readonly held: HeldMessages<Value>;
  readonly clock: Clock;
  readonly sources: MessageSources;
  /** The largest batch that a message on its n-th delivery may be part of. */
  readonly largestBatch: (deliveries: number) => number;
  readonly gate: () => Gate;
  /** Called when a batch was offered, before whoever waits for it knows. */
  readonly onOffer: () => void;
  /** Called when more can be used than before. */
  readonly onDemand: () => void;
}

// The answer to what is asked takes one round trip; a server that does not answer must not keep a caller for long.
const ANSWER_MS = 1_000;

interface Waiter<Value> {
  readonly mode: PullMode;
  readonly calledAtMs: number | null;
  /** Reads that were sent before the call tell nothing of what has come since. */
  readonly sentBefore: number;
  look: "none" | "asked" | "answered" | "failed";
  lookUntilMs: number;
  readonly hand: (collected: Collected<Value>) => void;
  readonly giveUp: (reason: unknown) => void;
}

export class Scheduler<Value> {
  readonly #context: SchedulerContext<Value>;
  readonly #waiters: Waiter<Value>[] = [];
  #moreFresh = true;
  #isFreshTurn = false;
  #isOthersTurn = false;
  #released = NOT_ASKED;
  #due = NOT_ASKED;
  #suspect = NOT_ASKED;
  /** How long what is being read ahead is waited for at most; `null` while nothing is. */
  #comingUntilMs: number | null = null;
  #lastError: unknown;
  #isDraining = false;
  #isDeciding = false;
  #cancelTimer = (): void => {};

  constructor(context: SchedulerContext<Value>) {
    this.#context = context;
  }

  /** Batches that somebody waits for. */
  get wanted(): number {
    return this.#waiters.length;
  }

  /** Whether somebody waits for the answer of a read that has not begun yet, or nothing is known of the stream. */
  get mustLook(): boolean {
    return this.#waiters.some(({ look }) => look === "asked");
  }

  /** Until when the first new message in memory may wait for its batch to fill; `null` when none waits by itself. */
  get filling(): { readonly sinceMs: number; readonly untilMs: number } | null {
    const { held, policy } = this.#context;
    const sinceMs = held.freshSinceMs;
    if (sinceMs === null || held.due.messages > 0) return null;
    return { sinceMs, untilMs: (this.#waiters[0]?.calledAtMs ?? sinceMs) + policy.maxWaitMs };
  }

  /** Waits for the next batch. Empty when the time of a call is up, or when the consumer drains. */
  take({ mode, calledAtMs, signal }: TakeOptions): Promise<Collected<Value>> {
    const { clock, policy, sources, onDemand } = this.#context;
    return new Promise((resolve, reject) => {
      if (this.#isDraining) return resolve({ messages: [], reason: "draining", redelivered: 0 });
      signal?.throwIfAborted();
      let stopListening = (): void => {};
      const waiter: Waiter<Value> = {
        mode,
        calledAtMs,
        sentBefore: sources.reader.sent(),
        look: "none",
        lookUntilMs: clock.nowMs() + policy.maxWaitMs + sources.reader.lookMs,
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
        waiter.giveUp(reason);
        this.decide();
      });
      onDemand();
      this.decide();
    });
  }

  /** A read has been answered. `more`: it was full, so the stream may have more. */
  readEnded(sent: number, more: boolean): void {
    this.#moreFresh = more;
    this.#lastError = undefined;
    this.#look(sent, "answered");
  }

  /** A read has failed. */
  readFailed(sent: number, error: unknown): void {
    this.#moreFresh = false;
    this.#lastError = error;
    this.#look(sent, "failed");
  }

  /** Nothing new is read now, whoever waits: nobody needs to wait for that. */
  readingRests(): void {
    this.#moreFresh = false;
    for (const waiter of this.#waiters) if (waiter.look === "asked") waiter.look = "answered";
    this.decide();
  }

  /** Hands every waiting caller an empty batch, now and from now on. What is buffered stays to be released. */
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

  /** Hands out every batch that is due, asks for what is missing, and sets the timer for the next decision. */
  decide(): void {
    // What is handed over or asked for may change things and call this again: the loop below looks at it all.
    if (this.#isDeciding) return;
    this.#isDeciding = true;
    try {
      while (this.#step());
    } finally {
      this.#isDeciding = false;
    }
  }

  #look(sent: number, look: "answered" | "failed"): void {
    for (const waiter of this.#waiters) if (sent > waiter.sentBefore) waiter.look = look;
    this.decide();
  }

  /** Carries out one decision → whether another one may follow at once. */
  #step(): boolean {
    this.#cancelTimer();
    const [waiter] = this.#waiters;
    if (waiter === undefined) return false;
    const nowMs = this.#context.clock.nowMs();
    const next = this.#decideFor(waiter, nowMs);
    switch (next.kind) {
      case "wait":
        this.#decideAgainAt(next.untilMs, nowMs);
        return false;
      case "ask":
        this.#ask(next.what, waiter, nowMs);
        return true;
      case "offer":
        this.#waiters.shift();
        waiter.hand(this.#offer(next.mix, next.reason, waiter.mode, nowMs));
        break;
      case "empty":
        this.#waiters.shift();
        waiter.hand({ messages: [], reason: "wait", redelivered: 0 });
        break;
      case "refuse":
        this.#waiters.shift();
        waiter.giveUp(this.#couldNotAsk());
        break;
    }
    this.#context.onDemand();
    return true;
  }

  #decideFor(waiter: Waiter<Value>, nowMs: number): NextBatch {
    const { held, policy, sources, largestBatch, gate } = this.#context;
    const offerable = {
      due: held.dueMessages(largestBatch, nowMs),
      fresh: held.fresh.messages,
      moreFresh: this.#moreFresh,
      isSuspectOpen: held.isSuspectOpen,
      isFreshTurn: this.#isFreshTurn,
      isOthersTurn: this.#isOthersTurn,
    };
    const askable = {
      released: this.#released.state === "none" && sources.released.isWanted() ? WANTED : this.#released,
      due: this.#dueAsk(waiter, nowMs),
      suspect: this.#suspectAsk(),
    };
    const situation = { offerable, askable, gate: gate() };
    return decideNextBatch(situation, waiter, policy, nowMs, (mix) => held.factsOf(mix));
  }

  /** What was returned is part of the next batch: of a call it is awaited for as long as an answer may take. */
  #dueAsk({ calledAtMs }: Waiter<Value>, nowMs: number): Ask {
    const { policy, sources } = this.#context;
    if (this.#due.state !== "none") return this.#due;
    if (calledAtMs !== null && sources.returned.areComing()) {
      this.#comingUntilMs ??= nowMs + Math.max(policy.maxWaitMs, ANSWER_MS);
      return { state: "asked", untilMs: this.#comingUntilMs };
    }
    this.#comingUntilMs = null;
    return sources.returned.areWanted(this.#largestNow) ? WANTED : NOT_ASKED;
  }

  #suspectAsk(): Ask {
    const { held } = this.#context;
    if (this.#suspect.state !== "none") return this.#suspect;
    return held.waitingForPayload.suspect && !held.isSuspectBuffered ? WANTED : NOT_ASKED;
  }

  #ask(what: "released" | "due" | "suspect" | "look", waiter: Waiter<Value>, nowMs: number): void {
    const { sources } = this.#context;
    const asked: Ask = { state: "asked", untilMs: nowMs + ANSWER_MS };
    switch (what) {
      case "released":
        this.#released = asked;
        return this.#whenAnswered(sources.released.take(), () => {
          this.#released = NOT_ASKED;
        });
      case "due":
        this.#due = asked;
        return this.#whenAnswered(sources.returned.readDue(this.#largestNow), () => {
          this.#due = NOT_ASKED;
        });
      case "suspect":
        this.#suspect = asked;
        return this.#whenAnswered(sources.returned.readSuspect(), () => {
          this.#suspect = NOT_ASKED;
        });
      case "look":
        waiter.look = "asked";
        waiter.lookUntilMs = nowMs + sources.reader.lookMs;
        sources.released.expire();
        sources.reader.look();
    }
  }

  /** How many messages the next batch may have at most. */
  get #largestNow(): number {
    return Math.min(this.#context.gate().limit, this.#context.policy.batchSize);
  }

  #whenAnswered(answer: Promise<void>, note: () => void): void {
    void answer.then(note).then(() => this.decide());
  }

  #offer(mix: Mix, reason: BatchReason, mode: PullMode, nowMs: number): Collected<Value> {
    const { held, policy } = this.#context;
    const { messages, redelivered, isFullOfBytes } = held.offer(mix, policy.maxBytes, this.#isFreshTurn, {
      mode,
      atMs: nowMs,
    });
    const hasFresh = messages.length > redelivered;
    this.#isFreshTurn = !hasFresh;
    this.#isOthersTurn = redelivered > 0 && messages.some(({ isSuspect }) => isSuspect);
    if (hasFresh) held.ripenAll(nowMs);
    this.#context.onOffer();
    return { messages, reason: isFullOfBytes ? "bytes" : reason, redelivered };
  }

  #couldNotAsk(): ConnectionError {
    const cause = this.#lastError;
    const last = cause instanceof Error ? ` (last error: ${cause.message})` : "";
    return new ConnectionError(
      "fetch: the server did not answer, so nobody knows whether there are messages; call it again, the connection comes " +
        `back by itself${last}`,
      { outcome: "not-sent", cause },
    );
  }

  #decideAgainAt(untilMs: number | null, nowMs: number): void {
    const { held, clock } = this.#context;
    const atMs = Math.min(untilMs ?? Number.POSITIVE_INFINITY, held.nextRipeAtMs(nowMs));
    if (atMs === Number.POSITIVE_INFINITY) return;
    this.#cancelTimer = clock.setTimer(Math.max(atMs - nowMs, 0), () => this.decide());
  }
}

const WANTED: Ask = { state: "wanted", untilMs: 0 };
