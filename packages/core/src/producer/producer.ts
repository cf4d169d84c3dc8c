/**
 * Adds messages to a stream, and reports for each whether it was added.
 *
 * | state    | means                                       | leaves by                        |
 * |----------|---------------------------------------------|----------------------------------|
 * | idle     | not used yet, no connection                 | first use · `close()`            |
 * | starting | waits for the first connection              | connected · `close()`            |
 * | running  | was connected; comes back by itself         | `close()`                        |
 * | draining | no new messages; those in transit may end   | all ended, or `closeTimeoutMs`   |
 * | closed   | every message has ended                     | –                                |
 */
import type { FieldsInput } from "../codecs/codec.ts";
import { encodeValue } from "../codecs/encode-fields.ts";
import { ConnectionError, QueueFullError, UsageError } from "../errors/errors.ts";
import { assurePartitions, refusePartitions } from "../groups/partition-count.ts";
import type { EntryId } from "../names/entry-id.ts";
import { hashTag } from "../names/keys.ts";
import { partitionOfKey } from "../names/partitions.ts";
import { dependenciesOf } from "../redis/dependencies.ts";
import { LAST_REPLIES_MS } from "../redis/reconnecting-client.ts";
import { type Clock, pause } from "../service/clock.ts";
import { INSPECT, type InspectContext, showAs } from "../service/inspected.ts";
import { Lifecycle } from "../service/lifecycle.ts";
import { createNotifier, createSafeCaller, type Observer } from "../service/observer.ts";
import type { Random } from "../service/random.ts";
import { describeConnectionEvent, nameService, warningObserver } from "../service/warnings.ts";
import type { ConnectionEvent, StreamClient } from "../stream-client.ts";
import type { AddOnceResult } from "../wire/atomic/add-once.ts";
import {
  type AddEachOptions,
  type AddEachTarget,
  type AddedMessage,
  type AddResult,
  addEach,
  type MessageKeys,
  visitEach,
} from "./add-each.ts";
import { type AddManyOptions, type AddManyResult, summarize } from "./add-many.ts";
import { addUntilConfirmed } from "./add-until-confirmed.ts";
import { Admission } from "./admission.ts";
import type { ProducerEvent } from "./events.ts";
import { followAdd } from "./instrumentation.ts";
import { type ProducerOptions, type ProducerPolicy, resolveProducerOptions } from "./options.ts";
import { type Ending, type OutgoingMessage, Sender } from "./sender.ts";

export interface AddOptions {
  /**
   * What the message is about, such as a customer's number: a consumer with `orderBy: "key"` keeps messages with the same key
   * in order. It is written as the field `key`, beside those that the codec makes, and says to which of the stream's `partitions`
   * the message goes. A value that has this field already must have the same text in it.
   */
  readonly key?: string | undefined;
  /**
   * Identifies the message: of all adds with the same key within `rememberKeysMs` only the first adds the message, and
   * all return its id. That makes retries safe, so the producer retries by itself for `retryForMs`. Such a message has
   * at most 3,990 fields, because a script cannot add more.
   */
  readonly idempotencyKey?: string | undefined;
  /**
   * Cancels the add as long as the message was not sent; the promise then rejects with the signal's reason. Once it is
   * sent, the producer waits for the reply, so an abort never leaves it unclear whether the message was added.
   */
  readonly signal?: AbortSignal | undefined;
}

