/**
 * Sends outcomes to the server, many in one go, until it has them. What is added in one turn of the event loop goes out
 * together; while one delivery is on its way, the next one collects.
 */
import {
  type BackoffPolicy,
  backoffDelayMs,
  ConnectionError,
  pause,
  RedisBatchError,
} from "@redis-batch/core/internal";
import type { Scope } from "../scope.ts";

const RETRY: BackoffPolicy = { baseMs: 50, capMs: 2_000 };

/** How one kind of outcome is sent. */
export interface Sending<Item> {
  /** Items in one delivery, at most. */
  readonly limit: number;
  /**
   * Tells the server. `mayBeDone`: an earlier attempt with these items lost its reply, so the server may know already.
   */
  deliver(items: readonly Item[], mayBeDone: boolean): Promise<void>;
  /** A delivery failed and is tried again. */
  onRetry(items: readonly Item[], retryInMs: number, error: RedisBatchError): void;
  /** A delivery failed in a way that no repetition can help; the items are not tried again. */
  onFailure(items: readonly Item[], error: unknown): void;
}

export class OutcomeSender<Item> {
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

  /** Items that the server has not answered for yet. */
  get pending(): number {
    return this.#pending;
  }

  add(item: Item): void {
    this.#pending++;
    this.#queue.push(item);
    if (this.#isSending) return;
    this.#isSending = true;
    queueMicrotask(() => void this.#send());
  }

  /** Resolves when `isOver` holds; looked at whenever the server has answered. At once when it is stopped. */
  async when(isOver: () => boolean): Promise<void> {
    while (!isOver() && !this.#stopped.signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#waiting.add(resolve);
      });
    }
  }

  /** Gives up on what was not answered. */
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

  /** Delivers, however often it takes → whether it is over with these items; not when it was stopped before. */
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
