/**
 * Renews the leases of all held messages, and lets go of those that no longer belong to this consumer. After the process or the
 * connection has stalled, the leases are in doubt: nothing is offered until they are renewed.
 */
import { type EntryId, type LeaseLoss, LeaseLostError, RedisBatchError } from "@redis-batch/core";
import { toErrorInfo } from "@redis-batch/core/internal/errors";
import { Loop } from "@redis-batch/core/internal/service";
import type { Arrival } from "../message.ts";
import type { Scope } from "../scope.ts";

const IDS_PER_COMMAND = 1_000;

export class LeaseRenewer<Value> {
  readonly #scope: Scope<Value>;
  readonly #loop: Loop;
  /** When the last renewal of everything began. */
  #renewedAtMs: number;
  /** The earliest time at which a message may have been delivered that arrived since the last renewal. */
  #deliveredSinceMs = Number.POSITIVE_INFINITY;
  /** The same for messages that arrive while a renewal is under way. */
  #lateSinceMs = Number.POSITIVE_INFINITY;
  #wasCertain = true;

  constructor(scope: Scope<Value>) {
    this.#scope = scope;
    this.#loop = new Loop(scope.clock, {
      pass: () => this.#pass(),
      onError: (error) => this.#onError(error),
    });
    this.#renewedAtMs = scope.clock.nowMs();
  }

  start(): void {
    this.#renewedAtMs = this.#scope.clock.nowMs();
    this.#loop.start();
  }

  /**
   * Takes in that messages have arrived which may have been delivered at any time since `sinceMs`. A reply may take long, and the
   * lease begins when the server sends it.
   */
  delivered(sinceMs: number): void {
    this.#deliveredSinceMs = Math.min(this.#deliveredSinceMs, sinceMs);
    this.#lateSinceMs = Math.min(this.#lateSinceMs, sinceMs);
  }

  /**
   * Whether all held messages certainly belong to this consumer: they were renewed or delivered less than half a lease ago, by
   * the local clock. If not, asks for a renewal.
   */
  isCertain(): boolean {
    const { clock, policy } = this.#scope;
    const isCertain = clock.nowMs() - this.#certainSinceMs < policy.leaseMs / 2;
    if (!isCertain && this.#wasCertain) {
      this.#wasCertain = false;
      this.#loop.notify();
    }
    return isCertain;
  }

  /** Whether messages that arrived like this certainly belong to this consumer. */
  isCertainOf({ arrivedAtMs, heldSinceMs }: Arrival): boolean {
    const { clock, policy } = this.#scope;
    const sinceMs = arrivedAtMs < this.#renewedAtMs ? this.#renewedAtMs : heldSinceMs;
    return clock.nowMs() - sinceMs < policy.leaseMs / 2;
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  get #certainSinceMs(): number {
    return Math.min(this.#renewedAtMs, this.#deliveredSinceMs);
  }

  get #dueInMs(): number {
    const { policy, clock } = this.#scope;
    return this.#certainSinceMs + policy.leaseMs / 3 - clock.nowMs();
  }

  async #pass(): Promise<number> {
    const { clock, signals } = this.#scope;
    if (this.#dueInMs > 0) return this.#dueInMs;
    // A renewed lease runs from now, however long the answers take.
    const startedAtMs = clock.nowMs();
    this.#lateSinceMs = Number.POSITIVE_INFINITY;
    await this.#renewAll();
    this.#renewedAtMs = startedAtMs;
    this.#deliveredSinceMs = this.#lateSinceMs;
    if (!this.#wasCertain) {
      this.#wasCertain = true;
      signals.offerableChanged.raise();
    }
    return Math.max(this.#dueInMs, 0);
  }

  #onError(error: unknown): number | "end" {
    const { policy, report, fail, signals } = this.#scope;
    if (!RedisBatchError.is(error) || (!error.retryable && error.code !== "NO_GROUP")) {
      fail(error);
      return "end";
    }
    // The reader recreates a deleted group, and with a full buffer it would not notice by itself.
    if (error.code === "NO_GROUP") signals.pendingUnknown.raise();
    const retryInMs = Math.min(policy.leaseMs / 10, 1_000);
    report({ type: "renewFailed", retryInMs, error: toErrorInfo(error) });
    return retryInMs;
  }

  async #renewAll(): Promise<void> {
    const { client, policy, held, clock } = this.#scope;
    const { stream, group, name } = policy;
    const ids = held.ids();
    for (let start = 0; start < ids.length && !this.#loop.isStopped; start += IDS_PER_COMMAND) {
      const page = ids.slice(start, start + IDS_PER_COMMAND);
      const askedAtMs = clock.nowMs();
      const renewals = await client.renewOwned({ stream, group, consumer: name, ids: page });
      for (const [id, renewal] of renewals) {
        if (renewal === "kept") continue;
        const message = held.messageOf(id);
        // It was released and claimed again since, so the answer is about the earlier delivery.
        if (message !== undefined && message.arrival.heldSinceMs >= askedAtMs) continue;
        if (held.isOpen(id)) {
          this.#lose(id, renewal);
          continue;
        }
        // It has an outcome by now. If that is still waiting to be sent, it must not be sent as if the lease were certain.
        if (message !== undefined) message.isDoubtful = true;
      }
    }
  }
  /** Lets go of a message that no longer belongs to this consumer. */
  #lose(id: EntryId, loss: LeaseLoss): void {
    const { held, report } = this.#scope;
    held
      .loseLease(id)
      ?.abort(new LeaseLostError(`message ${id} is not this consumer's any more: ${loss}`, { entryId: id, loss }));
    if (loss === "trimmed") report({ type: "pendingTrimmed", ids: [id] });
    else report({ type: "outcomeTooLate", ids: [id], why: loss === "taken" ? "not-owned" : loss });
  }
}