/** What a producer stands on, when it is not the network and the system's clock. */
interface Dependencies {
  readonly createClient: (report: (event: ConnectionEvent) => void) => StreamClient;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * Adds messages to one stream. Connects on first use, reconnects by itself, and stays connected until `close()`.
 *
 * A message that `add` confirmed is in the stream. A rejected one is not, with one exception: a `ConnectionError` with
 * the outcome `unknown`. Such an add is never repeated, unless it has an idempotency key. Messages of one producer enter
 * the stream in the order of the calls; only a retried message comes later.
 *
 * @example
 * const producer = new Producer({ redis: "redis://localhost:6379", stream: "orders" });
 * const id = await producer.add({ orderId: "A-17", cents: 1999 });
 * await producer.close();
 */
export class Producer<Value = FieldsInput> {
  readonly #policy: ProducerPolicy<Value>;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #notify: Observer<ProducerEvent>;
  readonly #client: StreamClient;
  /** One, or one for each partition. */
  readonly #senders: readonly Sender[];
  readonly #admission: Admission;
  readonly #target: AddEachTarget<Value> = {
    add: (value, keys, signal, ending) => this.#accept(value, keys, signal, ending),
    hasRoom: () => {
      this.#use("add");
      return this.#admission.hasRoomForMany;
    },
    change: () => this.#admission.change(),
  };
  readonly #callOnProgress = createSafeCaller("onProgress of the producer");
  readonly #lifecycle = new Lifecycle("Producer");
  /** Aborts when `close()` has waited long enough. */
  readonly #giveUp = new AbortController();
  #firstUseMs = 0;
  /** How many messages without a key there were. */
  #keyless = 0;
  /** Whether the number of partitions is what is written down; begins with the first use. */
  #partitionsCompared: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  /** @throws {ConfigError} naming every wrong option */
  constructor(options: ProducerOptions<Value>);
  /** @internal */
  constructor(options: ProducerOptions<Value>, dependencies: Dependencies);
  constructor(options: ProducerOptions<Value>, dependencies?: Dependencies) {
    const policy = resolveProducerOptions(options);
    this.#policy = policy;
    const { clock, random, createClient } = dependenciesOf(policy.redis);
    this.#clock = dependencies?.clock ?? clock;
    this.#random = dependencies?.random ?? random;
    const subject = nameService("producer", policy.stream);
    this.#notify = createNotifier(
      "producer",
      policy.observer ?? warningObserver(subject, describeConnectionEvent, this.#clock),
    );
    const report = (event: ConnectionEvent): void => this.#onConnection(event);
    // No read ever blocks here.
    const actor = { role: "producer", stream: policy.streams } as const;
    this.#client =
      dependencies?.createClient(report) ??
      createClient({ redis: policy.redis, credentials: policy.credentials, blockMs: 0, actor, report });
    this.#admission = new Admission(policy);
    const isPartitioned = policy.partitions !== undefined;
    const beforeFirst = (): Promise<void> => this.#comparePartitions();
    this.#senders = policy.streams.map(
      (stream) =>
        new Sender({
          ...{ ...policy, stream, beforeFirst, isOneAtATime: isPartitioned },
          ...{ client: this.#client, clock: this.#clock, random: this.#random, notify: this.#notify },
        }),
    );
  }

