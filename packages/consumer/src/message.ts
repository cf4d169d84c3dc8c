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

/** What there is of a message without an object for it: which of a read it is. */
export interface Place<Value> {
  readonly chunk: ReadChunk<Value>;
  readonly index: number;
  readonly entry: StreamEntry;
}

const STATES: readonly MessageState[] = [
  ...(["buffered", "offered", "acking", "acknowledged"] as const),
  ...(["deadLettering", "deadLettered", "tooLate", "returned"] as const),
];
const STATE_BITS = 0b111;
const OVER: Readonly<Record<MessageState, boolean>> = {
  ...{ buffered: false, offered: false, acking: false, deadLettering: false },
  ...{ acknowledged: true, deadLettered: true, tooLate: true, returned: true },
};
const NUMBER_OF = Object.fromEntries(STATES.map((state, number) => [state, number])) as Record<MessageState, number>;

/** What is kept of each message beside its state. */
const SUSPECT = 1 << 3;
const RETRIED = 1 << 4;
const LET_GO = 1 << 5;
const TAKEN_AT_WORK = 1 << 6;
const DEFERRED_FOR_LONG = 1 << 7;
const DOUBTFUL = 1 << 8;
const TOGETHER = 1 << 9;

/**
 * The messages of one read, and the state of each. An object for a message is made when it is needed, and let go of as soon as
 * its outcome is on its way: what lives only as long as a handler works on it costs hardly any memory, and no collection. What is
 * over leaves nothing but its state, so that a message that is kept keeps no others.
 */
export class ReadChunk<Value> {
  readonly arrival: Arrival;
  readonly keeper: MessageKeeper<Value>;
  readonly #marks: Uint16Array;
  /** Of each message its object, or its entry as long as there is none; `undefined` when it is over. */
  readonly #kept: (Message<Value> | StreamEntry | undefined)[];
  /** How many are held together as this chunk. */
  #held = 0;

  constructor(entries: readonly StreamEntry[], arrival: Arrival, keeper: MessageKeeper<Value>) {
    this.#kept = entries.slice();
    this.arrival = arrival;
    this.keeper = keeper;
    this.#marks = new Uint16Array(entries.length);
  }

  /** How many messages were read. */
  get size(): number {
    return this.#marks.length;
  }

  /** How many of them are held together. */
  get held(): number {
    return this.#held;
  }

  /** The object of a message, the same each time until it is let go of. It must not be over. */
  messageAt(index: number): Message<Value> {
    const kept = this.#kept[index] as Message<Value> | StreamEntry;
    if (kept instanceof Message) return kept;
    const message = new Message(this, index, kept);
    this.#kept[index] = message;
    return message;
  }

