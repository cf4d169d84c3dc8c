/**
 * Knows how reading goes: failures in a row, what the server owes an answer to, and whether reading has stalled. Reports a
 * stall once when it begins and once when it ends; each failed read has an event of its own.
 */
import type { ErrorInfo } from "@redis-batch/core";
import type { Scope } from "../scope.ts";

// On top of the wait that a read asks for itself. A failover takes less; anything longer should be reported.
const PATIENCE_MS = 10_000;
// If a timer is this late, the process itself was blocked, and the server's answer may be waiting to be read.
const LATE_MS = 500;

export class ReadWatch {
  readonly #scope: Scope;
  /** Since when an answer has been overdue; `null` while none is expected. */
  #sinceMs: number | null = null;
  /** Since when the reported stall has lasted. */
  #stalledSinceMs: number | null = null;
  #error: ErrorInfo | null = null;
  #failures = 0;
  /** Since when the server owes an answer; `null` while nothing is asked of it. */
  #askedAtMs: number | null = null;
  #cancelTimer: (() => void) | undefined;

  constructor(scope: Scope) {
    this.#scope = scope;
  }

  /** Whether no read has succeeded for long, although reads were wanted. */
  get isStalled(): boolean {
    return this.#stalledSinceMs !== null;
  }

  /** How many reads have failed in a row. */
  get failures(): number {
    return this.#failures;
  }

  /** How long the server has owed an answer, by the local clock; a refusal is an answer. 0 while nothing is asked. */
  get unansweredMs(): number {
    return this.#askedAtMs === null ? 0 : this.#scope.clock.nowMs() - this.#askedAtMs;
  }

  /** The server is asked for something. */
  asked(): void {
    this.#askedAtMs = this.#scope.clock.nowMs();
  }

  /** The server has answered, in whatever way, or the wait for it was ended. */
  released(): void {
    this.#askedAtMs = null;
  }

  /** From now on an answer is wanted, if it was not before. */
  begin(): void {
    if (this.#sinceMs !== null) return;
    this.#sinceMs = this.#scope.clock.nowMs();
    this.#error = null;
    if (!this.isStalled) this.#lookIn(this.#patienceMs);
  }

  /** The wanted answer has arrived. */
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

  /** A read failed, and another attempt follows. */
  failed(error: ErrorInfo): void {
    this.#failures++;
    this.#error = error;
  }

  /** No answer is wanted any more, so silence is no stall. A reported stall lasts until the next answer. */
  rest(): void {
    this.#sinceMs = null;
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }

  get #patienceMs(): number {
    return this.#scope.policy.blockMs + PATIENCE_MS;
  }

  // One timer for many answers: an answer only moves the time with which the timer compares.
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
    // Whole milliseconds: a fraction may be too small to move the clock.
    if (leftMs > 0) return this.#lookIn(Math.ceil(leftMs));
    if (lateMs > LATE_MS) return this.#lookIn(LATE_MS);
    this.#cancelTimer = undefined;
    this.#stalledSinceMs = this.#sinceMs;
    report({ type: "readStalled", silentMs, error: this.#error });
  }
}
