/**
 * Renews the leases of everything that is held, and finds out what is not this consumer's any more. Nothing is offered
 * while the leases are in doubt: after a stall of the process or of the connection they are renewed first.
 */
import {
  type EntryId,
  type LeaseLoss,
  LeaseLostError,
  Loop,
  RedisBatchError,
  toErrorInfo,
} from "@redis-batch/core/internal";
import type { Arrival } from "../message.ts";
import type { Scope } from "../scope.ts";
import { LoopWatch } from "./loop-watch.ts";

const IDS_PER_COMMAND = 1_000;

export class LeaseRenewer<Value> {
  readonly #scope: Scope<Value>;
  readonly #loop: Loop;
  /** When the last renewal of everything began. */
  #renewedAtMs: number;
  /** Since when the newest deliveries are held at least; the first moment of those since the last renewal. */
  #deliveredSinceMs = Number.POSITIVE_INFINITY;
  /** The same of those that have arrived while a renewal is under way. */
  #lateSinceMs = Number.POSITIVE_INFINITY;
  #wasCertain = true;
  readonly #loopWatch: LoopWatch;

  constructor(scope: Scope<Value>) {
    this.#scope = scope;
    this.#loop = new Loop(scope.clock, {
      pass: () => this.#pass(),
      onError: (error) => this.#onError(error),
    });
    this.#loopWatch = new LoopWatch(scope);
    this.#renewedAtMs = scope.clock.nowMs();
  }

  start(): void {
    this.#renewedAtMs = this.#scope.clock.nowMs();
    this.#loop.start();
    this.#loopWatch.start();
  }

  /**
   * Takes in that messages have arrived which were delivered at some moment since then. A reply may be long on its way:
   * their lease began when the server sent it, at the latest.
   */
  delivered(sinceMs: number): void {
    this.#deliveredSinceMs = Math.min(this.#deliveredSinceMs, sinceMs);
    this.#lateSinceMs = Math.min(this.#lateSinceMs, sinceMs);
  }

  /**
   * Whether everything held has been this consumer's without a doubt: renewed, or delivered, less than half a lease ago
   * by the local clock. Asks for a renewal when not.
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

  /** Whether what arrived like this is this consumer's without a doubt. */
  isCertainOf({ arrivedAtMs, heldSinceMs }: Arrival): boolean {
    const { clock, policy } = this.#scope;
    const sinceMs = arrivedAtMs < this.#renewedAtMs ? this.#renewedAtMs : heldSinceMs;
    return clock.nowMs() - sinceMs < policy.leaseMs / 2;
  }

  stop(): Promise<void> {
    this.#loopWatch.stop();
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
    // What is renewed from here on is certain from here on, however long the answers take.
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
    // The reader creates a deleted group again, and with a full buffer it would not notice by itself.
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
        // Given to the group and taken again since: the answer is about the delivery before.
        if (message !== undefined && message.arrival.heldSinceMs >= askedAtMs) continue;
        if (held.isOpen(id)) {
          this.#lose(id, renewal);
          continue;
        }
        // Its outcome has been given meanwhile. Where it waits still, it must not go out as if this renewal held for it.
        if (message !== undefined) message.isDoubtful = true;
      }
    }
  }
  /** Lets go of a message that is not this consumer's any more. */
  #lose(id: EntryId, loss: LeaseLoss): void {
    const { held, report } = this.#scope;
    held
      .loseLease(id)
      ?.abort(new LeaseLostError(`message ${id} is not this consumer's any more: ${loss}`, { entryId: id, loss }));
    if (loss === "trimmed") report({ type: "pendingTrimmed", ids: [id] });
    else report({ type: "outcomeTooLate", ids: [id], why: loss === "taken" ? "not-owned" : loss });
  }
}
