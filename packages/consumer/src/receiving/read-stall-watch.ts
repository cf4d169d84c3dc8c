/**
 * Watches whether the reader gets anywhere, and says once when it has not for long, and once when it does again. The
 * single failures are events of their own; this one is for whoever is to be woken up.
 */
import type { Clock } from "@redis-batch/core/internal";
import type { ConsumerEvent } from "../events.ts";
import type { ErrorInfo } from "../runtime/full-server.ts";

// Beyond the wait that a read asks for itself. A failover is over sooner; what lasts longer, somebody should know of.
const PATIENCE_MS = 10_000;
// A timer that is so late says that this process stood still; what the server has answered meanwhile is still to be read.
const LATE_MS = 500;

export interface ReadStallWatchContext {
  /** How long the server may take by itself. */
  readonly ownWaitMs: number;
  readonly clock: Clock;
  readonly report: (event: ConsumerEvent) => void;
}

export class ReadStallWatch {
  readonly #context: ReadStallWatchContext;
  /** Since when nothing has come of what was asked; `null` while nothing is asked. */
  #sinceMs: number | null = null;
  /** Since when there has been a stall that was reported. */
  #stalledSinceMs: number | null = null;
  #error: ErrorInfo | null = null;
  #cancelTimer: (() => void) | undefined;

  constructor(context: ReadStallWatchContext) {
    this.#context = context;
  }

  get isStalled(): boolean {
    return this.#stalledSinceMs !== null;
  }

  /** An answer is wanted from now on, if it was not before. */
  begin(): void {
    if (this.#sinceMs !== null) return;
    this.#sinceMs = this.#context.clock.nowMs();
    this.#error = null;
    if (!this.isStalled) this.#lookIn(this.#patienceMs);
  }

  /** What was wanted is here. */
  answered(): void {
    const { clock, report } = this.#context;
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
    this.#error = error;
  }

  /** Nothing is wanted any more, so that silence is no stall. One that was reported lasts until the next answer. */
  rest(): void {
    this.#sinceMs = null;
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }

  get #patienceMs(): number {
    return this.#context.ownWaitMs + PATIENCE_MS;
  }

  // One timer for many answers: they only move the time that it compares with.
  #lookIn(delayMs: number): void {
    const { clock } = this.#context;
    const dueAtMs = clock.nowMs() + delayMs;
    this.#cancelTimer?.();
    this.#cancelTimer = clock.setTimer(delayMs, () => this.#look(clock.nowMs() - dueAtMs));
  }

  #look(lateMs: number): void {
    const { clock, report } = this.#context;
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