  /** All of them, in stream order. */
  get messages(): Message<Value>[] {
    return Array.from(this.#kept, (_, index) => this.messageAt(index));
  }

  /** From now on nothing but the application needs the object. */
  letGoOfObject({ index, entry }: Place<Value>): void {
    this.#kept[index] = entry;
  }

  /** The size of the payloads of all that are not over. */
  get bytes(): number {
    let bytes = 0;
    for (const kept of this.#kept) {
      if (kept !== undefined) bytes += kept instanceof Message ? kept.bytes : payloadBytesOf(kept);
    }
    return bytes;
  }

  /** The id of a message that is not over. */
  idAt(index: number): EntryId | undefined {
    return this.#kept[index]?.id;
  }

  /** Holds all of them together. */
  holdTogether(): void {
    this.#marks.fill(NUMBER_OF.buffered | TOGETHER);
    this.#held = this.size;
  }

  /** Takes a message out → whether it was held together with the others. */
  leave(index: number): boolean {
    if (!this.isTogether(index)) return false;
    this.mark(index, TOGETHER, false);
    this.#held--;
    return true;
  }

  isTogether(index: number): boolean {
    return this.isMarked(index, TOGETHER);
  }

  isSuspect(index: number): boolean {
    return this.isMarked(index, SUSPECT);
  }

  isLetGo(index: number): boolean {
    return this.isMarked(index, LET_GO);
  }

  /** Whether a renewal has found that another consumer has it, or has finished it, while its outcome waited to be sent. */
  isDoubtful(index: number): boolean {
    return this.isMarked(index, DOUBTFUL);
  }

  stateAt(index: number): MessageState {
    return STATES[(this.#marks[index] as number) & STATE_BITS] as MessageState;
  }

  setState(index: number, state: MessageState): void {
    // Those that still need it have it: the application, a queue, or the index of what is held.
    if (OVER[state]) this.#kept[index] = undefined;
    this.#marks[index] = ((this.#marks[index] as number) & ~STATE_BITS) | NUMBER_OF[state];
  }

  isMarked(index: number, mark: number): boolean {
    return ((this.#marks[index] as number) & mark) !== 0;
  }

  mark(index: number, mark: number, isSet: boolean): void {
    const marks = this.#marks[index] as number;
    this.#marks[index] = isSet ? marks | mark : marks & ~mark;
  }
}

/** What few messages have. */
interface Rare {
  aborter?: AbortController;
  abortReason?: Error;
  ripeAtMs?: number;
}

/** One message of a batch. */
export class Message<Value = Fields> {
  // Private, so that they cannot be frozen, and do not appear in copies of the message's properties.
  readonly #chunk: ReadChunk<Value>;
  readonly #index: number;
  readonly #entry: StreamEntry;
  #fields: Fields | undefined;
  #value: { readonly decoded: Value } | undefined;
  #offer: Offer | undefined;
  #key: string | undefined;
  #rare: Rare | undefined;

  /** @internal */
  constructor(chunk: ReadChunk<Value>, index: number, entry: StreamEntry) {
    this.#chunk = chunk;
    this.#index = index;
    this.#entry = entry;
  }

  /** The entry's id in the stream: use it as the key to make processing idempotent. */
  get id(): EntryId {
    return this.#entry.id;
  }

  /** @internal */
  get arrival(): Arrival {
    return this.#chunk.arrival;
  }

  /** @internal The size of its payload, names included. */
  get bytes(): number {
    return payloadBytesOf(this.#entry);
  }

  /** @internal What it was read with. */
  get chunk(): ReadChunk<Value> {
    return this.#chunk;
  }

  /** @internal Which of them it is. */
  get index(): number {
    return this.#index;
  }

  /** @internal */
  get entry(): StreamEntry {
    return this.#entry;
  }

  /** The stream's key. An id is unique within its stream only. */
  get stream(): string {
    return this.#chunk.keeper.stream;
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
    this.#rare ??= {};
    const rare = this.#rare;
    if (rare.aborter === undefined) {
      rare.aborter = new AbortController();
      if (rare.abortReason !== undefined) rare.aborter.abort(rare.abortReason);
    }
    return rare.aborter.signal;
  }

  /** @internal */
  abort(reason: Error): void {
    this.#rare ??= {};
    this.#rare.abortReason ??= reason;
    this.#rare.aborter?.abort(reason);
  }

  /**
   * Acknowledges it: it will not be delivered again. Returns at once; the acknowledgement is sent together with others,
   * and `batch.settled()` reports whether the server has confirmed it. It takes back a `retry()`; dead letters stay, and a second
   * call has no effect.
   */
  ack(): void {
    this.#chunk.keeper.ack(this);
  }

  /**
   * Asks for a retry: it is redelivered after `delayMs`, or after the
   * delay that the consumer's `retry` policy gives ("When is a message redelivered?" in the package's README). Returns at
   * once. A message that already has an outcome keeps it.
   *
   * @throws {UsageError} when `options` is not an object, or `delayMs` is not a number from 0 to 86,400,000
   */
  retry(options: RetryOptions = {}): void {
    this.#chunk.keeper.retry(this, options);
  }

  /**
   * Rejects it for good: the complete message is moved, with its history, into the group's dead letters. Returns at once. A
   * message that already has an outcome keeps it.
   *
   * @param reason stored with it, cut to 4,000 characters. An error becomes its name and message; other values become text.
   */
  deadLetter(reason: unknown): void {
    this.#chunk.keeper.deadLetter(this, reason);
  }

  /** What `JSON.stringify` makes of it: all but its payload. */
  toJSON(): { readonly stream: string; readonly id: EntryId; readonly deliveries: number; readonly bytes: number } {
    const { stream, id, deliveries, bytes } = this;
    return { stream, id, deliveries, bytes };
  }

  /** @internal */
  [INSPECT](depth: number, options: InspectContext): string {
    return showAs("Message", { ...this.toJSON() }, depth, options);
  }

  /** @internal */
  get state(): MessageState {
    return this.#chunk.stateAt(this.#index);
  }

  /** @internal */
  set state(value: MessageState) {
    this.#chunk.setState(this.#index, value);
  }

  /** @internal Until this moment it may only be delivered together with new messages. */
  get ripeAtMs(): number {
    return this.#rare?.ripeAtMs ?? this.arrival.ripeAtMs;
  }

  /** @internal */
  set ripeAtMs(value: number) {
    this.#rare ??= {};
    this.#rare.ripeAtMs = value;
  }

  /** @internal Whether it is offered alone, and not while another message like it is being processed. */
  get isSuspect(): boolean {
    return this.#chunk.isMarked(this.#index, SUSPECT);
  }

  /** @internal */
  set isSuspect(value: boolean) {
    this.#chunk.mark(this.#index, SUSPECT, value);
  }

  /** @internal Whether the application has asked for a retry. */
  get isRetried(): boolean {
    return this.#chunk.isMarked(this.#index, RETRIED);
  }

  /** @internal */
  set isRetried(value: boolean) {
    this.#chunk.mark(this.#index, RETRIED, value);
  }

  /** @internal Whether it was released: any consumer may claim it. */
  get isLetGo(): boolean {
    return this.#chunk.isMarked(this.#index, LET_GO);
  }

  /** @internal */
  set isLetGo(value: boolean) {
    this.#chunk.mark(this.#index, LET_GO, value);
  }

  /** @internal Whether it was lost while the application was processing it, before it had an outcome. */
  get wasTakenAtWork(): boolean {
    return this.#chunk.isMarked(this.#index, TAKEN_AT_WORK);
  }

  /** @internal */
  set wasTakenAtWork(value: boolean) {
    this.#chunk.mark(this.#index, TAKEN_AT_WORK, value);
  }

  /** @internal Whether the application has deferred it for longer than messages stay in memory. */
  get isDeferredForLong(): boolean {
    return this.#chunk.isMarked(this.#index, DEFERRED_FOR_LONG);
  }

  /** @internal */
  set isDeferredForLong(value: boolean) {
    this.#chunk.mark(this.#index, DEFERRED_FOR_LONG, value);
  }

  /** @internal Whether a renewal has found that another consumer has it, or has finished it, while its outcome waited to be sent. */
  get isDoubtful(): boolean {
    return this.#chunk.isMarked(this.#index, DOUBTFUL);
  }

  /** @internal */
  set isDoubtful(value: boolean) {
    this.#chunk.mark(this.#index, DOUBTFUL, value);
  }

  /** @internal How it was delivered to the handler. */
  get offer(): Offer | undefined {
    return this.#offer;
  }

  /** @internal */
  set offer(value: Offer | undefined) {
    this.#offer = value;
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
    const codec: Decoder<unknown> = this.#chunk.keeper.codec;
    // What the default codec makes of the fields is there already, or can be had without a Buffer for each of them.
    if (codec === fieldsCodec) return this.fields as Value;
    return guardPayload("decoding", () => this.#chunk.keeper.codec.decode(this.raw));
  }
}
