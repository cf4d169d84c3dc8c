/**
 * The consumer: the public API over its parts, which are made in `parts.ts`. There are three ways to pull batches: `fetch()`,
 * `for await` and `run()`.
 *
 * | state    | fetch · for await · run          | leaves by                                        |
 * |----------|----------------------------------|--------------------------------------------------|
 * | idle     | starts                           | first use · close                                |
 * | starting | waits                            | connected · close · failure                      |
 * | running  | batches                          | close, signal · failure                          |
 * | draining | empty batch · ends · resolves    | everything released, or the deadline             |
 * | failed   | throws the cause                 | its clean-up                                     |
 * | closed   | throws                           | –                                                |
 */

import { randomUUID } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";
import {
  ConsumerNameInUseError,
  type EntryId,
  type Fields,
  isEntryId,
  type LifecycleState,
  UsageError,
} from "@redis-batch/core";
import { type Dependencies, dependenciesOf } from "@redis-batch/core/internal/connection";
import { asError, toErrorInfo } from "@redis-batch/core/internal/errors";
import { describeShape } from "@redis-batch/core/internal/messages";
import {
  createNotifier,
  INSPECT,
  type InspectContext,
  Lifecycle,
  nameService,
  onAbort,
  showAs,
  warningObserver,
} from "@redis-batch/core/internal/service";
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

