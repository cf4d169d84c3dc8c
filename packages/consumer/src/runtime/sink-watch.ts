/** Watches how batches end, and slows the consumer down while the sink behind the handler is down. */
import type { BackoffPolicy, Clock, EntryId, Random } from "@redis-batch/core/internal";
import { type BatchEnd, type Breaker, CLOSED, decideBreaker } from "../decisions/breaker.ts";
import type { ConsumerEvent } from "../events.ts";

export interface SinkWatchContext {
  readonly policy: { readonly retry: BackoffPolicy };
  readonly clock: Clock;
  readonly random: Random;
  readonly report: (event: ConsumerEvent) => void;
  /** Called when messages may be handed over that might not before. */
  readonly onChange: () => void;
}

export class SinkWatch {
  readonly #context: SinkWatchContext;
  #breaker: Breaker = CLOSED;
  #cancelTimer = (): void => {};

  constructor(context: SinkWatchContext) {
    this.#context = context;
  }

  /** Whether batches fail for a reason that is not in the messages: one message at a time, and none counts as tried. */
  get isBackingOff(): boolean {
    return this.#breaker.kind === "open";
  }

  /** Whether the next attempt may be made now. */
  get mayTry(): boolean {
    return this.#breaker.kind === "closed" || this.#context.clock.nowMs() >= this.#breaker.notBeforeMs;
  }

  /** Takes in how a batch ended. */
  batchEnded(end: BatchEnd, ids: readonly EntryId[]): void {
    const { policy, clock, random, report, onChange } = this.#context;
    const before = this.#breaker;
    const nowMs = clock.nowMs();
    this.#breaker = decideBreaker(before, end, ids, nowMs, policy.retry, random);
    if (this.#breaker === before) return;
    this.#cancelTimer();
    if (this.#breaker.kind === "open") {
      const { attempts, notBeforeMs } = this.#breaker;
      report({ type: "backingOff", attempt: attempts, retryInMs: notBeforeMs - nowMs });
      this.#wakeAt(notBeforeMs);
    } else if (before.kind === "open") {
      report({ type: "resumed", attempts: before.attempts });
      onChange();
    }
  }

  stop(): void {
    this.#cancelTimer();
  }

  // Timers may go off a little early.
  #wakeAt(atMs: number): void {
    const { clock, onChange } = this.#context;
    this.#cancelTimer = clock.setTimer(atMs - clock.nowMs(), () => (this.mayTry ? onChange() : this.#wakeAt(atMs)));
  }
}
