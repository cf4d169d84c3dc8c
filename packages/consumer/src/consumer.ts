/**
 * The consumer: its parts, and the three ways to pull batches from them.
 *
 * | state    | fetch · for await · run          | leaves by                                        |
 * |----------|----------------------------------|--------------------------------------------------|
 * | idle     | starts                           | first use · close                                |
 * | starting | waits                            | connected · close · failure                      |
 * | running  | batches                          | close, signal · failure                          |
 * | draining | empty batch · ends · resolves    | everything released, or the deadline           |
 * | failed   | throws the cause                 | its clean-up                                     |
 * | closed   | throws                           | –                                                |
 */

import { randomUUID } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { InspectOptionsStylized } from "node:util";
import {
  asError,
  ConsumerNameInUseError,
  createNotifier,
  type Dependencies,
  dependenciesOf,
  describeShape,
  type EntryId,
  type Fields,
  INSPECT,
  isEntryId,
  Lifecycle,
  type LifecycleState,
  nameService,
  onAbort,
  showAs,
  toErrorInfo,
  UsageError,
  warningObserver,
} from "@redis-batch/core/internal";
import type { Batch } from "./batch.ts";
import type { ConsumerEvent, IntakeHold, StopReport } from "./events.ts";
import type { Handler } from "./handler.ts";
import { ConnectionWatch } from "./liveness/connection-watch.ts";
import { WorkCounter } from "./liveness/work-counter.ts";
import { type ConsumerOptions, resolveConsumerOptions } from "./options.ts";
import { type ConsumerParts, createParts } from "./parts.ts";
import { ReplySize } from "./receiving/reply-size.ts";
import { HeldMessages } from "./scheduling/held-messages.ts";
import type { OpenBatch } from "./scheduling/open-batches.ts";
import type { Scope } from "./scope.ts";
import type { AckReport } from "./settling/acknowledger.ts";
import { Signals } from "./signals.ts";
import { Usage, type Use } from "./usage.ts";
import { describeProblem } from "./warn.ts";

export type { AckReport } from "./settling/acknowledger.ts";

/** How a consumer is, for probes. */
export interface ConsumerHealth {
  readonly state: LifecycleState;
  /**
   * Whether it makes progress, or could: not when it has failed, when the server owes it an answer for long, or when every
   * handler has been at work beyond `maxHoldMs`. `false` means: restart the process.
   */
  readonly live: boolean;
  /** Whether it is connected and reading, and what it works on does not fail while it succeeds elsewhere. */
  readonly ready: boolean;
  /** What holds the intake of new messages up; `"open"`: nothing does. */
  readonly intake: IntakeHold | "open";
  /** Handlers that have been at work on one batch beyond `maxHoldMs`. */
  readonly handlersHung: number;
  /** Messages in memory that no batch has taken yet. */
  readonly buffered: number;
  /** Messages in batches that have not ended. */
  readonly inFlight: number;
  /** Messages deferred for a later attempt. */
  readonly deferred: number;
  /** Acknowledgements that the server has not confirmed yet. */
  readonly unconfirmedAcks: number;
}

/** What holds intake up that somebody has to do something about. */
const NOT_READY: readonly (IntakeHold | "open")[] = ["unfit", "held-too-long", "ahead-of-stream"];

// A read that is not answered for so long beyond its own wait is stuck; the socket's own timeout comes first.
const STUCK_MS = 30_000;

/**
 * Reads a Redis Stream in batches, as one consumer of a group. Use one instance in one way at a time: `fetch()`,
 * `for await`, or `run()`. Constructing does no I/O; the first use connects and creates stream and group where they
 * are missing.
 *
 * @example
 * ```ts
 * import { Consumer } from "@redis-batch/consumer";
 *
 * const consumer = new Consumer({ redis: "redis://localhost:6379", stream: "orders", group: "billing" });
 * process.once("SIGTERM", () => consumer.close());
 * await consumer.run(async (batch) => {
 *   for (const message of batch) console.log(message.id, message.fields);
 *   batch.ack();
 * });
 * ```
 */
