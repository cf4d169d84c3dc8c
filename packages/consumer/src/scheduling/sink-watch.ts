/** Watches how batches end, and slows the consumer down while the sink behind the handler is down. */
import type { BackoffPolicy, Clock, Random } from "@redis-batch/core/internal";
import {
  type Breaker,
  CLOSED,
  decideBreaker,
  decideCounting,
  isUntroubled,
  openBreaker,
  type TriedMessage,
} from "../decisions/breaker.ts";
import { afterBatch, afterSuccessElsewhere, FIT, type Fitness } from "../decisions/fitness.ts";
import { decideMaxDeliveries } from "../decisions/redelivery.ts";
import type { ConsumerEvent } from "../events.ts";

export interface SinkWatchContext {
  readonly policy: {
    readonly retry: BackoffPolicy;
    readonly maxDeliveries: number | undefined;
    readonly maxOutageMs: number;
    readonly leaseMs: number;
  };
  readonly clock: Clock;
  readonly random: Random;
  readonly report: (event: ConsumerEvent) => void;
  /** Called when messages may be handed over that might not before. */
  readonly onChange: () => void;
}

export class SinkWatch {
  readonly #context: SinkWatchContext;
  #breaker: Breaker = CLOSED;
  #fitness: Fitness = FIT;
  #failedAtMs = Number.NEGATIVE_INFINITY;
  #cancelTimer = (): void => {};

  constructor(context: SinkWatchContext) {
    this.#context = context;
  }

  /** Whether batches fail for a reason that is not in the messages: then one message is tried at a time. */
  get isBackingOff(): boolean {
    return this.#breaker.state.kind === "open";
  }

  /** Whether what fails here succeeds elsewhere: then it is this process that is broken. */
  get isUnfit(): boolean {
    return this.#fitness.isUnfit;
  }

  /** Whether a delivery that fails now counts towards `maxDeliveries`. */
  get isCounting(): boolean {
    return decideCounting(this.#breaker, this.#context.policy.maxOutageMs, this.#context.clock.nowMs());
  }

  /** Whether the next attempt may be made now. */
  get mayTry(): boolean {
    const { state } = this.#breaker;
    return state.kind === "closed" || this.#context.clock.nowMs() >= state.notBeforeMs;
  }

  /** Takes in how the messages of a batch ended, in a loop. */
  batchEnded(tried: readonly (TriedMessage & { readonly isDeferredForLong: boolean })[]): void {
    const failures = tried.filter(({ hasSucceeded }) => !hasSucceeded);
    // Nearly every batch is well, and so is everything before it.
    if (failures.length === 0 && isUntroubled(this.#breaker) && this.#fitness === FIT) return;
    // Whoever has deferred for long all that he was offered sets the pace himself: that is no sign of a sink that is down.
    if (failures.length === tried.length && failures.every(({ isDeferredForLong }) => isDeferredForLong)) return;
    const { clock, random } = this.#context;
    const { retry, maxDeliveries } = this.#context.policy;
    const policy = { retry, maxDeliveries: decideMaxDeliveries("loop", maxDeliveries) };
    const failed = failures.length;
    const wasUnfit = this.isUnfit;
    this.#fitness = afterBatch(this.#fitness, failed, failed < tried.length);
    if (failed > 0) this.#failedAtMs = clock.nowMs();
    this.#change(decideBreaker(this.#breaker, tried, clock.nowMs(), policy, random));
    this.#sayFitness(wasUnfit);
  }

  /** Forgets what is long past: who has not tried for a lease is not known to be broken any more. */
  forgetOld(): void {
    const { clock, policy } = this.#context;
    if (clock.nowMs() - this.#failedAtMs < policy.leaseMs) return;
    const wasUnfit = this.isUnfit;
    this.#fitness = FIT;
    this.#sayFitness(wasUnfit);
  }

  /** Takes in that others acknowledged what had failed here. */
  succeededElsewhere(messages: number): void {
    const { clock, random, policy } = this.#context;
    const wasUnfit = this.isUnfit;
    this.#fitness = afterSuccessElsewhere(this.#fitness, messages);
    if (this.isUnfit && !this.isBackingOff) {
      this.#change(openBreaker(this.#breaker, clock.nowMs(), policy.retry, random));
    }
    this.#sayFitness(wasUnfit);
  }

  stop(): void {
    this.#cancelTimer();
  }

  #change(breaker: Breaker): void {
    const { clock, report, onChange } = this.#context;
    const { state: before } = this.#breaker;
    this.#breaker = breaker;
    const { state } = breaker;
    if (state === before) return;
    this.#cancelTimer();
    if (state.kind === "open") {
      report({ type: "backingOff", attempt: state.attempts, retryInMs: state.notBeforeMs - clock.nowMs() });
      this.#wakeAt(state.notBeforeMs);
      onChange();
    } else if (before.kind === "open") {
      report({ type: "resumed", attempts: before.attempts });
      onChange();
    }
  }

  #sayFitness(wasUnfit: boolean): void {
    const { failures, succeededElsewhere, isUnfit } = this.#fitness;
    if (isUnfit && !wasUnfit) this.#context.report({ type: "unfit", failures, succeededElsewhere });
    if (!isUnfit && wasUnfit) this.#context.report({ type: "fit" });
  }

  // Timers may go off a little early.
  #wakeAt(atMs: number): void {
    const { clock, onChange } = this.#context;
    this.#cancelTimer = clock.setTimer(atMs - clock.nowMs(), () => (this.mayTry ? onChange() : this.#wakeAt(atMs)));
  }
}
