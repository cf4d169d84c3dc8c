/** The callers that wait for a batch, and what the reader's answers mean for them. */
import type { PullMode } from "../decisions/redelivery.ts";
import type { BatchReason } from "../events.ts";
import type { Message } from "../message.ts";
import type { Scope } from "../scope.ts";

export interface Collected<Value> {
  readonly messages: readonly Message<Value>[];
  readonly reason: BatchReason;
  readonly redelivered: number;
}

/** A caller that asks for a batch. */
export interface Call<Value> {
  readonly mode: PullMode;
  /** When the wait began, by the local clock; its batch may be empty. `null`: the wait begins with the first message. */
  readonly calledAtMs: number | null;
  readonly hand: (collected: Collected<Value>) => void;
  readonly giveUp: (reason: unknown) => void;
}

export interface WaitingCall<Value> extends Call<Value> {
  /** How many reads had been sent before: their answers say nothing about messages that were added since. */
  readonly sentBefore: number;
  look: "none" | "asked" | "answered" | "failed";
  lookUntilMs: number;
  /** How many looks were asked for. */
  looks: number;
}

export class WaitingCalls<Value> {
  readonly #scope: Scope<Value>;
  readonly #calls: WaitingCall<Value>[] = [];
  #mayBeMore = true;
  #lastError: unknown;

  constructor(scope: Scope<Value>) {
    this.#scope = scope;
  }

  /** How many callers wait for a batch. */
  get wanted(): number {
    return this.#calls.length;
  }

  /** The caller that is first in line. */
  get first(): WaitingCall<Value> | undefined {
    return this.#calls[0];
  }

  /** Whether the stream may have more new messages. */
  get mayBeMore(): boolean {
    return this.#mayBeMore;
  }

  /** Why the last read failed; `undefined` if it succeeded. */
  get lastError(): unknown {
    return this.#lastError;
  }

  /** Whether a caller waits for the answer of a read that has not begun yet. */
  get mustLook(): boolean {
    return this.#calls.some(({ look }) => look === "asked");
  }

  /** How long the first new message in memory may wait for its batch to fill; `null` if no new message is waiting. */
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
    const place = this.#calls.indexOf(call);
    if (place >= 0) this.#calls.splice(place, 1);
  }

  removeAll(): readonly WaitingCall<Value>[] {
    return this.#calls.splice(0);
  }

  /** A read has been answered. `more`: it was full, so the stream may have more messages. */
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

  /** New messages are not read for now, so callers need not wait for an answer. */
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
