import { setImmediate as nextTurn } from "node:timers/promises";
import { describeShape, guardPayload } from "../codecs/payload-guard.ts";
import { RedisBatchError, UsageError } from "../errors/errors.ts";
import { isThenable, letGo } from "../errors/thrown.ts";
import type { EntryId } from "../names/entry-id.ts";
import { onAbort } from "../service/signals.ts";
import type { Ending } from "./sender.ts";

/** What became of one item of `addEach`. */
export type AddResult =
  /** It is in the stream. `duplicate`: it was there before, under the same idempotency key. */
  | { readonly index: number; readonly kind: "added"; readonly id: EntryId; readonly duplicate: boolean }
  /** It was not confirmed. Unless the error is a `ConnectionError` with the outcome `unknown`, it is not in the stream. */
  | { readonly index: number; readonly kind: "failed"; readonly error: RedisBatchError };

export interface AddEachOptions<Value> {
  /** Gives each item its idempotency key. Called once per item. */
  readonly idempotencyKey?: ((value: Value, index: number) => string) | undefined;
  /** Whether reading ends with the first item that fails. What was read before is still sent. Default `false`. */
  readonly stopOnError?: boolean | undefined;
  /** Ends reading and takes back what was not sent; what was sent is awaited. Then the call rejects with its reason. */
  readonly signal?: AbortSignal | undefined;
}

/** The producer, as seen from here. */
export interface AddEachTarget<Value> {
  /**
   * Adds one item; accepts it before it returns, or throws why not. Refuses it with the signal's reason when it was
   * taken back unsent.
   */
  add(value: Value, idempotencyKey: string | undefined, signal: AbortSignal, ending: Ending<AddedMessage>): void;
  /** Whether the next item may be read now. @throws {UsageError} when the producer is closed */
  hasRoom(): boolean;
  /** Resolves when there may be room again. */
  change(): Promise<void>;
}

export interface AddedMessage {
  readonly id: EntryId;
  readonly duplicate: boolean;
}

/** Items read and not reported yet, at most: enough to keep a connection busy, few enough to hold in memory. */
export const WINDOW = 1_000;

/** Adds the items of a source as they come, reports each in order, and never reads more than the window ahead. */
export async function* addEach<Value>(
  source: Iterable<Value> | AsyncIterable<Value>,
  target: AddEachTarget<Value>,
  options: AddEachOptions<Value>,
): AsyncGenerator<AddResult, void, undefined> {
  const run = new Run(source, target, options);
  try {
    for (let result = await run.next(), told = 1; result !== undefined; result = await run.next(), told++) {
      yield result;
      if (told % WINDOW === 0) await nextTurn();
    }
  } finally {
    await run.end();
  }
}

/** The same for who need not wait between two results: without a promise for each, all that are known at a time. */
export async function visitEach<Value>(
  source: Iterable<Value> | AsyncIterable<Value>,
  target: AddEachTarget<Value>,
  options: AddEachOptions<Value>,
  visit: (result: AddResult) => void,
): Promise<void> {
  const run = new Run(source, target, options);
  let told = 0;
  try {
    for (let result = await run.next(); result !== undefined; result = await run.next()) {
      visit(result);
      for (let known = run.take(); known !== undefined; known = run.take()) {
        visit(known);
        // Items that are refused never wait for the server: a source of such has to leave room for timers and sockets.
        if (++told % WINDOW === 0) await nextTurn();
      }
    }
  } finally {
    await run.end();
  }
}

/** One item on its way. `withdrawn`: taken back before it was sent, and not reported. */
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
  /** Nothing more is read. */
  #isOver = false;
  /** The source has ended by itself, and must not be told to. */
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

  /** The next item's result; `undefined` after the last. Throws what ended the run before its time. */
  async next(): Promise<AddResult | undefined> {
    for (;;) {
      const result = this.take();
      if (result !== undefined || this.#isDone) return result;
      await this.#change();
    }
  }

  /** The next item's result, if it is known by now. Throws what ended the run before its time. */
  take(): AddResult | undefined {
    for (;;) {
      const result = this.#window[0]?.result;
      // In large helpings, which go out together, rather than an item for every result.
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

  /** Takes back what was not sent, waits for what was, and lets go of the source. */
  async end(): Promise<void> {
    this.#isOver = true;
    this.#stopListening();
    this.#withdrawal.abort();
    while (this.#window.some(({ result }) => result === undefined)) await this.#change();
    if (this.#isSourceDone) return;
    this.#isSourceDone = true;
    try {
      const ended: unknown = this.#iterator.return?.();
      // A source that is in the middle of an item may never come to its end: do not wait for it.
      if (!this.#isReading) await ended;
      else if (isThenable(ended)) letGo(ended);
    } catch (error) {
      // As in any loop: what ended it counts, and not what the source says to that.
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
    // With items of our own on the way, their end is the change to wait for.
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
      throw new UsageError(`the source is no iterator: its next() gave ${describeShape(step)}, not { value, done }`);
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
      const { idempotencyKey } = this.#options;
      const key = idempotencyKey && guardPayload("encoding", () => idempotencyKey(value, index));
      this.#target.add(value, key, this.#withdrawal.signal, {
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

/** @throws {UsageError} when it is none */
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
  throw new UsageError(
    `expected a list, or another source of items that can be iterated, got ${describeShape(source)}`,
  );
}
