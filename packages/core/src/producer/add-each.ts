import { setImmediate as nextTurn } from "node:timers/promises";
import { describeShape, guardPayload } from "../codecs/payload-guard.ts";
import { RedisBatchError, UsageError } from "../errors/errors.ts";
import { isThenable, letGo } from "../errors/thrown.ts";
import type { EntryId } from "../names/entry-id.ts";
import { onAbort } from "../service/signals.ts";
import type { Ending } from "./sender.ts";

/** The result of one item of `addEach`. */
export type AddResult =
  /** It is in the stream. `duplicate`: it already was, under the same idempotency key. */
  | { readonly index: number; readonly kind: "added"; readonly id: EntryId; readonly duplicate: boolean }
  /** It was not confirmed. Unless the error is a `ConnectionError` with the outcome `unknown`, it is not in the stream. */
  | { readonly index: number; readonly kind: "failed"; readonly error: RedisBatchError };

export interface AddEachOptions<Value> {
  /** Returns the key of an item, as the option `key` of `add`; `undefined`: it has none. Called once per item. */
  readonly key?: ((value: Value, index: number) => string | undefined) | undefined;
  /** Returns the idempotency key of an item. Called once per item. */
  readonly idempotencyKey?: ((value: Value, index: number) => string) | undefined;
  /** Whether reading stops at the first item that fails. Items that were read before are still sent. Default `false`. */
  readonly stopOnError?: boolean | undefined;
  /** Stops reading, cancels items that were not sent, and waits for those that were. Then the call rejects with its reason. */
  readonly signal?: AbortSignal | undefined;
}

/** The part of the producer that is used here. */
export interface AddEachTarget<Value> {
  /**
   * Adds one item. Accepts it before it returns, or throws the reason why not. Rejects with the signal's reason if the
   * item was cancelled before it was sent.
   */
  add(value: Value, keys: MessageKeys, signal: AbortSignal, ending: Ending<AddedMessage>): void;
  /** Whether the next item may be read now. @throws {UsageError} when the producer is closed */
  hasRoom(): boolean;
  /** Resolves when there may be room again. */
  change(): Promise<void>;
}

/** The keys of one message. */
export interface MessageKeys {
  readonly key?: string | undefined;
  readonly idempotencyKey?: string | undefined;
}

export interface AddedMessage {
  readonly id: EntryId;
  readonly duplicate: boolean;
}

/** Maximum number of items that were read but not reported: enough to keep a connection busy, few enough to hold in memory. */
export const WINDOW = 1_000;

/** Adds the items of a source, reports each in order, and never reads more than the window ahead. */
export async function* addEach<Value>(
  source: Iterable<Value> | AsyncIterable<Value>,
  target: AddEachTarget<Value>,
  options: AddEachOptions<Value>,
): AsyncGenerator<AddResult, void, undefined> {
  const run = new Run(source, target, options);
  try {
    for (let result = await run.next(), yielded = 1; result !== undefined; result = await run.next(), yielded++) {
      yield result;
      if (yielded % WINDOW === 0) await nextTurn();
    }
  } finally {
    await run.end();
  }
}

/** The same for callers that need no promise per result: yields all known results at once. */
export async function visitEach<Value>(
  source: Iterable<Value> | AsyncIterable<Value>,
  target: AddEachTarget<Value>,
  options: AddEachOptions<Value>,
  visit: (result: AddResult) => void,
): Promise<void> {
  const run = new Run(source, target, options);
  let yielded = 0;
  try {
    for (let result = await run.next(); result !== undefined; result = await run.next()) {
      visit(result);
      for (let known = run.take(); known !== undefined; known = run.take()) {
        visit(known);
        // Refused items never wait for the server: a source full of them must yield to timers and sockets.
        if (++yielded % WINDOW === 0) await nextTurn();
      }
    }
  } finally {
    await run.end();
  }
}

/** One item in transit. `withdrawn`: cancelled before it was sent, and not reported. */
interface Item {
  result: AddResult | "withdrawn" | undefined;
}

class Run<Value> {
  readonly #iterator: Iterator<Value> | AsyncIterator<Value>;
  readonly #target: AddEachTarget<Value>;
  readonly #options: AddEachOptions<Value>;
  readonly #withdrawal = new AbortController();
  readonly #stopListening: () => void;
  readonly #window: Item[] = [];
  #index = 0;
  #isReading = false;
  /** No more items are read. */
  #isOver = false;
  /** The source has ended by itself, so `return()` must not be called. */
  #isSourceDone = false;
  #fault: { readonly error: unknown } | undefined;
  #wake = (): void => {};

