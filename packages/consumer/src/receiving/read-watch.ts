/**
 * Watches whether the reader gets anywhere, and says once when it has not for long, and once when it does again. The
 * single failures are events of their own; this one is for whoever is to be woken up.
 */
import type { ErrorInfo } from "@redis-batch/core/internal";
import type { Scope } from "../scope.ts";

// Beyond the wait that a read asks for itself. A failover is over sooner; what lasts longer, somebody should know of.
const PATIENCE_MS = 10_000;
// A timer that is so late says that this process stood still; what the server has answered meanwhile is still to be read.
const LATE_MS = 500;

export class ReadWatch {
  readonly #scope: Scope;
  /** Since when nothing has come of what was asked; `null` while nothing is asked. */
  #sinceMs: number | null = null;
  /** Since when there has been a stall that was reported. */
  #stalledSinceMs: number | null = null;
  #error: ErrorInfo | null = null;
  #failures = 0;
  /** Since when the server owes an answer; `null` while nothing is asked of it. */
  #askedAtMs: number | null = null;
  #cancelTimer: (() => void) | undefined;

  constructor(scope: Scope) {
    this.#scope = scope;
  }

  /** Whether reads have been wanted for long, and nothing came of it. */
  get isStalled(): boolean {
    return this.#stalledSinceMs !== null;
  }

  /** How many attempts have failed in a row. */
  get failures(): number {
    return this.#failures;
  }

  /** How long the server has owed an answer, a refusal or not, by the local clock; 0 while nothing is asked of it. */
  get unansweredMs(): number {
    return this.#askedAtMs === null ? 0 : this.#scope.clock.nowMs() - this.#askedAtMs;
  }

  /** Something goes out to the server. */
  asked(): void {
    this.#askedAtMs = this.#scope.clock.nowMs();
  }

  /** An answer came, of whatever kind, or the wait for it was ended. */
  released(): void {
    this.#askedAtMs = null;
  }

  /** An answer is wanted from now on, if it was not before. */
  begin(): void {
    if (this.#sinceMs !== null) return;
    this.#sinceMs = this.#scope.clock.nowMs();
    this.#error = null;
    if (!this.isStalled) this.#lookIn(this.#patienceMs);
  }

  /** What was wanted is here. */
  answered(): void {
    const { clock, report } = this.#scope;
    this.#failures = 0;
    this.#sinceMs = clock.nowMs();
    this.#error = null;
    if (this.#stalledSinceMs === null) return;
    const stalledMs = this.#sinceMs - this.#stalledSinceMs;
    this.#stalledSinceMs = null;
    report({ type: "readStallEnded", stalledMs });
    this.#lookIn(this.#patienceMs);
  }

  /** An attempt failed, and another one follows. */
  failed(error: ErrorInfo): void {
    this.#failures++;
    this.#error = error;
  }

  /** Nothing is wanted any more, so that silence is no stall. One that was reported lasts until the next answer. */
  rest(): void {
    this.#sinceMs = null;
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }

  get #patienceMs(): number {
    return this.#scope.policy.blockMs + PATIENCE_MS;
  }

  // One timer for many answers: they only move the time that it compares with.
  #lookIn(delayMs: number): void {
    const { clock } = this.#scope;
    const dueAtMs = clock.nowMs() + delayMs;
    this.#cancelTimer?.();
    this.#cancelTimer = clock.setTimer(delayMs, () => this.#look(clock.nowMs() - dueAtMs));
  }

  #look(lateMs: number): void {
    const { clock, report } = this.#scope;
    if (this.#sinceMs === null) return;
    const silentMs = clock.nowMs() - this.#sinceMs;
    const leftMs = this.#patienceMs - silentMs;
    if (leftMs > 0) return this.#lookIn(leftMs);
    if (lateMs > LATE_MS) return this.#lookIn(LATE_MS);
    this.#cancelTimer = undefined;
    this.#stalledSinceMs = this.#sinceMs;
    report({ type: "readStalled", silentMs, error: this.#error });
  }
}