/** The health of a consumer, for probes. */
export interface ConsumerHealth {
  readonly state: LifecycleState;
  /**
   * Whether it makes progress, or could. `false` if it has failed, if the server has not answered for long, or if every handler
   * has been at work for longer than `maxHoldMs`: restart the process then.
   */
  readonly live: boolean;
  /** Whether it is connected and reading, and its messages do not fail here while they succeed elsewhere. */
  readonly ready: boolean;
  /** Why it does not read new messages; `"open"` if it does. */
  readonly intake: IntakeHold | "open";
  /** Handlers that have been at work on one batch for longer than `maxHoldMs`. */
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

/** The reasons for not reading that somebody has to act on. */
const NOT_READY: readonly (IntakeHold | "open")[] = ["unfit", "held-too-long", "ahead-of-stream"];

// A read that is not answered this long after its own wait is stuck. The socket's timeout comes first.
const STUCK_MS = 30_000;

/**
 * Reads a Redis Stream in batches, as one consumer of a group. Use an instance in one way at a time: `fetch()`, `for await`, or
 * `run()`. The constructor does no I/O. The first use connects, and creates the stream and the group if they are missing.
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
    const { redis, credentials, blockMs } = policy;
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
    const actor = { role: "consumer", stream: policy.stream } as const;
    const client = createClient({ redis, credentials, blockMs, actor, report: (event) => connection.take(event) });

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
   * Resolves with the next batch: as soon as it is full, or with what there is `maxWaitMs` after the call. The batch may be empty:
   * then the server was asked after the call and had no message. Each call ends the batch before it: its messages without an
   * outcome are part of the next batches.
   *
   * When the option `signal` has aborted, the batch is empty at once, with the reason `draining`. You can then still finish the
   * batch before it within `drainMs`, and `close()` ends it. While the consumer is paused, the batch is empty as well.
   *
   * The `signal` of a call ends the wait at once. The messages stay for the next call.
   *
   * @throws {UsageError} while another use of this consumer is active, and after `close()`
   * @throws {ConnectionError} when the first connection cannot be made within `connectTimeoutMs`; later, retryable, when the
   * server could not be asked within `maxWaitMs` (a server that does not answer gets up to `blockMs` + 1 s more)
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
      // A loop of calls must leave time for timers and sockets, however fast the answers come.
      await nextTurn();
      return batch;
    } finally {
      this.#scope.usage.end();
    }
  }

  /**
   * Yields batches one after the other, none of them empty; `maxWaitMs` counts from the first message. Each step ends the batch
   * before. Leaving the loop ends the open batch and closes the consumer. If the consumer is closed from elsewhere, the loop ends
   * after the drain. Throws like `fetch()`.
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
   * Calls the handler for every batch until `signal` aborts or `close()` is called, then drains and resolves. A handler that
   * throws does not end it: the messages that it did not acknowledge are redelivered, after a growing delay.
   *
   * @throws {UsageError} while another use of this consumer is active, and after `close()`
   * @throws {RedisBatchError} when trying again would not help: wrong credentials, missing rights, a key of another type
   */
  async run(handler: Handler<Value>, { signal }: { readonly signal?: AbortSignal } = {}): Promise<StopReport> {
    if (typeof handler !== "function") throw new UsageError("run() needs a handler: a function that takes a batch");
    this.#begin("run()");
    const stopListening = onAbort(signal, () => void this.#stop());
    try {
      if (await this.#start()) this.#startReading();
      const handlers = Promise.all(Array.from({ length: this.#scope.policy.concurrency }, () => this.#work(handler)));
      // A handler that never returns must not keep run() from resolving.
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
   * Acknowledges by id, for code that passes ids around instead of messages. Resolves when the server has answered. A
   * message that was read ahead and is in no batch yet can be acknowledged too; then it is never offered.
   *
   * @param ids any number of them
   * @throws {UsageError} when one of them is no entry id
   * @throws {RedisBatchError} when the server cannot be asked; then the result is unknown, and calling again is safe
   */
  async ack(...ids: EntryId[]): Promise<AckReport> {
    for (const id of ids as readonly unknown[]) {
      if (typeof id === "string" && isEntryId(id)) continue;
      throw new UsageError(
        `ack: expected entry ids such as "1700000000000-0" as separate arguments, got ${describeShape(id)} that is not an id`,
      );
    }
    this.#assertUsable("acknowledge");
    if (!(await this.#start())) throw closedEarly();
    return this.#parts.acknowledger.acknowledgeIds(ids);
  }

  /**
   * Stops reading and handing out batches until `resume()`. Open batches continue. Messages that were read ahead are released if
   * another consumer is alive, and stay held if not. A `fetch()` in the meantime gets an empty batch when its time is up. Does
   * nothing if the consumer is paused already.
   */
  pause(): void {
    this.#parts.intake.pause();
    this.#parts.reader.pause();
    this.#parts.waiting.readingRests();
    if (this.state === "running") void this.#parts.surplus.look();
  }

  /** Continues after `pause()`. */
  resume(): void {
    this.#parts.intake.resume();
    // It may claim again what it released because it was paused.
    this.#parts.claimer.batchEnded();
    if (this.#scope.usage.current !== undefined) this.#startReading();
    this.#parts.scheduler.decide();
  }

  /** The current health of the consumer. Does no I/O. */
  health(): ConsumerHealth {
    const { policy, held, usage } = this.#scope;
    const { connection, readWatch, open, acknowledger, intake } = this.#parts;
    const { state } = this;
    // A refusal is an answer, and a restart would not change it.
    const isStuck = connection.isConnected && readWatch.unansweredMs > policy.blockMs + STUCK_MS;
    const isEveryHandlerHung = open.hung >= usage.places;
    // One or two refusals are no reason to take it out of service. If they last, that is a stall.
    const isReading = !intake.isCutOff && !readWatch.isStalled && !NOT_READY.includes(intake.hold);
    return {
      state,
      live: this.#failure === undefined && state !== "closed" && !isStuck && !isEveryHandlerHung,
      ready: state === "running" && isReading,
      intake: intake.hold,
      handlersHung: open.hung,
      buffered: held.fresh.messages + held.due.messages,
      inFlight: open.messages,
      deferred: held.deferredCount,
      unconfirmedAcks: acknowledger.pending,
    };
  }

  /**
   * Stops reading, waits up to `drainMs` for running handlers and loop bodies and for outstanding acknowledgements, releases all
   * other messages, removes the name from the group if nothing is pending under it, and closes the connections. It also ends a
   * batch from `fetch()`: its messages without an outcome are released. Every call gets the same report.
   *
   * Inside the body of `for await` use `break` instead. Inside a handler of `run` do not wait for it: a handler cannot end while
   * it waits for itself.
   *
   * @throws {UsageError} only inside a handler of `run`, if that can be told (on Node 24 and later; on others before the handler's
   * first `await`). The consumer stops all the same
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
    // A handler that does not wait for it has done nothing wrong.
    waitsForItself.catch(() => {});
    return waitsForItself;
  }

  /** The same as `close()`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** @internal */
  [INSPECT](depth: number, options: InspectContext): string {
    const { name, stream, group } = this.#scope.policy;
    return showAs("Consumer", { name, stream, group, state: this.state }, depth, options);
  }

  #begin(use: Use): void {
    const { usage } = this.#scope;
    if (usage.current !== undefined) {
      throw new UsageError(`cannot use ${use} while ${usage.current} is active: use a consumer in one way at a time`);
    }
    this.#assertUsable(`use ${use}`);
    usage.begin(use);
  }

  #assertUsable(action: string): void {
    if (this.#failure !== undefined) throw this.#failure;
    this.#scope.lifecycle.assertOpen(action);
  }

  /** The empty batch that a call gets while the consumer drains. */
  #handNothing(): Batch<Value> {
    this.#parts.open.endFetched();
    return this.#parts.open.hand({ messages: [], reason: "draining", redelivered: 0 }, "fetch").batch;
  }

  /** Resolves with `true` when the consumer runs, and with `false` when it was stopped before, which is no failure. */
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
