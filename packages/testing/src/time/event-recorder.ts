import { deferred } from "./deferred.ts";
import { afterFairMs } from "./fair-clock.ts";

/** What an observed service says happened. */
export interface RecordableEvent {
  readonly type: string;
}

export interface WaitOptions {
  /** The hard limit on the fair clock, 5 s by default. */
  readonly timeoutMs?: number;
  /** Which of the matching events to wait for: the first by default. */
  readonly count?: number;
  /** Only events recorded after this many count (`recorder.events.length` marks now); by default all do. */
  readonly after?: number;
}

interface Waiter<E> {
  readonly matches: (event: E) => boolean;
  remaining: number;
  readonly found: (event: E) => void;
}

/**
 * Keeps every event a service announces, and lets a test wait for one instead of sleeping: an event that was already
 * recorded is found at once, a later one the moment it comes.
 */
export class EventRecorder<E extends RecordableEvent> {
  readonly #events: E[] = [];
  readonly #waiters = new Set<Waiter<E>>();

  /** The observer to hand to the service; bound, so that it can be passed on its own. */
  readonly observe = (event: E): void => {
    this.#events.push(event);
    for (const waiter of this.#waiters) offer(waiter, event);
  };

  get events(): readonly E[] {
    return this.#events;
  }

  /** The recorded events of one type, in order. */
  all<T extends E["type"]>(type: T): Extract<E, { type: T }>[] {
    return this.#events.filter((event): event is Extract<E, { type: T }> => event.type === type);
  }

  /**
   * Waits for an event of a type, or one that a predicate accepts.
   *
   * @throws {Error} listing what was recorded, when it did not come in time.
   */
  waitFor<T extends E["type"]>(type: T, options?: WaitOptions): Promise<Extract<E, { type: T }>>;
  waitFor<M extends E>(matches: (event: E) => event is M, options?: WaitOptions): Promise<M>;
  waitFor(matches: (event: E) => boolean, options?: WaitOptions): Promise<E>;
  waitFor(wanted: string | ((event: E) => boolean), options: WaitOptions = {}): Promise<E> {
    const { timeoutMs = 5_000, count = 1, after = 0 } = options;
    const matches = typeof wanted === "string" ? (event: E) => event.type === wanted : wanted;
    const { promise, resolve, reject } = deferred<E>();
    const callOff = afterFairMs(timeoutMs, () => {
      this.#waiters.delete(waiter);
      const what = typeof wanted === "string" ? `"${wanted}"` : "the awaited event";
      const missing = count === 1 ? what : `${count} × ${what}`;
      reject(new Error(`${missing} did not come within ${timeoutMs} ms; ${this.#summary(after)}`));
    });
    const waiter: Waiter<E> = {
      matches,
      remaining: count,
      found: (event) => {
        callOff();
        this.#waiters.delete(waiter);
        resolve(event);
      },
    };
    this.#waiters.add(waiter);
    for (const event of this.#events.slice(after)) offer(waiter, event);
    return promise;
  }

  #summary(after: number): string {
    const considered = this.#events.slice(after);
    if (considered.length === 0) return "nothing was recorded";
    return `recorded:\n${considered.map((event) => `  ${describeEvent(event)}`).join("\n")}`;
  }
}

function offer<E>(waiter: Waiter<E>, event: E): void {
  if (waiter.remaining === 0 || !waiter.matches(event)) return;
  waiter.remaining -= 1;
  if (waiter.remaining === 0) waiter.found(event);
}

function describeEvent(event: RecordableEvent): string {
  const { type, ...details } = event;
  const text = JSON.stringify(details, (_key, value: unknown) => {
    if (value instanceof Error) return String(value);
    return typeof value === "bigint" ? String(value) : value;
  });
  return text === "{}" ? type : `${type} ${text}`;
}
