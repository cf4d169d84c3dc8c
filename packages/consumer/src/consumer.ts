/**
 * The consumer: wiring of the loops in `runtime/`, and the three ways to pull batches from them.
 *
 * | state    | fetch · for await · run          | leaves by                                        |
 * |----------|----------------------------------|--------------------------------------------------|
 * | idle     | starts                           | first use · close                                |
 * | starting | waits                            | connected · close · failure                      |
 * | running  | batches                          | close, signal · failure                          |
 * | draining | empty batch · ends · resolves    | everything given back, or the deadline           |
 * | failed   | throws the cause                 | its clean-up                                     |
 * | closed   | throws                           | –                                                |
 */
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import {
  addBatch,
  type BeatDetails,
  type Capabilities,
  type Clock,
  type ConnectionRole,
  ConsumerNameInUseError,
  createNotifier,
  createRedisStreamClient,
  type EntryId,
  Lifecycle,
  type LifecycleState,
  NO_WORK,
  type Observer,
  onAbort,
  probeCapabilities,
  type Random,
  type StreamClient,
  systemClock,
  systemRandom,
  UsageError,
  type WorkCounters,
} from "@redis-batch/core/internal";
import type { Batch } from "./batch.ts";
import { decideLargestBatch, isIsolated } from "./decisions/isolation.ts";
import { decideMaxDeliveries, type PullMode } from "./decisions/redelivery.ts";
import type { ConsumerEvent, StopReport } from "./events.ts";
import { applyOutcome, type Handler } from "./handler.ts";
import type { Message } from "./message.ts";
import { type ConsumerOptions, type ConsumerPolicy, resolveConsumerOptions } from "./options.ts";
import { Acknowledger } from "./runtime/acknowledger.ts";
import { Collector } from "./runtime/collector.ts";
import { Custody } from "./runtime/custody.ts";
import { giveBack } from "./runtime/give-back.ts";
import { Heart } from "./runtime/heart.ts";
import { Intake } from "./runtime/intake.ts";
import { joinGroup } from "./runtime/join-group.ts";
import { LeaseKeeper } from "./runtime/lease-keeper.ts";
import { type OpenBatch, OpenBatches } from "./runtime/open-batches.ts";
import { Outcomes } from "./runtime/outcomes.ts";
import { persist } from "./runtime/persist.ts";
import { Reader } from "./runtime/reader.ts";
import { Recoverer } from "./runtime/recoverer.ts";
import { Redeliverer } from "./runtime/redeliverer.ts";
import { Returns } from "./runtime/returns.ts";
import { SinkWatch } from "./runtime/sink-watch.ts";
import { describeTrouble } from "./runtime/trouble.ts";
import { Undertaker } from "./runtime/undertaker.ts";
import { warnOfTrouble } from "./runtime/warn.ts";
import { untilAborted, within } from "./runtime/within.ts";

/** The end of acknowledgements given by id. */
export interface AckReport {
  readonly acknowledged: readonly EntryId[];
  /** Not this consumer's (any more): pending for another one, acknowledged before, or never delivered. */
  readonly lost: readonly EntryId[];
}

/** How a consumer is, for probes. */
export interface ConsumerHealth {
  readonly state: LifecycleState;
  /** Whether it makes progress, or could; `false` means: restart the process. */
  readonly live: boolean;
  /** Whether it is connected and reading. */
  readonly ready: boolean;
  /** Messages in memory that no batch has taken yet. */
  readonly buffered: number;
  /** Messages in batches that have not ended. */
  readonly inFlight: number;
  /** Messages put off for a later attempt. */
  readonly deferred: number;
  /** Acknowledgements that the server has not confirmed yet. */
  readonly unconfirmedAcks: number;
}

/** What a consumer gets from outside; replaced in tests. */
export interface ConsumerEdge {
  readonly clock: Clock;
  readonly random: Random;
  readonly createClient: typeof createRedisStreamClient;
}

const SYSTEM_EDGE: ConsumerEdge = { clock: systemClock, random: systemRandom, createClient: createRedisStreamClient };