  /** Messages accepted but not confirmed yet, and their payload bytes. */
  get unconfirmed(): { readonly messages: number; readonly bytes: number } {
    return { messages: this.#admission.messages, bytes: this.#admission.bytes };
  }

  /**
   * Connects now instead of with the first message, to find out at start whether it works.
   *
   * @throws {ConnectionError} when there is no connection within `connectTimeoutMs`; it keeps trying, so adding may work later
   * @throws {PermissionError} when the server rejects the user name or password, or does not allow `waitForReplicas`
   * @throws {UsageError} after `close()`
   */
  async connect(options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    this.#use("connect");
    await this.#client.connect(["commands"], { timeoutMs: this.#policy.connectTimeoutMs, signal: options.signal });
    if (this.#policy.waitForReplicas !== undefined) await this.#client.assertMayWait();
    await this.#comparePartitions();
  }

  /**
   * Adds one message → the id of its entry. Calls made in the same turn of the event loop are sent together. The value
   * is encoded before this returns, so you may change it afterwards.
   *
   * @throws {PayloadError} when the codec cannot write the value, or the value has another `key` than the options
   * @throws {QueueFullError} when too many messages wait for confirmation
   * @throws {ConnectionError} `not-sent`: certainly not added; `unknown`: perhaps added, and not repeated, or added, and
   * fewer replicas than `waitForReplicas` says confirmed it
   * @throws {ServerStateError} when the server temporarily refuses to add (out of memory, cannot save …)
   * @throws {WrongTypeError} when the stream's key holds something else
   * @throws {PermissionError} when this user may not add
   * @throws {ConfigError} when an idempotency key is given for a stream whose name leaves no room for one in its slot
   * @throws {UsageError} after `close()`, and when a key is empty or no well-formed text
   */
  add(value: Value, options: AddOptions = {}): Promise<EntryId> {
    return new Promise((resolve, reject) => {
      const ending: Ending<AddedMessage> = { confirm: ({ id }) => resolve(id), refuse: reject };
      this.#accept(value, options, options.signal, ending, (bytes) => this.#checkRoom(bytes));
    });
  }

  /**
   * Adds the items of a source. It reads the source no faster than the server confirms, and at most a thousand items
   * ahead. Items that fail do not stop the others.
   *
   * @returns how many were added, and the first failures
   * @throws the error of the source, or the signal's reason; before that, it waits for the messages that were sent, and
   * `onProgress` has reported the counts
   *
   * @example
   * const { added, failed, failures } = await producer.addMany(readLines("orders.ndjson"));
   */
  addMany<Item extends Value>(
    items: Iterable<Item> | AsyncIterable<Item>,
    options: AddManyOptions<Item> = {},
  ): Promise<AddManyResult> {
    const own = { ...options };
    const visitItems = (visit: (result: AddResult) => void): Promise<void> =>
      visitEach(items, this.#target, own, visit);
    return summarize(visitItems, this.#clock, (progress) => this.#callOnProgress(own.onProgress, progress));
  }

  /**
   * Like `addMany`, but yields the result of each item, in the order of the source. Leaving the loop early cancels the
   * items that were read but not sent.
   *
   * @example
   * for await (const result of producer.addEach(orders)) {
   *   if (result.kind === "failed") console.error(result.index, result.error.message);
   * }
   */
  addEach<Item extends Value>(
    items: Iterable<Item> | AsyncIterable<Item>,
    options: AddEachOptions<Item> = {},
  ): AsyncGenerator<AddResult, void, undefined> {
    return addEach(items, this.#target, { ...options });
  }

  /**
   * Refuses new messages, waits up to `closeTimeoutMs` for those in transit, then closes the connection. Messages that
   * are not confirmed by then reject. Idempotent.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** The same as `close()`, so that `await using` waits for the messages in transit. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** @internal */
  [INSPECT](depth: number, options: InspectContext): string {
    return showAs(
      "Producer",
      { stream: this.#policy.stream, state: this.#lifecycle.state, unconfirmed: this.unconfirmed.messages },
      depth,
      options,
    );
  }

  async #close(): Promise<void> {
    if (this.#lifecycle.state !== "idle") {
      this.#lifecycle.moveTo("draining");
      // The connection gives commands in flight the rest of the time.
      const { closeTimeoutMs } = this.#policy;
      const waitMs = Math.max(closeTimeoutMs / 2, closeTimeoutMs - LAST_REPLIES_MS);
      const isTimeUp = pause(this.#clock, waitMs, this.#giveUp.signal);
      await Promise.race([this.#allEnded(), isTimeUp]);
    }
    const unconfirmed = this.#admission.messages;
    this.#giveUp.abort();
    for (const sender of this.#senders) sender.stop();
    await this.#client.close();
    await this.#allEnded();
    this.#lifecycle.moveTo("closed");
    this.#notify({ type: "closed", unconfirmed });
  }

  async #allEnded(): Promise<void> {
    while (this.#admission.messages > 0) await this.#admission.change();
  }

  #checkRoom(bytes: number): void {
    if (this.#admission.fits(bytes)) return;
    const { messages, bytes: queuedBytes } = this.unconfirmed;
    this.#notify({ type: "queueFull", messages, bytes: queuedBytes });
    throw new QueueFullError(
      `add: not sent, because ${messages} messages (${queuedBytes} bytes) already wait for the server's confirmation; ` +
        "await earlier adds, use addMany, or raise maxQueued and maxQueuedBytes",
    );
  }

  /** Accepts a message and sends it, or throws the reason why not. */
  #accept(
    value: Value,
    { key, idempotencyKey }: MessageKeys,
    signal: AbortSignal | undefined,
    ending: Ending<AddedMessage>,
    admit?: (bytes: number) => void,
  ): void {
    this.#use("add");
    signal?.throwIfAborted();
    if (key !== undefined) checkKey("key", key);
    if (idempotencyKey !== undefined) {
      checkKey("idempotencyKey", idempotencyKey);
      hashTag(this.#policy.stream);
    }
    const { fields, bytes } = encodeValue(this.#policy.codec, value, key);
    admit?.(bytes);
    this.#admission.enter(bytes);
    const { instrumentation, stream } = this.#policy;
    const trace = instrumentation && followAdd(instrumentation, { stream, bytes });
    const leaving: Ending<AddOnceResult> = {
      confirm: ({ id, added }) => {
        this.#admission.leave(bytes);
        trace?.end.added(id, !added);
        ending.confirm({ id, duplicate: !added });
      },
      refuse: (reason) => {
        this.#admission.leave(bytes);
        trace?.end.failed(reason);
        ending.refuse(idempotencyKey === undefined ? withAdvice(reason) : reason);
      },
    };
    const message: OutgoingMessage = { fields: trace ? [...fields, ...trace.fields] : fields, idempotencyKey };
    const sender = this.#senderFor(key);
    if (idempotencyKey === undefined) sender.send(message, this.#waitMs(), signal, leaving);
    else void this.#addKeyed(sender, message, idempotencyKey, signal).then(leaving.confirm, leaving.refuse);
  }

  /** The sender of the partition that has the messages of this key; those without a key take turns. */
  #senderFor(key: string | undefined): Sender {
    const { length } = this.#senders;
    const place = length === 1 ? 0 : key === undefined ? this.#keyless++ % length : partitionOfKey(key, length);
    return this.#senders[place] as Sender;
  }

  /** Whether the stream has as many partitions as the options say. Asked once, and again after a failure. */
  #comparePartitions(): Promise<void> {
    const { stream, partitions } = this.#policy;
    const client = this.#client;
    this.#partitionsCompared ??= (
      partitions === undefined ? refusePartitions(client, stream) : assurePartitions(client, { stream, partitions })
    ).catch((error: unknown) => {
      this.#partitionsCompared = undefined;
      throw error;
    });
    return this.#partitionsCompared;
  }

  async #addKeyed(
    sender: Sender,
    message: OutgoingMessage,
    idempotencyKey: string,
    signal: AbortSignal | undefined,
  ): Promise<AddOnceResult> {
    const result = await addUntilConfirmed({
      attempt: (waitMs) =>
        new Promise((resolve, reject) => sender.send(message, waitMs, signal, { confirm: resolve, refuse: reject })),
      waitMs: this.#waitMs(),
      retryForMs: this.#policy.retryForMs,
      signal,
      closing: this.#giveUp.signal,
      clock: this.#clock,
      random: this.#random,
      notify: this.#notify,
    });
    const { id, added, attempt } = result;
    if (!added) this.#notify({ type: "duplicate", id, idempotencyKey, attempt });
    return result;
  }

  /** How long a new message may wait for a connection. */
  #waitMs(): number {
    if (this.#policy.whileAway === "queue") return this.#policy.queueTimeoutMs;
    if (this.#lifecycle.state !== "starting") return 0;
    return Math.max(0, this.#firstUseMs + this.#policy.connectTimeoutMs - this.#clock.nowMs());
  }

  #use(action: string): void {
    this.#lifecycle.assertOpen(action);
    if (this.#lifecycle.state !== "idle") return;
    this.#lifecycle.moveTo("starting");
    this.#firstUseMs = this.#clock.nowMs();
  }

  #onConnection(event: ConnectionEvent): void {
    // Report our own close as such.
    if (this.#giveUp.signal.aborted) return;
    if (event.type !== "connected") return this.#notify({ type: event.type, reason: event.reason });
    if (this.#lifecycle.state === "starting") this.#lifecycle.moveTo("running");
    this.#notify({ type: "connected" });
  }
}

function checkKey(name: keyof MessageKeys, key: unknown): void {
  // Half of a surrogate pair is written as a replacement character, which would make different keys equal.
  if (typeof key === "string" && key !== "" && !/\p{Surrogate}/u.test(key)) return;
  throw new UsageError(`add: ${name} must be a non-empty, well-formed text; leave it out to add without one`);
}

function withAdvice(reason: unknown): unknown {
  if (!ConnectionError.is(reason) || reason.outcome === "not-sent") return reason;
  return new ConnectionError(
    `${reason.message}. Adding it again may add it twice; an add with an idempotencyKey can be repeated safely`,
    { outcome: "unknown", cause: reason.cause },
  );
}
