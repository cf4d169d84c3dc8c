/**
 * Hands the next batch to the caller that is first in line. `decisions/next-batch.ts` decides what is in the batch, or what it
 * waits for and how long; the scheduler asks the sources for messages, and has the one timer.
 */
import { ConnectionError } from "@redis-batch/core";
import { type Ask, decideNextBatch, type Mix, type NextBatch, NOT_ASKED } from "../decisions/next-batch.ts";
import { longestAnswerMs } from "../decisions/pace.ts";
import type { PullMode } from "../decisions/redelivery.ts";
import type { BatchReason } from "../events.ts";
import type { Scope } from "../scope.ts";
import type { IntakeControl } from "./intake-control.ts";
import type { Call, Collected, WaitingCall, WaitingCalls } from "./waiting-calls.ts";

/** Where messages come from that are not in memory yet. */
export interface MessageSources {
  /** Released messages. */
  readonly released: {
    /** Whether it is time to look for some. */
    isWanted(): boolean;
    /** Looks for some. Never rejects. */
    take(): Promise<void>;
    /** Makes the next look due. */
    expire(): void;
  };
  /** Messages that were deferred in memory, and are due. */
  readonly deferred: {
    /** Whether some are being read ahead, or are about to be. */
    areComing(): boolean;
    /** Whether some are only read to be offered at once, and a batch of this size has room for them. */
    areWanted(batchSize: number): boolean;
    /** Reads as many as the next batch may contain, at most this many. Never rejects. */
    readDue(atMost: number): Promise<void>;
    /** Reads the first suspect in line. Never rejects. */
    readSuspect(): Promise<void>;
  };
  /** New messages. */
  readonly reader: {
    /** How many reads have been sent. */
    readonly sent: number;
    /** Reads the stream now, without waiting at the server. */
    look(): void;
  };
}

// An answer takes one round trip. A server that does not answer must not delay a caller for long.
const ANSWER_MS = 1_000;
// A sink that is down must not have the stream read to its end.
const MOST_LOOKS = 10;

export interface BatchSchedulerParts<Value> {
  readonly waiting: WaitingCalls<Value>;
  readonly intake: Pick<IntakeControl, "gate" | "offered" | "prefersNew" | "stop">;
  readonly sources: MessageSources;
}

export class BatchScheduler<Value> {
  readonly #scope: Scope<Value>;
  readonly #parts: BatchSchedulerParts<Value>;
  readonly #largestBatch: (deliveries: number) => number;
  #isFreshTurn = false;
  #isOthersTurn = false;
  #released = NOT_ASKED;
  #due = NOT_ASKED;
  #suspect = NOT_ASKED;
  /** Until when messages that are being read ahead are waited for; `null` while none are. */
  #comingUntilMs: number | null = null;
  #isDraining = false;
  #isDeciding = false;
  #cancelTimer = (): void => {};

  constructor(scope: Scope<Value>, parts: BatchSchedulerParts<Value>) {
    this.#scope = scope;
    this.#parts = parts;
    this.#largestBatch = (deliveries) => scope.usage.largestBatch(deliveries);
    const { offerableChanged, paceChanged } = scope.signals;
    for (const signal of [offerableChanged, paceChanged]) signal.listen(() => this.decide());
  }

  /**
   * Adds a caller that waits for the next batch → takes it back; call `decide()` then. The batch is empty when the call's time is
   * up, or when the consumer drains.
   */
  submit(asked: Call<Value>): () => void {
    const { clock, policy, signals } = this.#scope;
    const { waiting, sources } = this.#parts;
    if (this.#isDraining) {
      asked.hand({ messages: [], reason: "draining", redelivered: 0 });
      return () => {};
    }
    const call: WaitingCall<Value> = {
      ...asked,
      sentBefore: sources.reader.sent,
      ...{ look: "none", looks: 0 },
      lookUntilMs: clock.nowMs() + policy.maxWaitMs + longestAnswerMs(policy),
    };
    waiting.add(call);
    signals.roomChanged.raise();
    this.decide();
    return () => waiting.remove(call);
  }

