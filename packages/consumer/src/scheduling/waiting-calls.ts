/** Who waits for a batch, and what the reader's answers tell them of the stream. */
import type { PullMode } from "../decisions/redelivery.ts";
import type { BatchReason } from "../events.ts";
import type { Message } from "../message.ts";
import type { Scope } from "../scope.ts";

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

export interface WaitingCall<Value> {
  readonly mode: PullMode;
  readonly calledAtMs: number | null;
  /** Reads that were sent before the call tell nothing of what has come since. */
  readonly sentBefore: number;
  look: "none" | "asked" | "answered" | "failed";
  lookUntilMs: number;
  readonly hand: (collected: Collected<Value>) => void;
  readonly giveUp: (reason: unknown) => void;
}

export class WaitingCalls<Value> {
  readonly #scope: Scope<Value>;
  readonly #calls: WaitingCall<Value>[] = [];
  #mayBeMore = true;
  #lastError: unknown;

  constructor(scope: Scope<Value>) {
    this.#scope = scope;
  }

  /** Batches that somebody waits for. */
  get wanted(): number {
    return this.#calls.length;
  }

  /** Whose turn it is. */
  get first(): WaitingCall<Value> | undefined {
    return this.#calls[0];
  }

  /** Whether the server has, or may have, new messages that are being read. */
  get mayBeMore(): boolean {
    return this.#mayBeMore;
  }

  /** Why the last read failed; `undefined` after one that did not. */
  get lastError(): unknown {
    return this.#lastError;
  }

  /** Whether somebody waits for the answer of a read that has not begun yet, or nothing is known of the stream. */
  get mustLook(): boolean {
    return this.#calls.some(({ look }) => look === "asked");
  }

  /** Until when the first new message in memory may wait for its batch to fill; `null` when none waits by itself. */
  get filling(): { readonly sinceMs: number; readonly untilMs: number } | null {
    const { held, policy } = this.#scope;
    const sinceMs = held.freshSinceMs;
    if (sinceMs === null || held.due.messages > 0) return null;
    return { sinceMs, untilMs: (this.first?.calledAtMs ?? sinceMs) + policy.maxWaitMs };
  }

  add(call: WaitingCall<Value>): void {
    this.#calls.push(call);
  }

  remove(call: WaitingCall<Value>): void {
    this.#calls.splice(this.#calls.indexOf(call), 1);
  }

  removeAll(): readonly WaitingCall<Value>[] {
    return this.#calls.splice(0);
  }

  /** A read has been answered. `more`: it was full, so the stream may have more. */
  readEnded(sent: number, more: boolean): void {
    this.#mayBeMore = more;
    this.#lastError = undefined;
    this.#note(sent, "answered");
  }

  /** A read has failed. */
  readFailed(sent: number, error: unknown): void {
    this.#mayBeMore = false;
    this.#lastError = error;
    this.#note(sent, "failed");
  }

  /** Nothing new is read now, whoever waits: nobody needs to wait for that. */
  readingRests(): void {
    this.#mayBeMore = false;
    for (const call of this.#calls) if (call.look === "asked") call.look = "answered";
    this.#scope.signals.offerableChanged.raise();
  }

  #note(sent: number, look: "answered" | "failed"): void {
    for (const call of this.#calls) if (sent > call.sentBefore) call.look = look;
    this.#scope.signals.offerableChanged.raise();
  }
}
