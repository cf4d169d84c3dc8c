/**
 * The consumer: the public API over its streams (`lanes.ts`), each of which has its parts (`parts.ts`). There are three ways to
 * pull batches: `fetch()`, `for await` and `run()`.
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
  type EntryId,
  type ErrorInfo,
  type Fields,
  type GroupPause,
  isEntryId,
  type LifecycleState,
  UsageError,
} from "@redis-batch/core";
import { type Dependencies, dependenciesOf, type StreamClient } from "@redis-batch/core/internal/connection";
import { asError, toErrorInfo } from "@redis-batch/core/internal/errors";
import { describeShape } from "@redis-batch/core/internal/messages";
import { quoteName } from "@redis-batch/core/internal/names";
import {
  type Clock,
  createNotifier,
  INSPECT,
  type InspectContext,
  Lifecycle,
  nameService,
  onAbort,
  showAs,
  warningObserver,
} from "@redis-batch/core/internal/service";
import { Batch } from "./batch.ts";
import type { BatchReason, ConsumerEvent, IntakeHold, StopReport } from "./events.ts";
import type { Handler } from "./handler.ts";
import type { Lane } from "./lane.ts";
import { Lanes } from "./lanes.ts";
import { ConnectionWatch } from "./liveness/connection-watch.ts";
import { LoopWatch } from "./liveness/loop-watch.ts";
import { type ConsumerOptions, type ConsumerPolicy, resolveConsumerOptions } from "./options.ts";
import { OwnedReads } from "./partition-reads.ts";
import { Partitions } from "./partitions.ts";
import type { OpenBatch } from "./scheduling/open-batches.ts";
import type { AckReport } from "./settling/acknowledger.ts";
import { Usage, type Use } from "./usage.ts";
import { describeProblem, describeProblemOfStream } from "./warn.ts";

export type { AckReport } from "./settling/acknowledger.ts";

/** The health of one stream of a consumer. */
export interface StreamHealth {
  readonly stream: string;
  /** Whether the consumer works on it. `false`: it has failed, for the reason in `error`, and is tried again. */
  readonly isAtWork: boolean;
  readonly error: ErrorInfo | null;
  /** Why no new messages are read from it; `"open"` if they are. */
  readonly intake: IntakeHold | "open";
  /** The pause of the group on this stream, as the last heartbeat learned it; `null`: nobody has paused it. */
  readonly groupPause: GroupPause | null;
  /** Messages in memory that no batch has taken yet. */
  readonly buffered: number;
  /** Messages in batches that have not ended. */
  readonly inFlight: number;
  /** Messages deferred for a later attempt. */
  readonly deferred: number;
  /** Acknowledgements that the server has not confirmed yet. */
  readonly unconfirmedAcks: number;
}

/** The health of a consumer, for probes. Numbers are those of all streams together. */
export interface ConsumerHealth extends Omit<StreamHealth, "stream" | "isAtWork" | "error" | "groupPause"> {
  readonly state: LifecycleState;
  /**
   * Whether it makes progress, or could. `false` if it has failed, if the server has not answered for long, or if every handler
   * has been at work for longer than `maxHoldMs`: restart the process then.
   */
  readonly live: boolean;
  /** Whether it is connected and reads every stream, and its messages do not fail here while they succeed elsewhere. */
  readonly ready: boolean;
  /** Why it does not read new messages, of the first stream that it does not read; `"open"` if it reads all. */
  readonly intake: IntakeHold | "open";
  /** Handlers that have been at work on one batch for longer than `maxHoldMs`. */
  readonly handlersHung: number;
  /** Each stream by itself. */
  readonly streams: readonly StreamHealth[];
}

/** The reasons for not reading that somebody has to act on. */
const NOT_READY: readonly (IntakeHold | "open")[] = ["unfit", "held-too-long", "ahead-of-stream"];