  /** Hands every caller an empty batch, now and from now on. Buffered messages stay, to be released. */
  drain(): void {
    this.#isDraining = true;
    this.#parts.intake.stop();
    this.#cancelTimer();
    for (const call of this.#parts.waiting.removeAll()) call.hand({ messages: [], reason: "draining", redelivered: 0 });
  }

  /** Rejects every waiting caller: the consumer has failed. */
  fail(reason: unknown): void {
    this.#isDraining = true;
    this.#parts.intake.stop();
    this.#cancelTimer();
    for (const call of this.#parts.waiting.removeAll()) call.giveUp(reason);
  }

  /** Hands out every batch that is due, asks for what is missing, and sets the timer for the next decision. */
  decide(): void {
    // Handing over and asking may call this again; the loop below takes that into account.
    if (this.#isDeciding) return;
    this.#isDeciding = true;
    try {
      while (this.#step());
    } finally {
      this.#isDeciding = false;
    }
  }

  /** Carries out one decision → whether another one may follow at once. */
  #step(): boolean {
    this.#cancelTimer();
    const { waiting } = this.#parts;
    const call = waiting.first;
    if (call === undefined) return false;
    const nowMs = this.#scope.clock.nowMs();
    const next = this.#decideFor(call, nowMs);
    switch (next.kind) {
      case "wait":
        this.#decideAgainAt(next.untilMs, nowMs);
        return false;
      case "ask":
        this.#ask(next.what, call, nowMs);
        return true;
      case "offer":
        waiting.remove(call);
        call.hand(this.#offer(next.mix, next.reason, call.mode, nowMs));
        break;
      case "empty":
        waiting.remove(call);
        call.hand({ messages: [], reason: "wait", redelivered: 0 });
        break;
      case "refuse":
        waiting.remove(call);
        call.giveUp(this.#couldNotAsk());
        break;
    }
    this.#scope.signals.roomChanged.raise();
    return true;
  }

  #decideFor(call: WaitingCall<Value>, nowMs: number): NextBatch {
    const { held, policy } = this.#scope;
    const { waiting, intake, sources } = this.#parts;
    held.sift(policy.batchSize, nowMs);
    if (intake.prefersNew) this.#lookOn(call, nowMs);
    const offerable = {
      due: held.dueMessages(this.#largestBatch, nowMs),
      fresh: held.fresh.messages,
      // Nothing was read for a while, so it is not known.
      moreFresh: waiting.mayBeMore || (intake.prefersNew && call.look === "none"),
      isSuspectOpen: held.isSuspectOpen,
      isFreshTurn: this.#mustBeFresh,
      isOthersTurn: this.#isOthersTurn,
    };
    const askable = {
      released: this.#released.state === "none" && sources.released.isWanted() ? WANTED : this.#released,
      due: this.#dueAsk(call, nowMs),
      suspect: this.#suspectAsk(),
    };
    const situation = { offerable, askable, gate: intake.gate() };
    return decideNextBatch(situation, call, policy, nowMs, (mix) => held.factsOf(mix));
  }

  /** Deferred messages that are due belong to the next batch: a call waits for them as long as an answer may take. */
  #dueAsk({ calledAtMs }: WaitingCall<Value>, nowMs: number): Ask {
    const { policy } = this.#scope;
    const { sources } = this.#parts;
    if (this.#due.state !== "none") return this.#due;
    if (calledAtMs !== null && sources.deferred.areComing()) {
      this.#comingUntilMs ??= nowMs + Math.max(policy.maxWaitMs, ANSWER_MS);
      return { state: "asked", untilMs: this.#comingUntilMs };
    }
    this.#comingUntilMs = null;
    return sources.deferred.areWanted(this.#largestNow) ? WANTED : NOT_ASKED;
  }

  #suspectAsk(): Ask {
    const { held } = this.#scope;
    if (this.#suspect.state !== "none") return this.#suspect;
    return held.waitingForPayload.suspect && !held.isSuspectBuffered ? WANTED : NOT_ASKED;
  }

  #ask(what: "released" | "due" | "suspect" | "look", call: WaitingCall<Value>, nowMs: number): void {
    const { sources } = this.#parts;
    const asked: Ask = { state: "asked", untilMs: nowMs + ANSWER_MS };
    switch (what) {
      case "released":
        this.#released = asked;
        return this.#whenAnswered(sources.released.take(), () => {
          this.#released = NOT_ASKED;
        });
      case "due":
        this.#due = asked;
        return this.#whenAnswered(sources.deferred.readDue(this.#largestNow), () => {
          this.#due = NOT_ASKED;
        });
      case "suspect":
        this.#suspect = asked;
        return this.#whenAnswered(sources.deferred.readSuspect(), () => {
          this.#suspect = NOT_ASKED;
        });
      case "look":
        call.look = "asked";
        call.looks++;
        // What the call has waited for other answers already is not waited for twice.
        call.lookUntilMs = Math.min(
          nowMs + longestAnswerMs(this.#scope.policy),
          call.calledAtMs === null ? Number.POSITIVE_INFINITY : call.lookUntilMs,
        );
        sources.released.expire();
        sources.reader.look();
    }
  }

  /** What was read for the next attempt may all be of keys that wait: then the next messages are read. */
  #lookOn(call: WaitingCall<Value>, nowMs: number): void {
    const { held, policy } = this.#scope;
    const { intake, waiting } = this.#parts;
    if (held.fresh.messages > 0 || intake.gate().limit === 0) return;
    if (call.look === "answered" && waiting.mayBeMore && call.looks < MOST_LOOKS) call.look = "none";
    // A call has waited for its turn for any time.
    if (call.look === "none") call.lookUntilMs = nowMs + longestAnswerMs(policy);
  }

