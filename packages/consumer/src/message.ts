/** A message as the application sees it, and what the consumer keeps about it. */
import {
  type Decoder,
  type EntryId,
  type Fields,
  fieldsCodec,
  PayloadError,
  type RawFields,
  type TraceContext,
  UsageError,
} from "@redis-batch/core";
import { describeThrown, messageOf } from "@redis-batch/core/internal/errors";
import {
  describeShape,
  guardPayload,
  ownFieldsOf,
  payloadBytesOf,
  type StreamEntry,
  textOf,
  textOfField,
  traceContextOf,
} from "@redis-batch/core/internal/messages";
import { entryIdDate } from "@redis-batch/core/internal/names";
import { INSPECT, type InspectContext, showAs } from "@redis-batch/core/internal/service";
import { LONGEST_RETRY_MS, type PullMode } from "./decisions/redelivery.ts";

/**
 * The state of a message: `buffered` in memory, never offered · `offered` in a batch, without an outcome · `acking` its
 * acknowledgement is being sent · `acknowledged` · `deadLettering` it is being moved to the dead letters · `deadLettered` ·
 * `tooLate` its outcome came too late · `returned` to be redelivered.
 */
export type MessageState =
  | "buffered"
  | "offered"
  | "acking"
  | "acknowledged"
  | "deadLettering"
  | "deadLettered"
  | "tooLate"
  | "returned";

/** How a message is redelivered. */
export interface RetryOptions {
  /** The delay, in milliseconds, 0 to 86,400,000. Default: by the consumer's `retry` policy. */
  readonly delayMs?: number | undefined;
  /** Stored with the message if it goes to the dead letters; cut to 4,000 characters. */
  readonly reason?: unknown;
}

/** @throws {UsageError} when it is not a valid delay */
export function assertRetryDelay(delayMs: unknown): void {
  if (delayMs === undefined) return;
  if (typeof delayMs === "number" && delayMs >= 0 && delayMs <= LONGEST_RETRY_MS) return;
  const got = typeof delayMs === "number" ? delayMs : describeShape(delayMs);
  throw new UsageError(`retry: delayMs must be a number from 0 to ${LONGEST_RETRY_MS}, got ${got}`);
}

/**
 * What an application has asked for with `retry()`.
 *
 * @throws {UsageError} when it is none, or its delay cannot be asked for
 */
export function resolveRetry(options: unknown): {
  readonly delayMs: number | undefined;
  readonly reason: string | undefined;
} {
  if (typeof options !== "object" || options === null) {
    throw new UsageError(`retry: expected options such as { delayMs: 1_000 }, got ${describeShape(options)}`);
  }
  const { delayMs, reason } = options as RetryOptions;
  assertRetryDelay(delayMs);
  return { delayMs, reason: reason === undefined ? undefined : describeThrown(reason) };
}

/** How and when messages arrived, by the local clock. Messages of one read share it. */
export interface Arrival {
  /** The delivery count of each, including this delivery. */
  readonly deliveries: number;
  /** When they arrived in memory. */
  readonly arrivedAtMs: number;
  /** They were delivered after this moment, so their lease counts from here. */
  readonly heldSinceMs: number;
  /** Until this moment they may only be delivered together with new messages. */
  readonly ripeAtMs: number;
  /** The reader's connection that they were read on. */
  readonly epoch: number;
}

/** The messages of one read, while they are held together. A message that has left it has another `chunk`. */
export interface ReadChunk<Value> {
  readonly messages: readonly Message<Value>[];
  /** How many have not left it. */
  held: number;
}

/** How a message was delivered to the handler. */
export interface Offer {
  readonly mode: PullMode;
  /** By the local clock. */
  readonly atMs: number;
}

/** Receives a message's outcome. */
export interface MessageKeeper<Value> {
  readonly stream: string;
  readonly codec: Decoder<Value>;
  ack(message: Message<Value>): void;
  retry(message: Message<Value>, options: RetryOptions): void;
  deadLetter(message: Message<Value>, reason: unknown): void;
}