  constructor(
    source: Iterable<Value> | AsyncIterable<Value>,
    target: AddEachTarget<Value>,
    options: AddEachOptions<Value>,
  ) {
    this.#iterator = iterate(source);
    this.#target = target;
    this.#options = options;
    this.#stopListening = onAbort(options.signal, (reason) => {
      this.#fail(reason);
      this.#withdrawal.abort(reason);
    });
  }

  /** The next item's result; `undefined` after the last. Throws the error that ended the run early. */
  async next(): Promise<AddResult | undefined> {
    for (;;) {
      const result = this.take();
      if (result !== undefined || this.#isDone) return result;
      await this.#change();
    }
  }

  /** The next item's result, if it is known. Throws the error that ended the run early. */
  take(): AddResult | undefined {
    for (;;) {
      const result = this.#window[0]?.result;
      // In large chunks, which are sent together, rather than one item per result.
      if (result === undefined || this.#window.length <= WINDOW / 2) this.#fill();
      if (result !== undefined) {
        this.#window.shift();
        if (result !== "withdrawn") return result;
      } else if (this.#window[0]?.result === undefined) {
        if (this.#isDone && this.#fault !== undefined) throw this.#fault.error;
        return undefined;
      }
    }
  }

  /** Cancels items that were not sent, waits for those that were, and closes the source. */
  async end(): Promise<void> {
    this.#isOver = true;
    this.#stopListening();
    this.#withdrawal.abort();
    while (this.#window.some(({ result }) => result === undefined)) await this.#change();
    if (this.#isSourceDone) return;
    this.#isSourceDone = true;
    try {
      const ended: unknown = this.#iterator.return?.();
      // A source that is in the middle of an item may never end: do not wait for it.
      if (!this.#isReading) await ended;
      else if (isThenable(ended)) letGo(ended);
    } catch (error) {
      // As in any loop: the first error counts, not an error of the source's clean-up.
      if (this.#fault === undefined) throw error;
    }
  }

  get #isDone(): boolean {
    return this.#isOver && this.#window.length === 0;
  }

  #fill(): void {
    try {
      while (this.#mayRead()) this.#read();
    } catch (error) {
      this.#fail(error);
    }
  }

  #mayRead(): boolean {
    if (this.#isOver || this.#isReading || this.#window.length >= WINDOW) return false;
    if (this.#target.hasRoom()) return true;
    // If our own items are in transit, wait for one of them to end.
    if (this.#window.length === 0) void this.#target.change().then(() => this.#wake());
    return false;
  }

  #read(): void {
    try {
      const step: unknown = this.#iterator.next();
      if (!isThenable(step)) return this.#take(step);
      this.#isReading = true;
      Promise.resolve(step).then(
        (taken) => this.#arrived(() => this.#take(taken)),
        (error: unknown) =>
          this.#arrived(() => {
            throw error;
          }),
      );
    } catch (error) {
      this.#isSourceDone = true;
      throw error;
    }
  }

  #arrived(take: () => void): void {
    this.#isReading = false;
    try {
      take();
    } catch (error) {
      this.#isSourceDone = true;
      this.#fail(error);
    }
    this.#fill();
    if (this.#isDone) this.#wake();
  }

  #take(step: unknown): void {
    if (typeof step !== "object" || step === null) {
      throw new UsageError(
        `the source is not an iterator: its next() returned ${describeShape(step)}, not { value, done }`,
      );
    }
    const { done, value } = step as { readonly done?: boolean; readonly value: Value };
    if (done) {
      this.#isSourceDone = true;
      this.#isOver = true;
    } else if (!this.#isOver) this.#add(value, this.#index++);
  }

  #add(value: Value, index: number): void {
    const item: Item = { result: undefined };
    this.#window.push(item);
    const refuse = (error: unknown): void => this.#settle(item, this.#judge(error, index));
    try {
      const { key, idempotencyKey } = this.#options;
      const keys: MessageKeys = {
        key: key && guardPayload("encoding", () => key(value, index)),
        idempotencyKey: idempotencyKey && guardPayload("encoding", () => idempotencyKey(value, index)),
      };
      this.#target.add(value, keys, this.#withdrawal.signal, {
        confirm: ({ id, duplicate }) => this.#settle(item, { index, kind: "added", id, duplicate }),
        refuse,
      });
    } catch (error) {
      refuse(error);
    }
  }

  #settle(item: Item, result: AddResult | "withdrawn"): void {
    item.result = result;
    if (result !== "withdrawn" && result.kind === "failed" && this.#options.stopOnError) this.#isOver = true;
    this.#wake();
  }

  #judge(error: unknown, index: number): AddResult | "withdrawn" {
    const { signal } = this.#withdrawal;
    if (signal.aborted && error === signal.reason) return "withdrawn";
    if (RedisBatchError.is(error)) return { index, kind: "failed", error };
    this.#fail(error);
    return "withdrawn";
  }

  #fail(error: unknown): void {
    this.#isOver = true;
    this.#fault ??= { error };
    this.#wake();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

/** @throws {UsageError} when it is not iterable */
function iterate<Value>(source: Iterable<Value> | AsyncIterable<Value>): Iterator<Value> | AsyncIterator<Value> {
  const { [Symbol.asyncIterator]: asynchronous, [Symbol.iterator]: synchronous } = Object(source) as Partial<
    AsyncIterable<Value> & Iterable<Value>
  >;
  const iterator: unknown =
    typeof asynchronous === "function"
      ? asynchronous.call(source)
      : typeof synchronous === "function"
        ? synchronous.call(source)
        : undefined;
  if (typeof iterator === "object" && iterator !== null) return iterator as Iterator<Value> | AsyncIterator<Value>;
  throw new UsageError(`expected an array, or another iterable, got ${describeShape(source)}`);
}