  /** Whether a new message is sure of a place in the next batch. */
  get #mustBeFresh(): boolean {
    return this.#isFreshTurn || this.#parts.intake.prefersNew;
  }

  /** How many messages the next batch may have at most. */
  get #largestNow(): number {
    return Math.min(this.#parts.intake.gate().limit, this.#scope.policy.batchSize);
  }

  #whenAnswered(answer: Promise<void>, note: () => void): void {
    void answer.then(note).then(() => this.decide());
  }

  #offer(mix: Mix, reason: BatchReason, mode: PullMode, nowMs: number): Collected<Value> {
    const { held, policy } = this.#scope;
    const { messages, redelivered, isFullOfBytes } = held.offer(mix, policy.maxBytes, this.#mustBeFresh, {
      mode,
      atMs: nowMs,
    });
    const hasFresh = messages.length > redelivered;
    this.#isFreshTurn = !hasFresh;
    this.#isOthersTurn = redelivered > 0 && messages.some(({ isSuspect }) => isSuspect);
    if (hasFresh) held.ripenAll(nowMs);
    this.#parts.intake.offered(messages.length);
    return { messages, reason: isFullOfBytes ? "bytes" : reason, redelivered };
  }

  #couldNotAsk(): ConnectionError {
    const cause = this.#parts.waiting.lastError;
    const last = cause instanceof Error ? ` (last error: ${cause.message})` : "";
    return new ConnectionError(
      "fetch: the server did not answer, so nobody knows whether there are messages; call it again, the connection comes " +
        `back by itself${last}`,
      { outcome: "not-sent", cause },
    );
  }

  #decideAgainAt(untilMs: number | null, nowMs: number): void {
    const { held, clock } = this.#scope;
    const atMs = Math.min(untilMs ?? Number.POSITIVE_INFINITY, held.nextRipeAtMs(nowMs));
    if (atMs === Number.POSITIVE_INFINITY) return;
    this.#cancelTimer = clock.setTimer(Math.max(atMs - nowMs, 0), () => this.decide());
  }
}

const WANTED: Ask = { state: "wanted", untilMs: 0 };
