/**
 * Keeps the rate of the whole group: before messages are offered, time is reserved for them in Redis, which all consumers of the
 * group share. A batch may become larger than what was reserved; the rest is reserved with the next one.
 */
import { type RateLimit, RedisBatchError } from "@redis-batch/core";
import { describeRate, isSameRate } from "@redis-batch/core/internal/groups";
import type { Scope } from "../scope.ts";

// After an error: as soon as most outages are over, and not so often that it adds to them.
const RETRY_MS = 1_000;

export class RateGate {
  readonly #scope: Scope;
  /** The group's limit, as Redis said last. */
  #limit: RateLimit | null = null;
  /** Messages that may be offered now; below 0: those that were offered beyond what was reserved. */
  #reserved = 0;
  /** Messages whose time is reserved, and has not come yet. */
  #waiting = 0;
  #isReserving = false;
  #isOver = false;
  #cancelWait = (): void => {};

  constructor(scope: Scope) {
    this.#scope = scope;
  }

  /** Whether messages wait for their time. */
  get isWaiting(): boolean {
    return this.#isReserving && this.#reserved <= 0;
  }

  /** The rate in the options, as text, if it is not the group's; `null`: it is, or there is none. */
  get other(): string | null {
    const own = this.#own;
    return own === null || this.#limit === null || isSameRate(own, this.#limit) ? null : describeRate(own);
  }

  get #own(): RateLimit | null {
    return this.#scope.policy.rateLimit ?? null;
  }

  /** What Redis says. */
  setLimit(limit: RateLimit | null): void {
    const was = this.other;
    const isNew = !isSameRate(this.#limit, limit);
    this.#limit = limit;
    // What waits for its time at the old rate begins again.
    if (isNew && this.#isReserving) this.#open();
    const [own, other] = [this.#own, this.other];
    if (other !== null && other !== was && own !== null && limit !== null) {
      this.#scope.report({ type: "rateLimitDiffers", own, group: limit });
    }
  }

  /** Whether a batch may be offered now. If not, time is reserved for what could be offered. */
  isOpen(): boolean {
    if ((this.#limit ?? this.#own) === null || this.#reserved > 0) return true;
    const offerable = this.#offerable;
    // What is not here can be asked for, and nothing of it is offered before the next look.
    if (offerable === 0) return true;
    if (!this.#isReserving && !this.#isOver) void this.#reserve(offerable, -this.#reserved);
    return false;
  }

  /** Messages have been offered. */
  offered(messages: number): void {
    if ((this.#limit ?? this.#own) === null) return;
    this.#reserved -= messages;
    // What it was reserved for is not there any more.
    if (this.#reserved <= 0 || this.#offerable > 0) return;
    this.#giveBack(this.#reserved);
    this.#reserved = 0;
  }

  /** Nothing will be offered any more. */
  stop(): void {
    this.#isOver = true;
    this.#cancelWait();
    this.#giveBack(this.#waiting + this.#reserved);
    this.#waiting = 0;
    this.#reserved = 0;
  }

  get #offerable(): number {
    const { held, policy } = this.#scope;
    return Math.min(held.fresh.messages + held.due.messages, policy.batchSize);
  }

  /** @param owed messages that were offered beyond what was reserved: their time comes first */
  async #reserve(offerable: number, owed: number): Promise<void> {
    const { client, policy } = this.#scope;
    const { stream, group } = policy;
    const messages = offerable + owed;
    this.#isReserving = true;
    this.#scope.signals.intakeTouched.raise();
    try {
      const { waitMs, lastsMs, limit } = await client.reserveRate({ stream, group, messages, own: this.#own });
      this.#isReserving = false;
      this.setLimit(limit);
      this.#isReserving = true;
      this.#openIn(limit === null ? 0 : waitMs + (lastsMs * owed) / messages, messages);
    } catch (error) {
      if (!RedisBatchError.is(error)) throw error;
      if (!error.retryable && error.code !== "NO_GROUP") return this.#scope.fail(error);
      this.#openIn(RETRY_MS, 0);
    }
  }

  #openIn(waitMs: number, messages: number): void {
    if (this.#isOver) return this.#giveBack(messages);
    this.#waiting = messages;
    const begin = (): void => {
      this.#reserved += messages;
      this.#open();
    };
    if (waitMs <= 0) begin();
    else this.#cancelWait = this.#scope.clock.setTimer(waitMs, begin);
  }

  /** Others need not wait for what this consumer will not offer. Best effort: otherwise the group loses that time. */
  #giveBack(messages: number): void {
    if (messages <= 0) return;
    const { client, policy } = this.#scope;
    const { stream, group } = policy;
    client.reserveRate({ stream, group, messages: -messages, own: null }).catch((error: unknown) => {
      if (!RedisBatchError.is(error)) throw error;
    });
  }

  #open(): void {
    this.#isReserving = false;
    this.#waiting = 0;
    this.#cancelWait();
    const { signals } = this.#scope;
    signals.intakeTouched.raise();
    signals.offerableChanged.raise();
  }
}
