/** Watches how batches end, and slows the consumer down while the sink behind the handler is down. */

import {
  type Breaker,
  decideBreaker,
  decideCounting,
  isUntroubled,
  openBreaker,
  type TriedMessage,
} from "../decisions/breaker.ts";
import { afterBatch, afterSuccessElsewhere, FIT, type Fitness } from "../decisions/fitness.ts";
import { decideMaxDeliveries } from "../decisions/redelivery.ts";
import type { Scope } from "../scope.ts";

export class SinkWatch {
  readonly #scope: Scope;
  readonly #viewer = { changed: (): void => this.#followOthers(), isProbing: (): boolean => this.#isProbing() };
  readonly #leaveSink: () => void;
  #isProbing: () => boolean = () => false;
  #fitness: Fitness = FIT;
  #failedAtMs = Number.NEGATIVE_INFINITY;
  #cancelTimer = (): void => {};

  constructor(scope: Scope) {
    this.#scope = scope;
    this.#leaveSink = scope.sink.view(this.#viewer);
    scope.signals.heartbeatSent.listen(() => this.forgetOld());
  }

  get #breaker(): Breaker {
    return this.#scope.sink.breaker;
  }

  /** Tells the others that look at the sink whether this stream tries a message now. */
  probesWhen(isProbing: () => boolean): void {
    this.#isProbing = isProbing;
  }

  /** Whether batches fail for a reason other than their messages. Then one message is tried at a time. */
  get isBackingOff(): boolean {
    return this.#breaker.state.kind === "open";
  }

  /** Whether messages that fail here succeed elsewhere. Then this process is broken. */
  get isUnfit(): boolean {
    return this.#fitness.isUnfit;
  }

  /** Whether a failed delivery counts towards `maxDeliveries` now. */
  get isCounting(): boolean {
    return decideCounting(this.#breaker, this.#scope.policy.maxOutageMs, this.#scope.clock.nowMs());
  }

  /** Whether the next attempt may be made now. */
  get mayTry(): boolean {
    const { state } = this.#breaker;
    if (state.kind === "closed") return true;
    return this.#scope.clock.nowMs() >= state.notBeforeMs && !this.#scope.sink.isProbingElsewhere(this.#viewer);
  }

  /** Takes in the results of a batch in a loop. */
  batchEnded(tried: readonly (TriedMessage & { readonly isDeferredForLong: boolean })[]): void {
    const failures = tried.filter(({ hasSucceeded }) => !hasSucceeded);
    // Nearly every batch succeeds, and so did the ones before.
    if (failures.length === 0 && isUntroubled(this.#breaker) && this.#fitness === FIT) return;
    // A handler that deferred all its messages for long sets the pace itself: that does not mean that the sink is down.
    if (failures.length === tried.length && failures.every(({ isDeferredForLong }) => isDeferredForLong)) {
      // Another stream may try one now.
      return this.#scope.sink.change(this.#breaker, this.#viewer);
    }
    const { clock, random } = this.#scope;
    const { retry, maxDeliveries } = this.#scope.policy;
    const policy = { retry, maxDeliveries: decideMaxDeliveries("loop", maxDeliveries) };
    const failed = failures.length;
    const wasUnfit = this.isUnfit;
    this.#fitness = afterBatch(this.#fitness, failed, failed < tried.length);
    if (failed > 0) this.#failedAtMs = clock.nowMs();
    this.#change(decideBreaker(this.#breaker, this.#asTold(tried), clock.nowMs(), policy, random));
    this.#sayFitness(wasUnfit);
  }

  /** Forgets old failures: after a lease without an attempt it is not known whether this process is still broken. */
  forgetOld(): void {
    const { clock, policy } = this.#scope;
    if (clock.nowMs() - this.#failedAtMs < policy.leaseMs) return;
    const wasUnfit = this.isUnfit;
    this.#fitness = FIT;
    this.#sayFitness(wasUnfit);
  }

  /** Takes in that others acknowledged messages that had failed here. */
  succeededElsewhere(messages: number): void {
    const { clock, random, policy } = this.#scope;
    const wasUnfit = this.isUnfit;
    this.#fitness = afterSuccessElsewhere(this.#fitness, messages);
    if (this.isUnfit && !this.isBackingOff) {
      this.#change(openBreaker(this.#breaker, clock.nowMs(), policy.retry, random));
    }
    this.#sayFitness(wasUnfit);
  }

  stop(): void {
    this.#leaveSink();
    this.#cancelTimer();
  }

  /**
   * What the breaker is told. In the lines of keys it is known of the first message whether it failed while others succeeded. An id is
   * unique within its stream only, and partitions share a breaker.
   */
  #asTold(tried: readonly TriedMessage[]): readonly TriedMessage[] {
    const { order, owned, policy } = this.#scope;
    if (order === undefined && owned === undefined) return tried;
    return tried.map(({ id, deliveries, hasSucceeded }) => {
      const line = hasSucceeded ? undefined : order?.lineOf(id);
      const isKnownBad = line !== undefined && line.waiting[0]?.id === id && order?.isKnownBad(line) === true;
      return { id: owned === undefined ? id : `${policy.stream} ${id}`, deliveries, hasSucceeded, isKnownBad };
    });
  }

  #change(breaker: Breaker): void {
    const { clock, report, signals } = this.#scope;
    const { state: before } = this.#breaker;
    this.#scope.sink.change(breaker, this.#viewer);
    const { state } = breaker;
    if (state === before) return;
    this.#cancelTimer();
    if (state.kind === "open") {
      report({ type: "backingOff", attempt: state.attempts, retryInMs: state.notBeforeMs - clock.nowMs() });
      this.#wakeAt(state.notBeforeMs);
      signals.paceChanged.raise();
    } else if (before.kind === "open") {
      report({ type: "resumed", attempts: before.attempts });
      signals.paceChanged.raise();
    }
  }

  /** Another stream has found out about the sink, and says so. */
  #followOthers(): void {
    const { state } = this.#breaker;
    this.#cancelTimer();
    if (state.kind === "open") this.#wakeAt(state.notBeforeMs);
    this.#scope.signals.paceChanged.raise();
  }

  #sayFitness(wasUnfit: boolean): void {
    const { failures, succeededElsewhere, isUnfit } = this.#fitness;
    if (isUnfit && !wasUnfit) this.#scope.report({ type: "unfit", failures, succeededElsewhere });
    if (!isUnfit && wasUnfit) this.#scope.report({ type: "fit" });
  }

  // A timer may fire a little early.
  #wakeAt(atMs: number): void {
    const { clock, signals } = this.#scope;
    this.#cancelTimer = clock.setTimer(atMs - clock.nowMs(), () =>
      clock.nowMs() >= atMs ? signals.paceChanged.raise() : this.#wakeAt(atMs),
    );
  }
}
