/**
 * A queue of things to send to the server: acknowledgements, dead letters, releases. It sends many at a time, and tries again
 * until the server has answered. Items that are added in one turn of the event loop are sent together; while a delivery is
 * under way, the next one collects.
 */

import { ConnectionError, RedisBatchError } from "@redis-batch/core";
import { type BackoffPolicy, backoffDelayMs, pause } from "@redis-batch/core/internal/service";
import type { Scope } from "../scope.ts";

const RETRY: BackoffPolicy = { baseMs: 50, capMs: 2_000 };

/** How one kind of item is sent. */
export interface Sending<Item> {
  /** Most items in one delivery. */
  readonly limit: number;
  /**
   * Sends them. `mayBeDone`: the reply to an earlier attempt with these items was lost, so the server may have them already.
   */
  deliver(items: readonly Item[], mayBeDone: boolean): Promise<void>;
  /** A delivery failed and will be tried again. */
  onRetry(items: readonly Item[], retryInMs: number, error: RedisBatchError): void;
  /** A delivery failed, and trying again would not help; the items are dropped. */
  onFailure(items: readonly Item[], error: unknown): void;
}

export class SendQueue<Item> {
  readonly #scope: Pick<Scope, "clock" | "random">;
  readonly #sending: Sending<Item>;
  readonly #queue: Item[] = [];
  readonly #stopped = new AbortController();
  readonly #waiting = new Set<() => void>();
  #isSending = false;
  #pending = 0;

  constructor(scope: Pick<Scope, "clock" | "random">, sending: Sending<Item>) {
    this.#scope = scope;
    this.#sending = sending;
  }

  /** How many items the server has not answered for yet. */
  get pending(): number {
    return this.#pending;
  }

  add(item: Item): void {
    this.#pending++;
    this.#queue.push(item);
    if (this.#isSending) return;
    this.#isSending = true;
    // When this turn is over: promises that are settled by now may lead to more.
    queueMicrotask(() => process.nextTick(() => void this.#send()));
  }

  /** Resolves when `isOver` is true, which is checked after each answer, or when the queue is stopped. */
  async when(isOver: () => boolean): Promise<void> {
    while (!isOver() && !this.#stopped.signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#waiting.add(resolve);
      });
    }
  }

  /** Stops sending, and gives up on what has not been answered. */
  stop(): void {
    this.#stopped.abort();
    this.#wake();
  }

  async #send(): Promise<void> {
    while (this.#queue.length > 0 && !this.#stopped.signal.aborted) {
      const items = this.#queue.splice(0, this.#sending.limit);
      const isOut = await this.#deliver(items);
      if (isOut) this.#pending -= items.length;
      this.#wake();
    }
    this.#isSending = false;
  }

  /** Tries until the items are delivered or dropped → whether they were; `false` if the queue was stopped first. */
  async #deliver(items: readonly Item[]): Promise<boolean> {
    const { clock, random } = this.#scope;
    let mayBeDone = false;
    for (let attempt = 1; !this.#stopped.signal.aborted; attempt++) {
      try {
        await this.#sending.deliver(items, mayBeDone);
        return true;
      } catch (error) {
        if (!RedisBatchError.is(error) || !error.retryable) {
          this.#sending.onFailure(items, error);
          return true;
        }
        mayBeDone ||= ConnectionError.is(error) && error.outcome === "unknown";
        const retryInMs = backoffDelayMs(attempt, RETRY, random);
        this.#sending.onRetry(items, retryInMs, error);
        await pause(clock, retryInMs, this.#stopped.signal);
      }
    }
    return false;
  }

  #wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resolve of waiting) resolve();
  }
}