/** One message of a batch. */
export class Message<Value = Fields> {
  /** The entry's id in the stream: use it as the key to make processing idempotent. */
  readonly id: EntryId;
  /** @internal */
  readonly arrival: Arrival;
  /** @internal The size of its payload, names included. */
  readonly bytes: number;
  readonly #entry: StreamEntry;
  readonly #keeper: MessageKeeper<Value>;
  // Created on first use: most handlers never use it.
  #aborter: AbortController | undefined;
  #abortReason: Error | undefined;
  #value: { readonly decoded: Value } | undefined;
  #fields: Fields | undefined;
  // Private, so that it cannot be frozen, and does not appear in copies of the message's properties, such as JSON.
  #state: MessageState = "buffered";
  #ripeAtMs: number;
  #isSuspect = false;
  #isRetried = false;
  #isLetGo = false;
  #wasTakenAtWork = false;
  #isDeferredForLong = false;
  #chunk: ReadChunk<Value> | undefined;
  #offer: Offer | undefined;
  #isDoubtful = false;
  #key: string | undefined;

  /** @internal */
  constructor(entry: StreamEntry, arrival: Arrival, keeper: MessageKeeper<Value>) {
    this.id = entry.id;
    this.#entry = entry;
    this.bytes = payloadBytesOf(entry);
    this.arrival = arrival;
    this.#ripeAtMs = arrival.ripeAtMs;
    this.#keeper = keeper;
  }

  /** The stream's key. An id is unique within its stream only. */
  get stream(): string {
    return this.#keeper.stream;
  }

  /** The number of deliveries, including this one; 1 the first time. */
  get deliveries(): number {
    return this.arrival.deliveries;
  }

  /** The fields as UTF-8 text, without a prototype. If a name repeats, the last value counts. For bytes see `entries()`. */
  get fields(): Fields {
    this.#fields ??= textOf(this.#entry);
    return this.#fields;
  }

  /** @internal One of the fields as text, without decoding the others. */
  field(name: string): string | undefined {
    return this.#fields === undefined ? textOfField(this.#entry, name) : this.#fields[name];
  }