// A read that is not answered for so long beyond its own wait is stuck; the socket's own timeout comes first.
const STUCK_MS = 30_000;
// Reading again what is due takes one round trip; a server that does not answer must not hold `fetch()` up for long.
const CATCH_UP_MS = 1_000;
// What may be spent on giving messages back after the drain's deadline.
const FAREWELL_MS = 5_000;

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
export class Consumer<Value = Readonly<Record<string, string>>>
  implements AsyncIterable<Batch<Value>>, AsyncDisposable
{
  readonly #policy: ConsumerPolicy<Value>;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #client: StreamClient;
  readonly #report: Observer<ConsumerEvent>;
  readonly #lifecycle = new Lifecycle("Consumer");
  // Of what is put off there may be room for more, or more may be due.
  readonly #custody = new Custody<Value>(() => {
    this.#reader.poke();
    this.#redeliverer.poke();
  });
  readonly #collector: Collector<Value>;
  readonly #reader: Reader<Value>;
  readonly #redeliverer: Redeliverer<Value>;
  readonly #leases: LeaseKeeper<Value>;
  readonly #heart: Heart;
  readonly #recoverer: Recoverer<Value>;
  readonly #acknowledger: Acknowledger<Value>;
  readonly #undertaker: Undertaker<Value>;
  readonly #sinkWatch: SinkWatch;
  readonly #intake: Intake<Value>;
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
  readonly #startAborter = new AbortController();
  #stopListening = (): void => {};
  #use: string | undefined;
  /** How it is used now, or was last. */
  #mode: PullMode = "loop";
  #starting: Promise<boolean> | undefined;
  #stopping: Promise<StopReport> | undefined;
  #failure: Error | undefined;

  /**
   * @throws {ConfigError} naming every option that is wrong
   */
  constructor(options: ConsumerOptions<Value>);
  /** @internal */
  constructor(options: ConsumerOptions<Value>, edge: ConsumerEdge);
  constructor(options: ConsumerOptions<Value>, { clock, random, createClient }: ConsumerEdge = SYSTEM_EDGE) {
    const policy = resolveConsumerOptions(options, randomUUID().slice(0, 8));
    this.#policy = policy;
    this.#clock = clock;
    this.#random = random;
    const notify = createNotifier("consumer", policy.observer ?? warnOfTrouble);
    this.#report = (event) => {
      if (event.type === "acknowledged") this.#acked += event.messages;
      this.#workDone = countWork(this.#workDone, event);
      notify(event);
    };
    this.#client = createClient({
      redis: policy.redis,
      blockMs: policy.blockMs,
      report: (event) => {
        if (event.type === "connected") this.#connected.add(event.role);
        else this.#connected.delete(event.role);
        this.#connectedSinceMs = this.#isConnected() ? clock.nowMs() : null;
        this.#report(event);
      },
    });
    const largestBatch = (deliveries: number): number =>
      decideLargestBatch(deliveries, policy.batchSize, this.#maxDeliveries());
    const offering = {
      largestBatch,
      mayOffer: () => this.#mayOffer(),
    };
    this.#collector = new Collector({ ...policy, ...offering }, clock, () => {
      this.#reader.poke();
      this.#redeliverer.poke();
    });
    const shared = {
      policy,
      client: this.#client,
      custody: this.#custody,
      collector: this.#collector,
      clock,
      random,
      report: this.#report,
      fail: (error: unknown) => this.#fail(error),
    };
    this.#leases = new LeaseKeeper({
      ...shared,
      lose: (id, loss) => this.#intake.lose(id, loss),
      onCertain: () => this.#collector.look(),
    });
    this.#heart = new Heart({
      ...shared,
      incarnation: this.#incarnation,
      details: () => this.#beatDetails(),
      onPending: (pending) => {
        if (pending > this.#custody.size) this.#reader.compare();
      },
    });
    this.#recoverer = new Recoverer({
      ...shared,
      steadiness: () => ({
        nowMs: clock.nowMs(),
        connectedSinceMs: this.#connectedSinceMs,
        isLeaseCertain: this.#leases.isCertain(),
      }),
      onTaken: (id, deliveries) => this.#intake.adopt(id, deliveries),
    });
    this.#acknowledger = new Acknowledger({
      ...shared,
      isCertainOf: (arrival) => this.#leases.isCertainOf(arrival),
      canAckDelete: () => this.#capabilities?.ackDelete === true,
    });
    this.#undertaker = new Undertaker(shared);
    this.#sinkWatch = new SinkWatch({ ...shared, onChange: () => this.#collector.look() });
    const returns = new Returns({ ...shared, undertaker: this.#undertaker });
    const outcomes = new Outcomes({
      ...shared,
      acknowledger: this.#acknowledger,
      undertaker: this.#undertaker,
      returns,
      sinkWatch: this.#sinkWatch,
      state: () => this.#lifecycle.state,
    });
    this.#intake = new Intake({
      ...shared,
      undertaker: this.#undertaker,
      keeper: outcomes,
      maxDeliveries: () => this.#maxDeliveries(),
    });
    this.#reader = new Reader({
      ...shared,
      admit: (entries, sinceMs) => {
        this.#leases.delivered(sinceMs);
        return this.#intake.admit(entries, sinceMs);
      },
      adopt: (id, deliveries) => this.#intake.adopt(id, deliveries),
      assureRegistered: () => this.#heart.assure(),
      onGroupGone: () => this.#heart.forget(),
    });
    this.#redeliverer = new Redeliverer({
      ...shared,
      largestBatch,
      isIsolated: (deliveries) => isIsolated(deliveries, this.#maxDeliveries()),
      isAtWork: (holds) => this.#open.has(holds),
      admit: (entry, times) => this.#intake.readmit(entry, times),
    });
    this.#open = new OpenBatches({
      ...shared,
      returns,
      sinkWatch: this.#sinkWatch,
      whenOutcomesAreThrough: async (messages) => {
        await this.#acknowledger.whenThrough(messages);
        await this.#undertaker.whenThrough(messages);
      },
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
   * be nothing. Ends the batch before: what has no outcome in it is part of the next ones. While the server is away
   * the batch is empty, and may come up to two seconds later; events and `health()` say so. It is empty at once, with the reason `draining`, when the
   * option `signal` has aborted: then the batch before was still yours to finish, within `drainMs`, and `close()` ends it.
   *
   * `signal` gives up waiting; the messages stay for the next call.
   *
   * @throws {UsageError} while another use of this consumer is under way, and after `close()`
   * @throws {ConnectionError} when the first connection cannot be made within `connectTimeoutMs`
   * @throws {PermissionError} {@link WrongTypeError} {@link UnsupportedServerError}
   */
  async fetch({ signal }: { readonly signal?: AbortSignal } = {}): Promise<Batch<Value>> {
    if (this.#lifecycle.state === "draining") {
      this.#open.endFetched();
      return this.#open.hand({ messages: [], reason: "draining", redelivered: 0 }, "fetch").batch;
    }
    this.#begin("fetch()", "fetch");
    const calledAtMs = this.#clock.nowMs();
    try {
      this.#open.endFetched();
      if (!(await this.#start())) throw closedEarly();
      this.#startReading();
      // What was not acknowledged is part of the next batch, and not of the one after it.
      await within(this.#clock, Math.max(this.#policy.maxWaitMs, CATCH_UP_MS), this.#redeliverer.catchUp());
      return this.#open.hand(await this.#collector.take({ calledAtMs, signal }), "fetch").batch;
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
   * @throws {RedisBatchError} what no repetition can mend: wrong credentials, missing rights, a key of another type
   */
  async run(handler: Handler<Value>, { signal }: { readonly signal?: AbortSignal } = {}): Promise<StopReport> {
    if (typeof handler !== "function") throw new UsageError("run() needs a handler: a function that takes a batch");
    this.#begin("run()", "loop");
    const stopListening = onAbort(signal, () => void this.#drain());
    try {
      if (await this.#start()) this.#startReading();
      await Promise.all(Array.from({ length: this.#policy.concurrency }, () => this.#work(handler)));
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
   * @throws {RedisBatchError} when the server cannot be asked; then nothing is certain, and asking again is safe
   */
  async ack(...ids: EntryId[]): Promise<AckReport> {
    this.#assertUsable("acknowledge");
    if (!(await this.#start())) throw closedEarly();
    const held: Message<Value>[] = [];
    const unheld: EntryId[] = [];
    for (const id of ids) {
      const message = this.#custody.messageOf(id);
      if (message === undefined || message.state === "buffered") unheld.push(id);
      else held.push(message);
    }
    for (const message of held) message.ack();
    const { stream, group, name } = this.#policy;
    const others =
      unheld.length === 0
        ? { acknowledged: [], notOwned: [] }
        : await this.#client.ackOwned({ stream, group, consumer: name, ids: unheld });
    for (const id of others.acknowledged) this.#custody.dismiss(id);
    await this.#acknowledger.whenThrough(held);
    const idsIn = (state: Message<Value>["state"]): EntryId[] =>
      held.filter((message) => message.state === state).map((message) => message.id);
    return {
      acknowledged: [...others.acknowledged, ...idsIn("acknowledged")],
      lost: [...others.notOwned, ...idsIn("lost")],
    };
  }

  /**
   * Stops reading and handing out, until `resume()`. Batches that were handed out go on, and what is held stays held:
   * leases are renewed. A `fetch()` meanwhile ends empty when its time is up. Does nothing when it is paused already.
   */
  pause(): void {
    this.#isPaused = true;
    this.#reader.pause();
    this.#collector.lookFailed();
  }

  /** Goes on after `pause()`. */
  resume(): void {
    this.#isPaused = false;
    if (this.#use !== undefined) this.#startReading();
    this.#collector.look();
  }

  /** How the consumer is at this moment. Does no I/O. */
  health(): ConsumerHealth {
    const { state } = this.#lifecycle;
    // A refusal is an answer: while it lasts, restarting the process would change nothing.
    const isStuck = this.#isConnected() && this.#reader.unansweredMs > this.#policy.blockMs + STUCK_MS;
    return {
      state,
      live: this.#failure === undefined && state !== "closed" && !isStuck,
      ready: state === "running" && this.#isConnected() && !this.#reader.isStalled,
      buffered: this.#collector.fresh.messages + this.#collector.redelivered.messages,
      inFlight: this.#open.messages,
      deferred: this.#custody.deferred,
      unconfirmedAcks: this.#acknowledger.pending,
    };
  }

  /**
   * Stops reading, waits up to `drainMs` for handlers and loop bodies that are at work and for outstanding
   * acknowledgements, gives everything else back, removes the name from the group when nothing is pending under it,
   * and closes the connections. A batch from `fetch()` ends with this call: what has no outcome in it is given back.
   * Never rejects; every call gets the same report.
   *
   * Inside the body of `for await` use `break` instead: the body cannot end while it waits for itself.
   */
  close(): Promise<StopReport> {
    this.#open.endFetched();
    return this.#drain();
  }

  /** The same as `close()`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
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

  #startReading(): void {
    if (!this.#isPaused && this.#lifecycle.state === "running") this.#reader.resume();
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
      return await persist((leftMs) => this.#connect(leftMs), {
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
    await this.#heart.join(this.#startAborter.signal);
    this.#hasJoined = true;
    if (this.#lifecycle.state !== "starting") return false;
    this.#lifecycle.moveTo("running");
    for (const loop of [this.#heart, this.#leases, this.#redeliverer, this.#recoverer]) loop.start();
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
    const { batch, signal } = open;
    try {
      const outcome = await handler(batch, { signal });
      if (outcome !== undefined) applyOutcome(batch, outcome);
      // Nobody has said that anything failed, so it does not count against the messages.
      const isSilent = batch.messages.every((message) => message.state === "offered");
      if (isSilent) this.#report({ type: "nothingSettled", messages: batch.size });
      this.#open.end(open, "", !isSilent);
    } catch (error) {
      this.#report({ type: "handlerFailed", messages: batch.size, error });
      this.#open.end(open, error instanceof Error ? `${error.name}: ${error.message}` : String(error));
    }
  }

  /** The next batch of a loop; `undefined` when the consumer drains. */
  async #next(): Promise<OpenBatch<Value> | undefined> {
    const collected = await this.#collector.take({ calledAtMs: null });
    if (collected.reason !== "draining") return this.#open.hand(collected, "loop");
    if (this.#failure !== undefined) throw this.#failure;
    return undefined;
  }

  /** How many messages the next batch may have; 0: none may be handed over now. */
  #mayOffer(): number {
    if (this.#isPaused || !this.#leases.isCertain()) return 0;
    if (this.#mode === "fetch" || !this.#sinkWatch.isBackingOff) return this.#policy.batchSize;
    return this.#sinkWatch.mayTry && !this.#open.isAny ? 1 : 0;
  }

  #maxDeliveries(): number {
    return decideMaxDeliveries(this.#mode, this.#policy.maxDeliveries);
  }

  #beatDetails(): BeatDetails {
    const { batchSize, concurrency, prefetch, maxDeferred } = this.#policy;
    return {
      host: hostname(),
      pid: process.pid,
      state: this.#lifecycle.state,
      batchSize,
      concurrency,
      // What it holds at most on purpose: read ahead, at work, and put off for later.
      capacity: batchSize * (concurrency + prefetch) + maxDeferred,
      inFlight: this.#open.messages,
      deferred: this.#custody.deferred,
      acked: this.#acked,
      busyMs: this.#open.busyMs,
      work: this.#workDone,
    };
  }

  #fail(error: unknown): void {
    if (this.#failure !== undefined || !this.#lifecycle.canMoveTo("failed")) return;
    this.#failure = error instanceof Error ? error : new Error(String(error));
    this.#lifecycle.moveTo("failed");
    this.#report({ type: "failed", error: describeTrouble(error) });
    this.#collector.fail(error);
    // Whoever has taken the name works on the same messages now.
    if (ConsumerNameInUseError.is(error)) this.#open.abandon(error);
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
    const deadline = new AbortController();
    const cancelDeadline = this.#clock.setTimer(drainMs, () => deadline.abort());
    this.#startAborter.abort();
    await this.#starting?.catch(() => {});
    this.#collector.drain();
    const loopsEnded = Promise.all([this.#reader.stop(), this.#redeliverer.stop(), this.#recoverer.stop()]);
    await untilAborted(deadline.signal, Promise.all([loopsEnded, this.#open.whenNone()]));
    const abandoned = this.#open.abandon(
      new UsageError(`the consumer stopped: the batch was not finished within ${drainMs} ms`),
    );
    await untilAborted(deadline.signal, Promise.all([this.#acknowledger.whenIdle(), this.#undertaker.whenIdle()]));
    cancelDeadline();
    const unconfirmedAcks = this.#acknowledger.pending;
    this.#acknowledger.stop();
    this.#undertaker.stop();
    this.#sinkWatch.stop();
    const keepersEnded = Promise.all([this.#heart.stop(), this.#leases.stop()]);
    await within(this.#clock, FAREWELL_MS, keepersEnded);
    // Under a name that is not, or no longer, its own it must not touch anything.
    const mayTouch = this.#hasJoined && !ConsumerNameInUseError.is(this.#failure);
    const farewell = mayTouch ? await this.#sayFarewell() : { givenBack: 0, nameRemoved: false };
    await this.#client.close();
    await Promise.all([loopsEnded, keepersEnded]);
    this.#custody.clear();
    this.#lifecycle.moveTo("closed");
    const report: StopReport = { ...farewell, unconfirmedAcks, abandoned };
    if (wasUsed) this.#report({ type: "stopped", ...report });
    return report;
  }

  async #sayFarewell(): Promise<{ readonly givenBack: number; readonly nameRemoved: boolean }> {
    const { stream, group, name, leaseMs } = this.#policy;
    // Whoever counts the group's work would miss what was done since the last heartbeat.
    const didWork = this.#workDone.delivered > 0 || this.#workDone.batches > 0;
    const told = didWork ? { incarnation: this.#incarnation, leaseMs, details: this.#beatDetails() } : undefined;
    const who = { stream, group, consumer: name };
    const farewell = giveBack(this.#client, who, this.#custody.inventory(), told);
    return (await within(this.#clock, FAREWELL_MS, farewell)) ?? { givenBack: 0, nameRemoved: false };
  }
}

function closedEarly(): UsageError {
  return new UsageError("the consumer was closed while it was starting");
}

/** What a consumer has done, by what it reports. */
function countWork(work: WorkCounters, event: ConsumerEvent): WorkCounters {
  if (event.type === "read") return { ...work, delivered: work.delivered + event.messages };
  return event.type === "batchEnded" ? addBatch(work, event.messages, event.durationMs) : work;
}