// A read that is not answered this long after its own wait is stuck. The socket's timeout comes first.
const STUCK_MS = 30_000;

/** After how many messages, or how long a batch, what there is to send is sent, although more batches are in memory. */
const SENT_TOGETHER = 500;
const SENT_AFTER_MS = 2;

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
  readonly #policy: ConsumerPolicy<Value>;
  readonly #client: StreamClient;
  readonly #clock: Clock;
  readonly #lifecycle = new Lifecycle("Consumer");
  readonly #usage: Usage;
  readonly #connection: ConnectionWatch;
  readonly #loopWatch: LoopWatch;
  readonly #lanes: Lanes<Value>;
  /** Where the stream has partitions. */
  readonly #partitions: Partitions<Value> | undefined;
  readonly #report: (event: ConsumerEvent) => void;
  readonly #whenStopped: Promise<void>;
  #onStopped = (): void => {};
  #starting: Promise<boolean> | undefined;
  #stopping: Promise<StopReport> | undefined;
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
    const { redis, credentials, blockMs, streams, group } = policy;
    const { clock, random, createClient } = dependencies ?? dependenciesOf(redis);
    const subject = nameService("consumer", policy.partitions === undefined ? streams : [policy.stream], group);
    const describe =
      streams.length === 1 && policy.partitions === undefined ? describeProblem : describeProblemOfStream;
    const report = createNotifier("consumer", policy.observer ?? warningObserver(subject, describe, clock));
    const connection = new ConnectionWatch(clock, () => this.#connectionChanged(), report);
    const actor = { role: "consumer", stream: streams } as const;
    const client = createClient({ redis, credentials, blockMs, actor, report: (event) => connection.take(event) });
    const usage = new Usage(policy);

    this.#policy = policy;
    this.#client = client;
    this.#clock = clock;
    this.#usage = usage;
    this.#connection = connection;
    this.#report = report;
    this.#loopWatch = new LoopWatch({ clock, policy, report });
    const fail = (error: unknown): void => this.#fail(error);
    const { partitions } = policy;
    const reads = new OwnedReads({
      client,
      tokenOf: (stream) => this.#partitions?.tokenOf(stream),
      onLost: (stream, token) => this.#partitions?.lost(stream, token),
    });
    const laneFailed = (lane: Lane<Value>, error: unknown): void => this.#partitions?.laneFailed(lane, error);
    this.#lanes = new Lanes({
      ...{ policy, client, clock, random, usage, connection, report, lifecycle: this.#lifecycle, fail },
      partitions: partitions === undefined ? undefined : { reads, laneFailed },
    });
    if (partitions !== undefined) {
      this.#partitions = new Partitions({
        ...{ policy: { ...policy, partitions }, client, clock, random, connection, lanes: this.#lanes, report, fail },
        ...{ canWork: () => this.#canWork, places: () => usage.places },
      });
    }
    this.#whenStopped = new Promise((resolve) => {
      this.#onStopped = resolve;
    });
    this.#stopListening = onAbort(policy.signal, () => void this.#stop());
  }

  /** The consumer's name within the group. */
  get name(): string {
    return this.#policy.name;
  }

  get state(): LifecycleState {
    return this.#lifecycle.state;
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
    if (this.state === "draining") {
      // A loop of calls must leave time for the drain itself.
      await nextTurn();
      return this.#handNothing("draining");
    }
    this.#begin("fetch()");
    const calledAtMs = this.#clock.nowMs();
    try {
      this.#lanes.endFetched();
      if (!(await orAborted(signal, this.#start()))) {
        if (this.#policy.signal?.aborted === true) return this.#handNothing("draining");
        throw closedEarly();
      }
      this.#lanes.startReading();
      const { source, collected } = await this.#lanes.callers.take({ mode: "fetch", calledAtMs, signal });
      const batch = source?.parts.open.hand(collected, "fetch").batch ?? this.#handNothing(collected.reason);
      // A loop of calls must leave time for timers and sockets, however fast the answers come.
      await nextTurn();
      return batch;
    } finally {
      this.#usage.end();
    }
  }

  /**
   * Yields batches one after the other, none of them empty; `maxWaitMs` counts from the first message. Each step ends the batch
   * before. Leaving the loop ends the open batch and stops reading; the consumer can be used again. If it is closed from elsewhere, the loop ends
   * after the drain. Throws like `fetch()`.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<Batch<Value>, void, undefined> {
    this.#begin("for await");
    let next: Next<Value> | undefined;
    try {
      if (await this.#start()) this.#lanes.startReading();
      for (;;) {
        next = await this.#next();
        if (next === undefined) break;
        const end = this.#lanes.beginWork(next.lane);
        try {
          yield next.open.batch;
        } finally {
          end();
        }
        next.lane.parts.open.end(next.open);
      }
    } finally {
      next?.lane.parts.open.end(next.open);
      for (const { parts } of this.#lanes.all) parts.reader.pause();
      this.#usage.end();
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
      if (await this.#start()) this.#lanes.startReading();
      const handlers = Promise.all(Array.from({ length: this.#policy.concurrency }, () => this.#work(handler)));
      // A handler that never returns must not keep run() from resolving.
      handlers.catch(() => {});
      await Promise.race([handlers, this.#whenStopped]);
    } catch (error) {
      await this.close();
      throw this.#failure ?? error;
    } finally {
      stopListening();
      this.#usage.end();
    }
    return this.close();
  }

  /**
   * Acknowledges by id, for code that passes ids around instead of messages. Resolves when the server has answered. A
   * message that was read ahead and is in no batch yet can be acknowledged too; then it is never offered.
   *
   * @param ids any number of them
   * @throws {UsageError} when one of them is no entry id, and when the consumer reads several streams: see `ackIn()`
   * @throws {RedisBatchError} when the server cannot be asked; then the result is unknown, and calling again is safe
   */
  async ack(...ids: EntryId[]): Promise<AckReport> {
    const [stream = "", ...others] = this.#policy.streams;
    if (others.length > 0) {
      throw new UsageError(
        "ack: an id is unique within its stream only, and this consumer reads several: use ackIn(stream, ...ids)",
      );
    }
    return this.#ackIn("ack", stream, ids);
  }

  /**
   * The same for messages of one of several streams.
   *
   * @throws {UsageError} when the consumer does not read this stream, or one of the ids is no entry id
   * @throws {RedisBatchError} when the server cannot be asked; then the result is unknown, and calling again is safe
   */
  async ackIn(stream: string, ...ids: EntryId[]): Promise<AckReport> {
    if (!this.#policy.streams.includes(stream)) {
      throw new UsageError(`ackIn: this consumer does not read a stream of that name; it reads ${this.#streamNames}`);
    }
    return this.#ackIn("ackIn", stream, ids);
  }

  async #ackIn(method: string, stream: string, ids: readonly EntryId[]): Promise<AckReport> {
    for (const id of ids as readonly unknown[]) {
      if (typeof id === "string" && isEntryId(id)) continue;
      throw new UsageError(
        `${method}: expected entry ids such as "1700000000000-0" as separate arguments, got ${describeShape(id)} that is not an id`,
      );
    }
    this.#assertUsable("acknowledge");
    if (!(await this.#start())) throw closedEarly();
    if (this.#lanes.resting.has(stream)) throw asError(this.#lanes.resting.get(stream));
    const lane = this.#lanes.of(stream);
    if (lane === undefined)
      throw new UsageError(`${method}: this consumer does not own the partition ${quoteName(stream)} now`);
    return lane.parts.acknowledger.acknowledgeIds(ids);
  }

  /**
   * Stops reading and handing out batches until `resume()`. Open batches continue. Messages that were read ahead are released if
   * another consumer is alive, and stay held if not. A `fetch()` in the meantime gets an empty batch when its time is up. Does
   * nothing if the consumer is paused already.
   */
  pause(): void {
    this.#lanes.pause();
    this.#partitions?.stateChanged();
  }

  /** Continues after `pause()`. */
  resume(): void {
    this.#lanes.resume();
    this.#partitions?.stateChanged();
  }

  /** The current health of the consumer. Does no I/O. */
  health(): ConsumerHealth {
    const { state } = this;
    const lanes = this.#lanes.all;
    const streams = lanes.map((lane) => this.#healthOf(lane));
    for (const [stream, reason] of this.#lanes.resting) {
      if (this.#lanes.of(stream) === undefined) streams.push(healthOfLeft(stream, reason));
    }
    const sum = (count: (one: StreamHealth) => number): number => streams.reduce((total, one) => total + count(one), 0);
    const { handlersHung } = this.#lanes;
    // A refusal is an answer, and a restart would not change it.
    const isStuck =
      this.#connection.isConnected &&
      lanes.some(({ parts }) => parts.readWatch.unansweredMs > this.#policy.blockMs + STUCK_MS);
    const isEveryHandlerHung = handlersHung >= this.#usage.places;
    return {
      state,
      live: this.#failure === undefined && state !== "closed" && !isStuck && !isEveryHandlerHung,
      ready: state === "running" && !isEveryHandlerHung && this.#lanes.resting.size === 0 && lanes.every(isReading),
      intake: streams.find(({ intake }) => intake !== "open")?.intake ?? "open",
      handlersHung,
      buffered: sum(({ buffered }) => buffered),
      inFlight: sum(({ inFlight }) => inFlight),
      deferred: sum(({ deferred }) => deferred),
      unconfirmedAcks: sum(({ unconfirmedAcks }) => unconfirmedAcks),
      streams,
    };
  }

  #healthOf({ stream, parts, scope }: Lane<Value>): StreamHealth {
    const reason = this.#lanes.resting.get(stream);
    const error = reason === undefined ? null : toErrorInfo(reason);
    const { open, acknowledger, intake } = parts;
    const { held } = scope;
    return {
      ...{ stream, isAtWork: error === null, error },
      intake: error === null ? intake.hold : "resting",
      groupPause: intake.groupPause,
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
    this.#lanes.endFetched();
    const stopping = this.#stop();
    if (!this.#lanes.all.some(({ parts }) => parts.handlers.isInHandler)) return stopping;
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
    const { name, streams, group } = this.#policy;
    const read = streams.length === 1 ? { stream: streams[0] } : { streams };
    return showAs("Consumer", { name, ...read, group, state: this.state }, depth, options);
  }

  /** Whether it can work on partitions now. */
  get #canWork(): boolean {
    const { isUnfit, handlersHung } = this.#lanes.totals;
    return !this.#lanes.isPaused && !isUnfit && handlersHung < this.#usage.places;
  }

  get #streamNames(): string {
    return this.#policy.streams.map(quoteName).join(", ");
  }

  #connectionChanged(): void {
    for (const { scope } of this.#lanes.all) scope.signals.intakeTouched.raise();
  }

  #begin(use: Use): void {
    const { current } = this.#usage;
    if (current !== undefined) {
      throw new UsageError(`cannot use ${use} while ${current} is active: use a consumer in one way at a time`);
    }
    this.#assertUsable(`use ${use}`);
    this.#usage.begin(use);
  }

  #assertUsable(action: string): void {
    if (this.#failure !== undefined) throw this.#failure;
    this.#lifecycle.assertOpen(action);
  }

  /** An empty batch. */
  #handNothing(reason: BatchReason): Batch<Value> {
    this.#lanes.endFetched();
    const { streams } = this.#policy;
    return new Batch(
      [],
      { stream: streams.length === 1 ? (streams[0] ?? null) : null, reason },
      async () => {},
      this.#policy.orderBy !== undefined,
    );
  }

  /** Resolves with `true` when the consumer runs, and with `false` when it was stopped before, which is no failure. */
  async #start(): Promise<boolean> {
    try {
      this.#starting ??= this.#stopping === undefined ? this.#startAll() : Promise.resolve(false);
      return await this.#starting;
    } catch (error) {
      if (this.#lifecycle.isOpen) this.#fail(error);
      if (this.#failure !== undefined) throw this.#failure;
      return false;
    }
  }

  async #startAll(): Promise<boolean> {
    this.#lifecycle.moveTo("starting");
    if (!(await (this.#partitions ?? this.#lanes).start()) || this.state !== "starting") return false;
    this.#lifecycle.moveTo("running");
    this.#loopWatch.start();
    this.#report({ type: "started", consumer: this.name });
    return true;
  }

  async #work(handler: Handler<Value>): Promise<void> {
    let handled = 0;
    for (;;) {
      const next = await this.#next();
      if (next === undefined) return;
      const { handlers, open } = next.lane.parts;
      const end = this.#lanes.beginWork(next.lane);
      await handlers.handle(next.open, handler).finally(end);
      handled += next.open.messages.length;
      // The next ones may be in memory. What is to be sent must not wait for all of them.
      if (handled < SENT_TOGETHER && open.durationMs < SENT_AFTER_MS) continue;
      handled = 0;
      await new Promise<void>((resolve) => process.nextTick(resolve));
    }
  }

  /** The next batch of a loop; `undefined` when the consumer drains. */
  async #next(): Promise<Next<Value> | undefined> {
    const { source: lane, collected } = await this.#lanes.callers.take({ mode: "loop", calledAtMs: null });
    if (lane === undefined) {
      if (this.#failure !== undefined) throw this.#failure;
      return undefined;
    }
    lane.parts.intake.handed();
    return { lane, open: lane.parts.open.hand(collected, "loop") };
  }

  #fail(error: unknown): void {
    if (this.#failure !== undefined || !this.#lifecycle.canMoveTo("failed")) return;
    this.#failure = asError(error);
    this.#lifecycle.moveTo("failed");
    this.#report({ type: "failed", error: toErrorInfo(error) });
    this.#lanes.fail(error);
    void this.close();
  }

  #stop(): Promise<StopReport> {
    this.#stopListening();
    this.#stopping ??= this.#stopAll();
    return this.#stopping;
  }

  async #stopAll(): Promise<StopReport> {
    const wasUsed = this.state !== "idle";
    if (this.#lifecycle.canMoveTo("draining")) this.#lifecycle.moveTo("draining");
    if (wasUsed) this.#report({ type: "draining" });
    const report = await (this.#partitions ?? this.#lanes).leave();
    this.#loopWatch.stop();
    await this.#client.close();
    await Promise.all([this.#lanes.finish(), this.#partitions?.finish()]);
    this.#lifecycle.moveTo("closed");
    if (wasUsed) this.#report({ type: "stopped", ...report });
    this.#onStopped();
    return report;
  }
}

/** A batch of a loop, and whose it is. */
interface Next<Value> {
  readonly lane: Lane<Value>;
  readonly open: OpenBatch<Value>;
}

/** A partition on which this consumer could not work, and of which it has nothing now. */
function healthOfLeft(stream: string, reason: unknown): StreamHealth {
  return {
    ...{ stream, isAtWork: false, error: toErrorInfo(reason), intake: "resting", groupPause: null },
    ...{ buffered: 0, inFlight: 0, deferred: 0, unconfirmedAcks: 0 },
  };
}

function isReading<Value>({ parts }: Lane<Value>): boolean {
  const { intake, readWatch } = parts;
  // One or two refusals are no reason to take it out of service. If they last, that is a stall.
  return !intake.isCutOff && !readWatch.isStalled && !NOT_READY.includes(intake.hold);
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