  /** @internal Name, value, name, value … byte for byte. */
  get raw(): RawFields {
    return ownFieldsOf(this.#entry);
  }

  /**
   * The trace that it belongs to, as its producer wrote it into the entry (option `instrumentation`); `undefined` if it wrote none, or
   * none that is well-formed. It is no part of `fields`, `value` and `entries()`, and stays with the message through redelivery,
   * dead letters and redrive.
   */
  get traceContext(): TraceContext | undefined {
    return traceContextOf(this.#entry);
  }

  /**
   * The fields, decoded by the consumer's codec; the same as `fields` without a codec.
   *
   * Decoded once. A message that the codec cannot decode goes to the dead letters and is never delivered to a handler.
   */
  get value(): Value {
    try {
      this.#value ??= { decoded: this.#decode() };
      return this.#value.decoded;
    } catch (error) {
      throw new PayloadError(`message ${this.id}: ${messageOf(error)}`, { entryId: this.id });
    }
  }

  /** Every field name and value as raw bytes, in their original order, including duplicates. */
  *entries(): IterableIterator<readonly [name: Buffer, value: Buffer]> {
    const { raw } = this;
    for (let index = 0; index + 1 < raw.length; index += 2) {
      yield [raw[index] as Buffer, raw[index + 1] as Buffer];
    }
  }

  /** @internal Whether it is, or is about to be, acknowledged or dead-lettered. */
  get hasSucceeded(): boolean {
    const { state } = this;
    return state === "acking" || state === "acknowledged" || state === "deadLettering" || state === "deadLettered";
  }

  /**
   * When it was added to the stream, by the server's clock, or by the explicit id of its producer; `null` if that id is
   * beyond the range of dates (some 275,000 years).
   */
  get addedAt(): Date | null {
    return entryIdDate(this.id);
  }

  /**
   * Aborts when further processing is pointless: its lease was lost (the reason is a `LeaseLostError`), or the consumer is
   * stopping and `drainMs` is over.
   */
  get signal(): AbortSignal {
    if (this.#aborter === undefined) {
      this.#aborter = new AbortController();
      if (this.#abortReason !== undefined) this.#aborter.abort(this.#abortReason);
    }
    return this.#aborter.signal;
  }

  /** @internal */
  abort(reason: Error): void {
    this.#abortReason ??= reason;
    this.#aborter?.abort(reason);
  }

  /**
   * Acknowledges it: it will not be delivered again. Returns at once; the acknowledgement is sent together with others,
   * and `batch.settled()` reports whether the server has confirmed it. It takes back a `retry()`; dead letters stay, and a second
   * call has no effect.
   */
  ack(): void {
    this.#keeper.ack(this);
  }

  /**
   * Asks for a retry: it is redelivered after `delayMs`, or after the
   * delay that the consumer's `retry` policy gives ("When is a message redelivered?" in the package's README). Returns at
   * once. A message that already has an outcome keeps it.
   *
   * @throws {UsageError} when `options` is not an object, or `delayMs` is not a number from 0 to 86,400,000
   */
  retry(options: RetryOptions = {}): void {
    this.#keeper.retry(this, options);
  }

  /**
   * Rejects it for good: the complete message is moved, with its history, into the group's dead letters. Returns at once. A
   * message that already has an outcome keeps it.
   *
   * @param reason stored with it, cut to 4,000 characters. An error becomes its name and message; other values become text.
   */
  deadLetter(reason: unknown): void {
    this.#keeper.deadLetter(this, reason);
  }

  /** @internal */
  [INSPECT](depth: number, options: InspectContext): string {
    return showAs(
      "Message",
      { stream: this.stream, id: this.id, deliveries: this.deliveries, bytes: this.bytes },
      depth,
      options,
    );
  }

  /** @internal */
  get state(): MessageState {
    return this.#state;
  }

  /** @internal */
  set state(value: MessageState) {
    this.#state = value;
  }

  /** @internal Until this moment it may only be delivered together with new messages. */
  get ripeAtMs(): number {
    return this.#ripeAtMs;
  }

  /** @internal */
  set ripeAtMs(value: number) {
    this.#ripeAtMs = value;
  }

  /** @internal Whether it is offered alone, and not while another message like it is being processed. */
  get isSuspect(): boolean {
    return this.#isSuspect;
  }

  /** @internal */
  set isSuspect(value: boolean) {
    this.#isSuspect = value;
  }

  /** @internal Whether the application has asked for a retry. */
  get isRetried(): boolean {
    return this.#isRetried;
  }

  /** @internal */
  set isRetried(value: boolean) {
    this.#isRetried = value;
  }

  /** @internal Whether it was released: any consumer may claim it. */
  get isLetGo(): boolean {
    return this.#isLetGo;
  }

  /** @internal */
  set isLetGo(value: boolean) {
    this.#isLetGo = value;
  }

  /** @internal Whether it was lost while the application was processing it, before it had an outcome. */
  get wasTakenAtWork(): boolean {
    return this.#wasTakenAtWork;
  }

  /** @internal */
  set wasTakenAtWork(value: boolean) {
    this.#wasTakenAtWork = value;
  }

  /** @internal Whether the application has deferred it for longer than messages stay in memory. */
  get isDeferredForLong(): boolean {
    return this.#isDeferredForLong;
  }

  /** @internal */
  set isDeferredForLong(value: boolean) {
    this.#isDeferredForLong = value;
  }

  /** @internal The chunk that it is held in; `undefined` if it is held by itself. */
  get chunk(): ReadChunk<Value> | undefined {
    return this.#chunk;
  }

  /** @internal */
  set chunk(value: ReadChunk<Value> | undefined) {
    this.#chunk = value;
  }

  /** @internal How it was delivered to the handler. */
  get offer(): Offer | undefined {
    return this.#offer;
  }

  /** @internal */
  set offer(value: Offer | undefined) {
    this.#offer = value;
  }

  /** @internal Whether a renewal has found that another consumer has it, or has finished it, while its outcome waited to be sent. */
  get isDoubtful(): boolean {
    return this.#isDoubtful;
  }

  /** @internal */
  set isDoubtful(value: boolean) {
    this.#isDoubtful = value;
  }

  /** @internal Its key by `orderBy`; `undefined` if it has none. */
  get key(): string | undefined {
    return this.#key;
  }

  /** @internal */
  set key(value: string | undefined) {
    this.#key = value;
  }

  #decode(): Value {
    const codec: Decoder<unknown> = this.#keeper.codec;
    // What the default codec makes of the fields is there already, or can be had without a Buffer for each of them.
    if (codec === fieldsCodec) return this.fields as Value;
    return guardPayload("decoding", () => this.#keeper.codec.decode(this.raw));
  }
}
