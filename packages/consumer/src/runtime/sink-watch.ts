/** Watches how batches end, and slows the consumer down while the sink behind the handler is down. */
import type { BackoffPolicy, Clock, Random } from "@redis-batch/core/internal";
import { type Breaker, CLOSED, decideBreaker, decideCounting, type TriedMessage } from "../decisions/breaker.ts";
import { decideMaxDeliveries } from "../decisions/redelivery.ts";
import type { ConsumerEvent } from "../events.ts";

export interface SinkWatchContext {
  readonly policy: {
    readonly retry: BackoffPolicy;
    readonly maxDeliveries: number | undefined;
    readonly maxOutageMs: number;
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
  #cancelTimer = (): void => {};

  constructor(context: SinkWatchContext) {
    this.#context = context;
  }

  /** Whether batches fail for a reason that is not in the messages: then one message is tried at a time. */
  get isBackingOff(): boolean {
    return this.#breaker.state.kind === "open";
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
  batchEnded(tried: readonly TriedMessage[]): void {
    const { clock, random, report, onChange } = this.#context;
    const { retry, maxDeliveries } = this.#context.policy;
    const { state: before } = this.#breaker;
    const nowMs = clock.nowMs();
    const policy = { retry, maxDeliveries: decideMaxDeliveries("loop", maxDeliveries) };
    this.#breaker = decideBreaker(this.#breaker, tried, nowMs, policy, random);
    const { state } = this.#breaker;
    if (state === before) return;
    this.#cancelTimer();
    if (state.kind === "open") {
      report({ type: "backingOff", attempt: state.attempts, retryInMs: state.notBeforeMs - nowMs });
      this.#wakeAt(state.notBeforeMs);
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