export class Consumer<Value = Fields> implements AsyncIterable<Batch<Value>>, AsyncDisposable {
  readonly #scope: Scope<Value>;
  readonly #parts: ConsumerParts<Value>;
  #stopListening = (): void => {};
  #failure: Error | undefined;

  /**
   * @throws {ConfigError} naming every option that is wrong
   */
  constructor(options: ConsumerOptions<Value>);
  /** @internal */
  constructor(options: ConsumerOptions<Value>, dependencies: Dependencies);
  constructor(options: ConsumerOptions<Value>, dependencies?: Dependencies) {
    const policy = resolveConsumerOptions(options, randomUUID().slice(0, 8));
    const { redis, blockMs } = policy;
    const { clock, random, createClient } = dependencies ?? dependenciesOf(redis);
    const subject = nameService("consumer", policy.stream, policy.group);
    const notify = createNotifier("consumer", policy.observer ?? warningObserver(subject, describeProblem, clock));
    const work = new WorkCounter();
    const report = (event: ConsumerEvent): void => {
      work.count(event);
      notify(event);
    };
    const signals = new Signals();
    const connection = new ConnectionWatch(clock, signals, report);
    const client = createClient({ redis, blockMs, report: (event) => connection.take(event) });

    const scope: Scope<Value> = {
      ...{ policy, client, clock, random, signals, report },
      lifecycle: new Lifecycle("Consumer"),
      usage: new Usage(policy),
      held: new HeldMessages<Value>(signals.roomChanged),
      replySize: new ReplySize(),
      fail: (error) => this.#fail(error),
    };

    this.#scope = scope;
    this.#parts = createParts(scope, { connection, work });
    this.#stopListening = onAbort(policy.signal, () => void this.#stop());
  }

  /** The consumer's name within the group. */
  get name(): string {
    return this.#scope.policy.name;
  }

  get state(): LifecycleState {
    return this.#scope.lifecycle.state;
  }

