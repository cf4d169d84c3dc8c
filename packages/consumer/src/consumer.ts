/**
 * The consumer: wiring of the loops in `runtime/`, and the three ways to pull batches from them.
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

import { AsyncLocalStorage } from "node:async_hooks";
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { InspectOptionsStylized } from "node:util";
import {
  addBatch,
  asError,
  type Capabilities,
  type Clock,
  type ConnectionRole,
  ConsumerNameInUseError,
  createNotifier,
  type Dependencies,
  dependenciesOf,
  describeShape,
  describeThrown,
  type EntryId,
  type Fields,
  type HeartbeatDetails,
  INSPECT,
  isEntryId,
  Lifecycle,
  type LifecycleState,
  NO_WORK,
  nameService,
  type Observer,
  onAbort,
  POOL_VARIABLE,
  probeCapabilities,
  type Random,
  RELEASED,
  type StreamClient,
  showAs,
  UsageError,
  type WorkCounters,
  warningObserver,
} from "@redis-batch/core/internal";
import type { Batch } from "./batch.ts";
import { decideIntake } from "./decisions/intake.ts";
import { decideLargestBatch, firstIsolated } from "./decisions/isolation.ts";
import type { Gate } from "./decisions/next-batch.ts";
import { decideMaxDeliveries, type PullMode } from "./decisions/redelivery.ts";
import { type Load, patienceOf } from "./decisions/surplus.ts";
import type { ConsumerEvent, IntakeHold, StopReport } from "./events.ts";
import { applyOutcome, type Handler } from "./handler.ts";
import { Heartbeat } from "./liveness/heartbeat.ts";
import { HoldLimit } from "./liveness/hold-limit.ts";
import { joinGroup } from "./liveness/join-group.ts";
import { LeaseRenewer } from "./liveness/lease-renewer.ts";
import { leaveGroup } from "./liveness/leave-group.ts";
import { Peers } from "./liveness/peers.ts";
import { ReservedNames } from "./liveness/reserved-names.ts";
import { SecondOpinions } from "./liveness/second-opinions.ts";
import { LONGEST_RETRY_MS, type Message } from "./message.ts";
import { type ConsumerOptions, type ConsumerPolicy, resolveConsumerOptions } from "./options.ts";
import { Admitter } from "./receiving/admitter.ts";
import { Claimer } from "./receiving/claimer.ts";
import { DueReleaser } from "./receiving/due-releaser.ts";
import { OrphanReleaser } from "./receiving/orphan-releaser.ts";
import { PositionWatch } from "./receiving/position-watch.ts";
import { type FoundPending, type IntakeState, Reader } from "./receiving/reader.ts";
import { Redeliverer } from "./receiving/redeliverer.ts";
import { ReplySize } from "./receiving/reply-size.ts";
import { toErrorInfo } from "./runtime/full-server.ts";
import { retryUntil } from "./runtime/retry-until.ts";
import { describeProblem } from "./runtime/warn.ts";
import { untilAborted, withTimeout } from "./runtime/with-timeout.ts";
import { HeldMessages } from "./scheduling/held-messages.ts";
import { type OpenBatch, OpenBatches } from "./scheduling/open-batches.ts";
import { Scheduler } from "./scheduling/scheduler.ts";
import { SinkWatch } from "./scheduling/sink-watch.ts";
import { Acknowledger } from "./settling/acknowledger.ts";
import { DeadLetterWriter } from "./settling/dead-letter-writer.ts";
import { OutcomeDispatcher } from "./settling/outcome-dispatcher.ts";
import { Releaser } from "./settling/releaser.ts";
import { Requeuer } from "./settling/requeuer.ts";
import { SurplusReleaser } from "./settling/surplus-releaser.ts";

/** The end of acknowledgements given by id. */
export interface AckReport {
  readonly acknowledged: readonly EntryId[];
  /** Not this consumer's (any more): pending for another one, acknowledged before, or never delivered. */
  readonly notOwned: readonly EntryId[];
}

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

// Tells in whose handler a call was made. Only where following calls through promises costs nothing worth mentioning.
const [NODE_MAJOR = "0"] = process.versions.node.split(".");
const CALLER = Number(NODE_MAJOR) >= 24 ? new AsyncLocalStorage<unknown>() : undefined;