  /**
   * Resolves with the next batch: as soon as it is full, or with what there is `maxWaitMs` after the call, which may
   * be nothing: then the server was asked after the call, and had nothing. Ends the batch before: what has no outcome in
   * it is part of the next ones. It is empty at once, with the reason `draining`, when the option `signal` has aborted:
   * then the batch before was still yours to finish, within `drainMs`, and `close()` ends it. While the consumer is
   * paused it is empty, too.
   *
   * `signal` gives up waiting, at once; the messages stay for the next call.
   *
   * @throws {UsageError} while another use of this consumer is under way, and after `close()`
   * @throws {ConnectionError} when the first connection cannot be made within `connectTimeoutMs`; later, retryable, when
   * the server could not be asked within `maxWaitMs` (a silent one gets up to `blockMs` + 1 s more)
   * @throws {PermissionError} {@link WrongTypeError} {@link UnsupportedServerError}
   */
  async fetch({ signal }: { readonly signal?: AbortSignal } = {}): Promise<Batch<Value>> {
    signal?.throwIfAborted();
    const { policy, clock } = this.#scope;
    if (this.state === "draining") return this.#handNothing();
    this.#begin("fetch()");
    const calledAtMs = clock.nowMs();
    try {
      this.#parts.open.endFetched();
      if (!(await orAborted(signal, this.#start()))) {
        if (policy.signal?.aborted === true) return this.#handNothing();
        throw closedEarly();
      }
      this.#startReading();
      const collected = await this.#parts.scheduler.take({ mode: "fetch", calledAtMs, signal });
      const { batch } = this.#parts.open.hand(collected, "fetch");
      // A loop of calls must leave room for timers and sockets, however fast the answers are there.
      await nextTurn();
      return batch;
    } finally {
      this.#scope.usage.end();
    }
  }

  /**
   * Batches, one after the other, none of them empty; `maxWaitMs` counts from the first message. Each step ends the
   * batch before. Leaving the loop stops reading and gives the open batch back; the loop ends by itself, after the
   * drain, when the consumer is closed from elsewhere. Throws as `fetch()` does.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<Batch<Value>, void, undefined> {
    this.#begin("for await");
    let open: OpenBatch<Value> | undefined;
    try {
      if (await this.#start()) this.#startReading();
      for (;;) {
        open = await this.#next();
        if (open === undefined) break;
        yield open.batch;
        this.#parts.open.end(open);
      }
    } finally {
      if (open !== undefined) this.#parts.open.end(open);
      this.#parts.reader.pause();
      this.#scope.usage.end();
    }
    await this.close();
  }

  /**
   * Calls the handler for every batch until `signal` aborts or `close()` is called, then drains and resolves. A
   * handler that throws does not end it: what it did not acknowledge comes again, after a growing delay.
   *
   * @throws {UsageError} while another use of this consumer is under way, and after `close()`
   * @throws {RedisBatchError} what no repetition can help: wrong credentials, missing rights, a key of another type
   */
  async run(handler: Handler<Value>, { signal }: { readonly signal?: AbortSignal } = {}): Promise<StopReport> {
    if (typeof handler !== "function") throw new UsageError("run() needs a handler: a function that takes a batch");
    this.#begin("run()");
    const stopListening = onAbort(signal, () => void this.#stop());
    try {
      if (await this.#start()) this.#startReading();
      const handlers = Promise.all(Array.from({ length: this.#scope.policy.concurrency }, () => this.#work(handler)));
      // A handler that never returns must not keep what waits for the end.
      handlers.catch(() => {});
      await Promise.race([handlers, this.#parts.shutdown.whenStopped]);
    } catch (error) {
      await this.close();
      throw this.#failure ?? error;
    } finally {
      stopListening();
      this.#scope.usage.end();
    }
    return this.close();
  }

  /**
   * Acknowledges by id, for code that passes ids around instead of messages. Resolves when the server has answered.
   *
   * @param ids any number of them
   * @throws {UsageError} when one of them is no entry id
   * @throws {RedisBatchError} when the server cannot be asked; then nothing is certain, and asking again is safe
   */
  async ack(...ids: EntryId[]): Promise<AckReport> {
    for (const id of ids as readonly unknown[]) {
      if (typeof id === "string" && isEntryId(id)) continue;
      throw new UsageError(
        `ack: expected entry ids such as "1700000000000-0", one by one, got ${describeShape(id)} that is none`,
      );
    }
    this.#assertUsable("acknowledge");
    if (!(await this.#start())) throw closedEarly();
    return this.#parts.acknowledger.acknowledgeIds(ids);
  }

  /**
   * Stops reading and handing out, until `resume()`. Batches that were handed out go on. What was read ahead is given to
   * the group where another consumer is alive, and stays held where none is. A `fetch()` meanwhile ends empty when its
   * time is up. Does nothing when it is paused already.
   */
  pause(): void {
    this.#parts.intake.pause();
    this.#parts.reader.pause();
    this.#parts.waiting.readingRests();
    if (this.state === "running") void this.#parts.surplus.look();
  }

  /** Goes on after `pause()`. */
  resume(): void {
    this.#parts.intake.resume();
    // What it released because it was paused, it may take again.
    this.#parts.claimer.batchEnded();
    if (this.#scope.usage.current !== undefined) this.#startReading();
    this.#parts.scheduler.decide();
  }

  /** How the consumer is at this moment. Does no I/O. */
  health(): ConsumerHealth {
    const { policy, held, usage, lifecycle } = this.#scope;
    const { state } = lifecycle;
    // A refusal is an answer: while it lasts, restarting the process would change nothing.
    const isStuck =
      this.#parts.connection.isConnected && this.#parts.readWatch.unansweredMs > policy.blockMs + STUCK_MS;
    const handlersHung = this.#parts.open.hung;
    const areAllHung = handlersHung >= usage.places;
    const intake = this.#parts.intake.hold;
    return {
      state,
      live: this.#failure === undefined && state !== "closed" && !isStuck && !areAllHung,
      // A refusal or two are no reason to take it out of service; what lasts is a stall.
      ready:
        state === "running" &&
        !this.#parts.intake.isCutOff &&
        !this.#parts.readWatch.isStalled &&
        !NOT_READY.includes(intake),
      intake,
      handlersHung,
      buffered: held.fresh.messages + held.due.messages,
      inFlight: this.#parts.open.messages,
      deferred: held.deferredCount,
      unconfirmedAcks: this.#parts.acknowledger.pending,
    };
  }

  /**
   * Stops reading, waits up to `drainMs` for handlers and loop bodies that are at work and for outstanding
   * acknowledgements, releases everything else, removes the name from the group when nothing is pending under it,
   * and closes the connections. A batch from `fetch()` ends with this call: what has no outcome in it is released.
   * Every call gets the same report.
   *
   * Inside the body of `for await` use `break` instead, and inside a handler of `run` do not wait for it: neither can end
   * while it waits for itself.
   *
   * @throws {UsageError} only in a handler of `run`, where that can be told (on Node 24 and later, and before its first
   * `await` on any): the consumer stops all the same
   */
  close(): Promise<StopReport> {
    this.#parts.open.endFetched();
    const stopping = this.#stop();
    if (!this.#parts.handlers.isInHandler) return stopping;
    const waitsForItself = Promise.reject(
      new UsageError(
        "close() was called in a handler of run(), which cannot end while it waits for itself: the consumer stops now; " +
          "return from the handler, and run() resolves with the report",
      ),
    );
    // Whoever does not wait for it has done nothing wrong.
    waitsForItself.catch(() => {});
    return waitsForItself;
  }

  /** The same as `close()`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** @internal */
  [INSPECT](depth: number, options: InspectOptionsStylized): string {
    const { name, stream, group } = this.#scope.policy;
    return showAs("Consumer", { name, stream, group, state: this.state }, depth, options);
  }

  #begin(use: Use): void {
    const { usage } = this.#scope;
    if (usage.current !== undefined) {
      throw new UsageError(`cannot use ${use} while ${usage.current} is under way: one use of a consumer at a time`);
    }
    this.#assertUsable(`use ${use}`);
    usage.begin(use);
  }

  #assertUsable(action: string): void {
    if (this.#failure !== undefined) throw this.#failure;
    this.#scope.lifecycle.assertOpen(action);
  }

  /** What a call gets while the consumer drains. */
  #handNothing(): Batch<Value> {
    this.#parts.open.endFetched();
    return this.#parts.open.hand({ messages: [], reason: "draining", redelivered: 0 }, "fetch").batch;
  }

  /** Resolves when it runs; with `false` when it was told to stop before it did, which is no failure. */
  async #start(): Promise<boolean> {
    try {
      return await this.#parts.startup.start();
    } catch (error) {
      if (this.#scope.lifecycle.isOpen) this.#fail(error);
      if (this.#failure !== undefined) throw this.#failure;
      return false;
    }
  }

  #startReading(): void {
    if (!this.#parts.intake.isPaused && this.state === "running") this.#parts.reader.resume();
  }

  async #work(handler: Handler<Value>): Promise<void> {
    for (;;) {
      const open = await this.#next();
      if (open === undefined) return;
      await this.#parts.handlers.handle(open, handler);
    }
  }

  /** The next batch of a loop; `undefined` when the consumer drains. */
  async #next(): Promise<OpenBatch<Value> | undefined> {
    const collected = await this.#parts.scheduler.take({ mode: "loop", calledAtMs: null });
    this.#parts.intake.handed();
    if (collected.reason !== "draining") return this.#parts.open.hand(collected, "loop");
    if (this.#failure !== undefined) throw this.#failure;
    return undefined;
  }

  #fail(error: unknown): void {
    const { lifecycle, report } = this.#scope;
    if (this.#failure !== undefined || !lifecycle.canMoveTo("failed")) return;
    this.#failure = asError(error);
    lifecycle.moveTo("failed");
    report({ type: "failed", error: toErrorInfo(error) });
    this.#parts.scheduler.fail(error);
    if (ConsumerNameInUseError.is(error)) this.#parts.shutdown.letGoOfName(error);
    void this.close();
  }

  #stop(): Promise<StopReport> {
    this.#stopListening();
    return this.#parts.shutdown.stop();
  }
}

/** What the promise resolves with; rejects as soon as the signal aborts. */
function orAborted<Result>(signal: AbortSignal | undefined, promise: Promise<Result>): Promise<Result> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const stopListening = onAbort(signal, reject);
    void promise.then(resolve, reject).finally(stopListening);
  });
}

function closedEarly(): UsageError {
  return new UsageError("the consumer was closed while it was starting");
}