// A read that is not answered for so long beyond its own wait is stuck; the socket's own timeout comes first.
const STUCK_MS = 30_000;
// A read that waits at the server and cannot be ended answers when its own wait is over, and then some.
const LOOK_MS = 1_000;
// What may be spent on giving messages back after the drain's deadline.
const LEAVE_MS = 5_000;

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
  readonly #policy: ConsumerPolicy<Value>;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #client: StreamClient;
  readonly #report: Observer<ConsumerEvent>;
  readonly #lifecycle = new Lifecycle("Consumer");
  // Of what is deferred there may be room for more, or more may be due.
  readonly #held = new HeldMessages<Value>(() => {
    this.#reader.poke();
    this.#redeliverer.poke();
  });
  readonly #scheduler: Scheduler<Value>;
  readonly #reader: Reader<Value>;
  readonly #redeliverer: Redeliverer<Value>;
  readonly #claimer: Claimer<Value>;
  readonly #dueReleaser: DueReleaser;
  readonly #orphanReleaser: OrphanReleaser;
  readonly #leases: LeaseRenewer<Value>;
  readonly #holdLimit: HoldLimit<Value>;
  readonly #heartbeat: Heartbeat;
  readonly #positionWatch: PositionWatch;
  readonly #acknowledger: Acknowledger<Value>;
  readonly #deadLetterWriter: DeadLetterWriter<Value>;
  readonly #releaser: Releaser<Value>;
  readonly #surplus: SurplusReleaser<Value>;
  readonly #sinkWatch: SinkWatch;
  readonly #admitter: Admitter<Value>;
  readonly #open: OpenBatches<Value>;
  readonly #connected = new Set<ConnectionRole>();
  #connectedSinceMs: number | null = null;
  #capabilities: Capabilities | undefined;
  #hasJoined = false;
  /** Messages it has acknowledged so far. */
  #acked = 0;
  readonly #incarnation: string = randomUUID();
  #workDone = NO_WORK;
  #isPaused = false;
  #deadLettered = 0;
  /** What was said last of the intake. */
  #saidIntake: IntakeHold | "open" = "open";
  /** Whether the next attempt was offered, and has not reached its handler. */
  #isProbeOnItsWay = false;
  /** Whether a handler of `run` is being called at this very moment. */
  #isInHandler = false;
  readonly #startAborter = new AbortController();
  #stopListening = (): void => {};
  #use: string | undefined;
  /** How it is used now, or was last. */
  #mode: PullMode = "loop";
  #starting: Promise<boolean> | undefined;
  #stopping: Promise<StopReport> | undefined;
  #failure: Error | undefined;
  #onStopped = (): void => {};
  readonly #stopped = new Promise<void>((resolve) => {
    this.#onStopped = resolve;
  });

  /**
   * @throws {ConfigError} naming every option that is wrong
   */
  constructor(options: ConsumerOptions<Value>);
  /** @internal */
  constructor(options: ConsumerOptions<Value>, dependencies: Dependencies);
  constructor(options: ConsumerOptions<Value>, dependencies?: Dependencies) {
    const policy = resolveConsumerOptions(options, randomUUID().slice(0, 8));
    const { clock, random, createClient } = dependencies ?? dependenciesOf(policy.redis);
    this.#policy = policy;
    this.#clock = clock;
    this.#random = random;
    const subject = nameService("consumer", policy.stream, policy.group);
    const notify = createNotifier("consumer", policy.observer ?? warningObserver(subject, describeProblem, clock));
    this.#report = (event) => {
      if (event.type === "acknowledged") this.#acked += event.messages;
      if (event.type === "deadLettered") this.#deadLettered++;
      if (event.type === "read") this.#positionWatch.hasRead();
      this.#workDone = countWork(this.#workDone, event);
      notify(event);
      if (event.type === "readFailed" || event.type === "read") this.#sayIntake();
    };
    this.#client = createClient({
      redis: policy.redis,
      blockMs: policy.blockMs,
      report: (event) => {
        if (event.type === "connected") this.#connected.add(event.role);
        else this.#connected.delete(event.role);
        this.#connectedSinceMs = this.#isConnected() ? clock.nowMs() : null;
        this.#report(event);
        this.#sayIntake();
      },
    });
    const largestBatch = (deliveries: number): number =>
      decideLargestBatch(deliveries, policy.batchSize, this.#maxDeliveries());
    const suspectFrom = (): number => firstIsolated(this.#maxDeliveries());
    const isSuspect = (deliveries: number): boolean => deliveries >= suspectFrom();
    const replySize = new ReplySize();
    const shared = {
      policy,
      client: this.#client,
      held: this.#held,
      clock,
      random,
      replySize,
      report: this.#report,
      fail: (error: unknown) => this.#fail(error),
      compare: () => this.#reader.compare(),
    };
    this.#scheduler = new Scheduler({
      ...shared,
      largestBatch,
      gate: () => this.#gate(),
      onOffer: () => {
        this.#isProbeOnItsWay = this.#isBackingOff;
      },
      sources: {
        released: {
          isWanted: () => this.#claimer.isWanted(),
          take: () => this.#claimer.take(),
          expire: () => this.#claimer.expire(),
        },
        returned: {
          areComing: () => this.#redeliverer.areComing(),
          areWanted: (batchSize) => this.#redeliverer.areWanted(batchSize),
          readDue: (atMost) => this.#redeliverer.readDue(atMost),
          readSuspect: () => this.#redeliverer.readSuspect(),
        },
        reader: {
          sent: () => this.#reader.sent,
          look: () => this.#reader.look(),
          lookMs: policy.blockMs + LOOK_MS,
        },
      },
      onDemand: () => {
        this.#reader.poke();
        this.#redeliverer.poke();
      },
    });
    const peers = new Peers(shared);
    const secondOpinions = new SecondOpinions({
      ...shared,
      peers,
      onSuccessElsewhere: (messages) => this.#sinkWatch.succeededElsewhere(messages),
    });
    this.#leases = new LeaseRenewer({
      ...shared,
      loseLease: (id, loss) => this.#admitter.loseLease(id, loss),
      onCertain: () => this.#scheduler.decide(),
    });
    const longestDelayMs = Math.max(LONGEST_RETRY_MS, policy.retry.capMs);
    this.#heartbeat = new Heartbeat({
      ...shared,
      reservedNames: new ReservedNames({ ...shared, longestDelayMs }),
      incarnation: this.#incarnation,
      details: () => this.#heartbeatDetails(),
      onPending: (pending) => {
        if (pending > this.#held.size) this.#reader.compare();
      },
      onHeartbeat: () => {
        this.#sinkWatch.forgetOld();
        void secondOpinions.look();
        this.#sayIntake();
      },
    });
    this.#orphanReleaser = new OrphanReleaser({
      ...shared,
      peers,
      longestDelayMs,
      stability: () => ({
        nowMs: clock.nowMs(),
        connectedSinceMs: this.#connectedSinceMs,
        isLeaseCertain: this.#leases.isCertain(),
      }),
      onReleased: () => this.#lookForReleased(),
    });
    this.#dueReleaser = new DueReleaser({
      ...shared,
      canDefer: () => this.#releaser.canDefer,
      onForbidden: (error) => this.#releaser.keepDelaysHere(error),
      onReleased: () => this.#lookForReleased(),
    });
    this.#acknowledger = new Acknowledger({
      ...shared,
      isCertainOf: (arrival) => this.#leases.isCertainOf(arrival),
      canAckDelete: () => this.#capabilities?.ackDelete === true,
    });
    this.#releaser = new Releaser(shared);
    this.#deadLetterWriter = new DeadLetterWriter({ ...shared, peers, secondOpinions });
    this.#sinkWatch = new SinkWatch({
      ...shared,
      onChange: () => {
        this.#sayIntake();
        if (this.#sinkWatch.isBackingOff) void this.#surplus.look();
        this.#reader.poke();
        this.#scheduler.decide();
      },
    });
    const requeuer = new Requeuer({
      ...shared,
      deadLetterWriter: this.#deadLetterWriter,
      releaser: this.#releaser,
      secondOpinions,
      isSuspect,
      isForOthers: () => this.#sinkWatch.isBackingOff && peers.lastSeen.isAnyAlive,
    });
    const outcomes = new OutcomeDispatcher({
      ...shared,
      acknowledger: this.#acknowledger,
      deadLetterWriter: this.#deadLetterWriter,
      requeuer,
      sinkWatch: this.#sinkWatch,
      state: () => this.#lifecycle.state,
    });
    this.#admitter = new Admitter({
      ...shared,
      deadLetterWriter: this.#deadLetterWriter,
      keeper: outcomes,
      maxDeliveries: () => this.#maxDeliveries(),
      isSuspect,
    });
    this.#reader = new Reader({
      ...shared,
      scheduler: this.#scheduler,
      admit: (entries, sinceMs) => {
        this.#leases.delivered(sinceMs);
        this.#admitter.admit(entries, sinceMs);
      },
      adopt: (found) => this.#adopt(found),
      whenNothingIsTaken: () => this.#claimer.whenIdle(),
      intake: () => this.#intakeState(),
      assureRegistered: () => this.#heartbeat.assure(),
      onGroupGone: () => this.#heartbeat.forget(),
    });
    const readmit = this.#admitter.readmit.bind(this.#admitter);
    this.#redeliverer = new Redeliverer({
      ...shared,
      largestBatch,
      admit: readmit,
      onMore: () => this.#scheduler.decide(),
    });
    this.#claimer = new Claimer({
      ...shared,
      deadLetterWriter: this.#deadLetterWriter,
      secondOpinions,
      peers,
      admit: readmit,
      mayTake: () => this.#reader.knowsPending,
      places: () => this.#placesForReleased(),
      share: () => this.#shareOfReleased(),
      isAtWork: () => this.#open.isAny,
      maxDeliveries: () => this.#maxDeliveries(),
      suspectFrom,
      onTime: () => this.#scheduler.decide(),
    });
    this.#open = new OpenBatches({
      ...shared,
      requeuer,
      sinkWatch: this.#sinkWatch,
      release: (message) => this.#releaser.release(message, "draining", { isUncounted: false }),
      onEnd: () => {
        this.#claimer.batchEnded();
        this.#sayIntake();
      },
      whenOutcomesAreThrough: async (messages) => {
        await this.#acknowledger.whenThrough(messages);
        await this.#deadLetterWriter.whenThrough(messages);
      },
    });
    this.#positionWatch = new PositionWatch({ ...shared, onChange: () => this.#sayIntake() });
    this.#holdLimit = new HoldLimit({
      ...shared,
      open: this.#open,
      deadLetterWriter: this.#deadLetterWriter,
      secondOpinions,
      onHung: () => {
        this.#sayIntake();
        void this.#surplus.look();
        this.#scheduler.decide();
      },
    });
    this.#surplus = new SurplusReleaser({
      ...shared,
      releaser: this.#releaser,
      peers,
      secondOpinions,
      load: () => this.#load(),
      onReleasedUnoffered: () => this.#claimer.releasedUnoffered(),
    });
    this.#stopListening = onAbort(policy.signal, () => void this.#drain());
  }

  /** The consumer's name within the group. */
  get name(): string {
    return this.#policy.name;
  }

  get state(): LifecycleState {
    return this.#lifecycle.state;
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
    if (this.#lifecycle.state === "draining") return this.#handNothing();
    this.#begin("fetch()", "fetch");
    const calledAtMs = this.#clock.nowMs();
    try {
      this.#open.endFetched();
      if (!(await orAborted(signal, this.#start()))) {
        if (this.#policy.signal?.aborted === true) return this.#handNothing();
        throw closedEarly();
      }
      this.#startReading();
      const collected = await this.#scheduler.take({ mode: "fetch", calledAtMs, signal });
      const { batch } = this.#open.hand(collected, "fetch");
      // A loop of calls must leave room for timers and sockets, however fast the answers are there.
      await nextTurn();
      return batch;
    } finally {
      this.#use = undefined;
    }
  }

  /**
   * Batches, one after the other, none of them empty; `maxWaitMs` counts from the first message. Each step ends the
   * batch before. Leaving the loop stops reading and gives the open batch back; the loop ends by itself, after the
   * drain, when the consumer is closed from elsewhere. Throws as `fetch()` does.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<Batch<Value>, void, undefined> {
    this.#begin("for await", "loop");
    let open: OpenBatch<Value> | undefined;
    try {
      if (await this.#start()) this.#startReading();
      for (;;) {
        open = await this.#next();
        if (open === undefined) break;
        yield open.batch;
        this.#open.end(open);
      }
    } finally {
      if (open !== undefined) this.#open.end(open);
      this.#reader.pause();
      this.#use = undefined;
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
    this.#begin("run()", "loop");
    const stopListening = onAbort(signal, () => void this.#drain());
    try {
      if (await this.#start()) this.#startReading();
      const handlers = Promise.all(Array.from({ length: this.#policy.concurrency }, () => this.#work(handler)));
      // A handler that never returns must not keep what waits for the end.
      handlers.catch(() => {});
      await Promise.race([handlers, this.#stopped]);
    } catch (error) {
      await this.close();
      throw this.#failure ?? error;
    } finally {
      stopListening();
      this.#use = undefined;
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
    const held: Message<Value>[] = [];
    const unheld: EntryId[] = [];
    for (const id of ids) {
      const message = this.#held.messageOf(id);
      const isHeld = message !== undefined && (message.state === "acking" || this.#held.canSettle(message));
      if (isHeld) held.push(message);
      else unheld.push(id);
    }
    for (const message of held) message.ack();
    const others = await this.#acknowledger.acknowledgeIds(unheld);
    for (const id of others.acknowledged) this.#held.dismiss(id);
    await this.#acknowledger.whenThrough(held);
    const idsIn = (state: Message<Value>["state"]): EntryId[] =>
      held.filter((message) => message.state === state).map((message) => message.id);
    return {
      acknowledged: [...others.acknowledged, ...idsIn("acknowledged")],
      notOwned: [...others.notOwned, ...idsIn("tooLate")],
    };
  }

  /**
   * Stops reading and handing out, until `resume()`. Batches that were handed out go on. What was read ahead is given to
   * the group where another consumer is alive, and stays held where none is. A `fetch()` meanwhile ends empty when its
   * time is up. Does nothing when it is paused already.
   */
  pause(): void {
    this.#isPaused = true;
    this.#reader.pause();
    this.#scheduler.readingRests();
    this.#sayIntake();
    if (this.#lifecycle.state === "running") void this.#surplus.look();
  }

  /** Goes on after `pause()`. */
  resume(): void {
    this.#isPaused = false;
    this.#claimer.batchEnded();
    this.#sayIntake();
    if (this.#use !== undefined) this.#startReading();
    this.#scheduler.decide();
  }

  /** How the consumer is at this moment. Does no I/O. */
  health(): ConsumerHealth {
    const { state } = this.#lifecycle;
    // A refusal is an answer: while it lasts, restarting the process would change nothing.
    const isStuck = this.#isConnected() && this.#reader.unansweredMs > this.#policy.blockMs + STUCK_MS;
    const handlersHung = this.#open.hung;
    const areAllHung = handlersHung >= this.#places;
    const intake = this.#nameIntake();
    return {
      state,
      live: this.#failure === undefined && state !== "closed" && !isStuck && !areAllHung,
      // A refusal or two are no reason to take it out of service; what lasts is a stall.
      ready: state === "running" && !this.#isCutOff && !this.#reader.isStalled && !NOT_READY.includes(intake),
      intake,
      handlersHung,
      buffered: this.#held.fresh.messages + this.#held.due.messages,
      inFlight: this.#open.messages,
      deferred: this.#held.deferredCount,
      unconfirmedAcks: this.#acknowledger.pending,
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
    this.#open.endFetched();
    const draining = this.#drain();
    if (!this.#isInHandler && CALLER?.getStore() !== this) return draining;
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
    const { name, stream, group } = this.#policy;
    return showAs("Consumer", { name, stream, group, state: this.state }, depth, options);
  }

  #begin(use: string, mode: PullMode): void {
    if (this.#use !== undefined) {
      throw new UsageError(`cannot use ${use} while ${this.#use} is under way: one use of a consumer at a time`);
    }
    this.#assertUsable(`use ${use}`);
    this.#use = use;
    this.#mode = mode;
  }

  #assertUsable(action: string): void {
    if (this.#failure !== undefined) throw this.#failure;
    this.#lifecycle.assertOpen(action);
  }

  /** What a call gets while the consumer drains. */
  #handNothing(): Batch<Value> {
    this.#open.endFetched();
    return this.#open.hand({ messages: [], reason: "draining", redelivered: 0 }, "fetch").batch;
  }

  #startReading(): void {
    if (!this.#isPaused && this.#lifecycle.state === "running") this.#reader.resume();
  }

  /** Whether the server cannot be reached, or owes an answer for longer than a read waits. */
  get #isCutOff(): boolean {
    return !this.#isConnected() || this.#reader.unansweredMs > this.#policy.blockMs + LOOK_MS;
  }

  #isConnected(): boolean {
    return this.#connected.has("commands") && this.#connected.has("reader");
  }

  /** Resolves when it runs; with `false` when it was told to stop before it did, which is no failure. */
  #start(): Promise<boolean> {
    this.#starting ??= this.#stopping === undefined ? this.#startOnce() : Promise.resolve(false);
    return this.#starting;
  }

  async #startOnce(): Promise<boolean> {
    this.#lifecycle.moveTo("starting");
    const { signal } = this.#startAborter;
    try {
      return await retryUntil((leftMs) => this.#connect(leftMs), {
        clock: this.#clock,
        random: this.#random,
        timeoutMs: this.#policy.connectTimeoutMs,
        signal,
      });
    } catch (error) {
      if (this.#lifecycle.isOpen) this.#fail(error);
      if (this.#failure !== undefined) throw this.#failure;
      return false;
    }
  }

  async #connect(timeoutMs: number): Promise<boolean> {
    const { name, startFrom } = this.#policy;
    await this.#client.connect(["commands", "reader"], {
      timeoutMs,
      signal: this.#startAborter.signal,
    });
    this.#capabilities = await probeCapabilities(this.#client);
    const isNewGroup = await joinGroup(this.#client, this.#policy);
    if (isNewGroup) this.#report({ type: "groupCreated", position: startFrom, recreated: false });
    await this.#heartbeat.join(this.#startAborter.signal);
    this.#hasJoined = true;
    if (this.#lifecycle.state !== "starting") return false;
    this.#lifecycle.moveTo("running");
    for (const loop of this.#loops) loop.start();
    this.#report({ type: "started", consumer: name });
    return true;
  }

  async #work(handler: Handler<Value>): Promise<void> {
    for (;;) {
      const open = await this.#next();
      if (open === undefined) return;
      await this.#handle(open, handler);
    }
  }

  async #handle(open: OpenBatch<Value>, handler: Handler<Value>): Promise<void> {
    const { batch, messages, signal } = open;
    try {
      applyOutcome(messages, await this.#call(handler, batch, signal));
      // Nobody has said that anything failed, so it does not count against the messages.
      const isSilent = messages.every((message) => message.state === "offered");
      if (isSilent) this.#report({ type: "nothingSettled", messages: batch.size });
      this.#open.end(open, "", !isSilent);
    } catch (error) {
      this.#report({ type: "handlerFailed", messages: batch.size, error });
      this.#open.end(open, describeThrown(error));
    }
  }

  #call(handler: Handler<Value>, batch: Batch<Value>, signal: AbortSignal): ReturnType<Handler<Value>> {
    this.#isInHandler = true;
    try {
      return CALLER === undefined ? handler(batch, { signal }) : CALLER.run(this, handler, batch, { signal });
    } finally {
      this.#isInHandler = false;
    }
  }

  /** The next batch of a loop; `undefined` when the consumer drains. */
  async #next(): Promise<OpenBatch<Value> | undefined> {
    const collected = await this.#scheduler.take({ mode: "loop", calledAtMs: null });
    this.#isProbeOnItsWay = false;
    if (collected.reason !== "draining") return this.#open.hand(collected, "loop");
    if (this.#failure !== undefined) throw this.#failure;
    return undefined;
  }

  get #loops(): readonly { start(): void }[] {
    return [
      ...[this.#heartbeat, this.#leases, this.#holdLimit, this.#redeliverer],
      ...[this.#claimer, this.#dueReleaser, this.#orphanReleaser, this.#surplus, this.#positionWatch],
    ];
  }

  /** How many batches can be at work at the same time: a loop, or a caller of `fetch()`, has one. */
  get #places(): number {
    return this.#use === "run()" ? this.#policy.concurrency : 1;
  }

  /** Whether one message at a time is tried: under `fetch()` the caller sets the pace. */
  get #isBackingOff(): boolean {
    return this.#mode === "loop" && this.#sinkWatch.isBackingOff;
  }

  /** Whether the next attempt may be made now, while everything fails. */
  get #mayProbe(): boolean {
    return this.#sinkWatch.mayTry && !this.#open.isProbing && !this.#isProbeOnItsWay;
  }

  #gate(): Gate {
    const isCutOff = !this.#isConnected();
    if (this.#isPaused) return { isPaused: true, isCutOff, limit: 0 };
    if (!this.#leases.isCertain()) return { isPaused: false, isCutOff, limit: 0 };
    const limit = !this.#isBackingOff ? this.#policy.batchSize : this.#mayProbe ? 1 : 0;
    return { isPaused: false, isCutOff, limit };
  }

  /** Whether, and how far, new messages are read now. */
  #intakeState(): IntakeState {
    const { maxWaitMs, maxDeferred } = this.#policy;
    if (this.#isPaused || this.#open.hung >= this.#places) return { kind: "held" };
    if (this.#isBackingOff) {
      // A new message each time, so that the same ones are not tried for ever.
      const isNewOneHere = this.#held.fresh.messages > 0;
      return !isNewOneHere && this.#scheduler.wanted > 0 && this.#mayProbe ? { kind: "probing" } : { kind: "held" };
    }
    if (!this.#releaser.canDefer && this.#held.deferredCount >= maxDeferred) return { kind: "held" };
    // What is read ahead of a batch that takes long waits longer than it would elsewhere.
    const isQuick = this.#open.durationMs <= patienceOf(maxWaitMs);
    // Where the first delivery is the last, one that no handler sees must not be used up by a crash.
    return { kind: "open", mayReadAhead: isQuick && this.#maxDeliveries() > 1 };
  }

  /** How many messages that nobody holds are taken at least, however many are here: they have their share as well. */
  #shareOfReleased(): number {
    const { batchSize, retryShare } = this.#policy;
    return this.#mayTake && !this.#isBackingOff ? Math.max(1, Math.floor(batchSize * retryShare)) : 0;
  }

  /** Whether there is a handler free for what nobody holds. */
  get #mayTake(): boolean {
    return (
      this.#scheduler.wanted > 0 && !this.#isPaused && this.#lifecycle.state === "running" && this.#leases.isCertain()
    );
  }

  /** How many messages that nobody holds there is a handler free for. */
  #placesForReleased(): number {
    const { batchSize } = this.#policy;
    const { wanted } = this.#scheduler;
    if (!this.#mayTake) return 0;
    const fresh = this.#held.fresh.messages;
    const due = this.#held.due.messages;
    if (this.#isBackingOff) return this.#mayProbe && fresh + due === 0 ? 1 : 0;
    return Math.max(batchSize * wanted - fresh - this.#held.dueAmongOthers.messages, 0);
  }

  #lookForReleased(): void {
    this.#claimer.expire();
    this.#scheduler.decide();
  }

  #load(): Load {
    const sinceMs = this.#held.oldestOfferableSinceMs;
    return {
      isDraining: !this.#lifecycle.isOpen,
      isPaused: this.#isPaused,
      // What is tried next is read when its time has come: until then others can work on it.
      isBackingOff: this.#isBackingOff && !this.#mayProbe,
      handlersHung: this.#open.hung,
      places: this.#places,
      freePlaces: this.#scheduler.wanted,
      oldestOfferableMs: sinceMs === null ? null : this.#clock.nowMs() - sinceMs,
    };
  }

  /** Takes in what was found pending for this consumer: as much as it may hold, and the rest is the group's. */
  async #adopt(found: readonly FoundPending[]): Promise<void> {
    const room = Math.max(this.#policy.maxDeferred - this.#held.deferredCount, 0);
    for (const { id, deliveries } of found.slice(0, room)) this.#admitter.adopt(id, deliveries);
    const rest = found.slice(room).map(({ id }) => id);
    if (rest.length === 0) return;
    const { stream, group, name } = this.#policy;
    const move = { stream, group, from: name, to: RELEASED, offered: rest, neverOffered: [] };
    const { moved } = await this.#client.release(move);
    if (moved > 0) this.#report({ type: "released", messages: moved, why: "deferred" });
    this.#lookForReleased();
  }

  #nameIntake(): IntakeHold | "open" {
    const { state } = this.#lifecycle;
    return decideIntake({
      isDraining: state === "draining" || state === "closed" || state === "failed",
      isPaused: this.#isPaused,
      isServerAway: state !== "idle" && (this.#isCutOff || this.#reader.isFailing),
      isAheadOfStream: this.#positionWatch.isAheadOfStream,
      handlersHung: this.#open.hung,
      places: this.#places,
      isBackingOff: this.#isBackingOff,
      isUnfit: this.#mode === "loop" && this.#sinkWatch.isUnfit,
      isProbing: this.#sinkWatch.mayTry,
      isDeferredFull: !this.#releaser.canDefer && this.#held.deferredCount >= this.#policy.maxDeferred,
    });
  }

  /** Says when something begins to hold the intake up, or ends to. */
  #sayIntake(): void {
    if (this.#lifecycle.state !== "running") return;
    const intake = this.#nameIntake();
    if (intake === this.#saidIntake) return;
    this.#saidIntake = intake;
    this.#report(intake === "open" ? { type: "intakeOpened" } : { type: "intakeHeld", by: intake });
  }

  #maxDeliveries(): number {
    return decideMaxDeliveries(this.#mode, this.#policy.maxDeliveries);
  }

  #heartbeatDetails(): HeartbeatDetails {
    const { batchSize, prefetch, maxDeferred, maxHoldMs } = this.#policy;
    const concurrency = this.#places;
    const intake = this.#nameIntake();
    const { oldestOfferableMs, freePlaces, handlersHung } = this.#load();
    return {
      host: hostname(),
      pid: process.pid,
      pool: process.env[POOL_VARIABLE] ?? null,
      state: this.#lifecycle.state,
      batchSize,
      concurrency,
      // What it holds at most on purpose: read ahead, at work, and deferred for later.
      capacity: batchSize * (concurrency + prefetch) + maxDeferred,
      inFlight: this.#open.messages,
      deferred: this.#held.deferredCount,
      // A place that is not filled on purpose is not free.
      freePlaces: intake === "open" ? freePlaces : 0,
      oldestInFlightMs: this.#open.oldestMs,
      oldestOfferableMs,
      holdLimitMs: maxHoldMs,
      handlersHung,
      intake,
      isUnfit: this.#sinkWatch.isUnfit,
      deadLettered: this.#deadLettered,
      acked: this.#acked,
      busyMs: this.#open.busyMs,
      work: this.#workDone,
    };
  }

  #fail(error: unknown): void {
    if (this.#failure !== undefined || !this.#lifecycle.canMoveTo("failed")) return;
    this.#failure = asError(error);
    this.#lifecycle.moveTo("failed");
    this.#report({ type: "failed", error: toErrorInfo(error) });
    this.#scheduler.fail(error);
    // Whoever has taken the name works on the same messages now.
    if (ConsumerNameInUseError.is(error)) {
      for (const part of [this.#releaser, this.#deadLetterWriter, this.#acknowledger, this.#holdLimit]) part.stop();
      this.#open.abandon(error);
    }
    void this.close();
  }

  #drain(): Promise<StopReport> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<StopReport> {
    const { drainMs } = this.#policy;
    this.#stopListening();
    const wasUsed = this.#lifecycle.state !== "idle";
    if (this.#lifecycle.canMoveTo("draining")) this.#lifecycle.moveTo("draining");
    if (wasUsed) this.#report({ type: "draining" });
    const movedBefore = this.#releaser.moved;
    const deadline = new AbortController();
    const cancelDeadline = this.#clock.setTimer(drainMs, () => deadline.abort());
    this.#startAborter.abort();
    await this.#starting?.catch(() => {});
    this.#scheduler.drain();
    this.#surplus.stop();
    const receiving = [
      ...[this.#reader, this.#redeliverer, this.#claimer],
      ...[this.#dueReleaser, this.#orphanReleaser, this.#positionWatch],
    ];
    const loopsEnded = Promise.all(receiving.map((loop) => loop.stop()));
    // What no handler will be found for is not kept until those that are at work have ended.
    const readAheadLeft = loopsEnded.then(() => this.#surplus.drain());
    await untilAborted(deadline.signal, Promise.all([readAheadLeft, this.#open.whenNone()]));
    const abandoned = this.#open.abandon(
      new UsageError(`the consumer stopped: the batch was not finished within ${drainMs} ms`),
    );
    const sending = [this.#acknowledger, this.#deadLetterWriter, this.#releaser];
    await untilAborted(deadline.signal, Promise.all(sending.map((sender) => sender.whenIdle())));
    cancelDeadline();
    const unconfirmedAcks = this.#acknowledger.pending;
    for (const part of [...sending, this.#holdLimit, this.#sinkWatch]) part.stop();
    const keepersEnded = Promise.all([this.#heartbeat.stop(), this.#leases.stop()]);
    const goneAtMs = this.#clock.nowMs() + LEAVE_MS;
    await withTimeout(this.#clock, LEAVE_MS, keepersEnded);
    // Under a name that is not, or no longer, its own it must not touch anything.
    const mayTouch = this.#hasJoined && !ConsumerNameInUseError.is(this.#failure);
    const left = mayTouch ? await this.#leave(goneAtMs) : { released: 0, nameRemoved: false };
    await this.#client.close();
    await Promise.all([loopsEnded, keepersEnded]);
    this.#held.clear();
    this.#lifecycle.moveTo("closed");
    const released = left.released + this.#releaser.moved - movedBefore;
    const report: StopReport = { ...left, released, unconfirmedAcks, abandoned };
    if (wasUsed) this.#report({ type: "stopped", ...report });
    this.#onStopped();
    return report;
  }

  async #leave(goneAtMs: number): Promise<{ readonly released: number; readonly nameRemoved: boolean }> {
    const { stream, group, name, leaseMs } = this.#policy;
    // Whoever counts the group's work would miss what was done since the last heartbeat.
    const didWork = this.#workDone.delivered > 0 || this.#workDone.batches > 0;
    const told = didWork ? { incarnation: this.#incarnation, leaseMs, details: this.#heartbeatDetails() } : undefined;
    const who = { stream, group, consumer: name };
    const { deferred, ...held } = this.#held.inventory();
    const nowMs = this.#clock.nowMs();
    const isDue = ({ dueAtMs }: { readonly dueAtMs: number }): boolean => dueAtMs <= nowMs;
    const last = {
      neverOffered: held.neverOffered,
      offered: [...held.offered, ...deferred.filter(isDue).map(({ id }) => id)],
      deferred: deferred.filter((one) => !isDue(one)).map(({ id, dueAtMs }) => ({ id, delayMs: dueAtMs - nowMs })),
    };
    const left = leaveGroup(this.#client, who, last, told);
    return (await withTimeout(this.#clock, goneAtMs - nowMs, left)) ?? { released: 0, nameRemoved: false };
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

/** What a consumer has done, by what it reports. */
function countWork(work: WorkCounters, event: ConsumerEvent): WorkCounters {
  if (event.type === "read") return { ...work, delivered: work.delivered + event.messages };
  return event.type === "batchEnded" ? addBatch(work, event.messages, event.durationMs) : work;
}
