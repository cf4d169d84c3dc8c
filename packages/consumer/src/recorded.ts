/**
 * Messages and batches that no consumer holds, for unit tests of a handler. They take outcomes by the rules that hold for
 * others, and only write them down.
 */
import { type Decoder, type Fields, LeaseLostError, UsageError } from "@redis-batch/core";
import { describeThrown } from "@redis-batch/core/internal/errors";
import type { StreamEntry } from "@redis-batch/core/internal/messages";
import { Batch } from "./batch.ts";
import { keyOf } from "./key-of.ts";
import { Message, type MessageKeeper, ReadChunk, type RetryOptions, resolveRetry } from "./message.ts";
import type { ConsumerPolicy } from "./options.ts";

/** What a handler has said of a message. */
export type RecordedOutcome =
  /** Nothing: the consumer would deliver it again. */
  | { readonly kind: "none" }
  | { readonly kind: "acknowledged" }
  /** `delayMs` is `undefined` where the delay is left to the consumer's `retry` policy, `reason` where none was given. */
  | { readonly kind: "retried"; readonly delayMs: number | undefined; readonly reason: string | undefined }
  | { readonly kind: "deadLettered"; readonly reason: string };

// Two copies of this package, as in a test that resets its modules, have two classes but one brand.
const RECORDED: unique symbol = Symbol.for("@redis-batch/recorded-message");

const NONE: RecordedOutcome = { kind: "none" };

/** A message that writes its outcome down. */
export class RecordedMessage<Value = Fields> extends Message<Value> {
  readonly #keeper: Recorder<Value>;

  /** @internal */
  get [RECORDED](): true {
    return true;
  }

  /** @internal */
  constructor(stream: string, entry: StreamEntry, deliveries: number, codec: Decoder<Value>) {
    const keeper = new Recorder(stream, codec);
    const arrival = { deliveries, arrivedAtMs: 0, heldSinceMs: 0, ripeAtMs: 0, epoch: 0 };
    super(new ReadChunk([entry], arrival, keeper), 0, entry);
    this.#keeper = keeper;
    this.state = "offered";
  }

  /** What the handler has said of it so far. The first word counts, except that `ack()` takes `retry()` back. */
  get outcome(): RecordedOutcome {
    return this.#keeper.outcome;
  }

  /**
   * Ends its lease, as when another consumer has taken it: its signal aborts with a `LeaseLostError`, and what the handler
   * says of it from now on comes too late.
   */
  loseLease(): void {
    if (this.state !== "offered" && this.state !== "returned") return;
    this.state = "tooLate";
    this.abort(
      new LeaseLostError(`message ${this.id} is not this consumer's any more: taken`, {
        entryId: this.id,
        loss: "taken",
      }),
    );
  }
}

class Recorder<Value> implements MessageKeeper<Value> {
  readonly stream: string;
  readonly codec: Decoder<Value>;
  outcome: RecordedOutcome = NONE;

  constructor(stream: string, codec: Decoder<Value>) {
    this.stream = stream;
    this.codec = codec;
  }

  ack(message: Message<Value>): void {
    if (message.state !== "offered" && message.state !== "returned") return;
    message.state = "acknowledged";
    this.outcome = { kind: "acknowledged" };
  }

  retry(message: Message<Value>, options: RetryOptions): void {
    const { delayMs, reason } = resolveRetry(options);
    if (message.state !== "offered") return;
    message.state = "returned";
    message.isRetried = true;
    this.outcome = { kind: "retried", delayMs, reason };
  }

  deadLetter(message: Message<Value>, reason: string): void {
    if (message.state !== "offered") return;
    message.state = "deadLettered";
    this.outcome = { kind: "deadLettered", reason: describeThrown(reason) };
  }
}

interface RecordedBatchDetails {
  readonly stream: string | null;
  /** The consumer's option: gives a key to messages that have none. */
  readonly orderBy: ConsumerPolicy<unknown>["orderBy"];
}

/** A batch of messages that write their outcomes down. */
export class RecordedBatch<Value = Fields> extends Batch<Value> {
  declare readonly messages: readonly RecordedMessage<Value>[];
  readonly #recorded: readonly RecordedMessage<Value>[];
  readonly #aborter = new AbortController();

  /** @internal */
  constructor(messages: readonly RecordedMessage<Value>[], { stream, orderBy }: RecordedBatchDetails) {
    if (orderBy !== undefined) for (const message of messages) message.key ??= keyOf(message, orderBy);
    const hasKeys = orderBy !== undefined || messages.some(({ key }) => key !== undefined);
    super(messages, { stream, reason: "entries" }, () => Promise.resolve(), hasKeys);
    this.#recorded = messages;
  }

  override [Symbol.iterator](): Iterator<RecordedMessage<Value>> {
    return this.#recorded[Symbol.iterator]();
  }

  /** What the handler has said of each message so far, in the order of the batch. */
  get outcomes(): readonly RecordedOutcome[] {
    return this.#recorded.map(({ outcome }) => outcome);
  }

  /** The signal that a handler gets with this batch. */
  get signal(): AbortSignal {
    return this.#aborter.signal;
  }

  /**
   * Aborts the handler's signal and those of the messages, as when the consumer stops and the time to finish is over.
   *
   * @param reason what the signals are aborted with; by default an error as the consumer gives it
   */
  abort(reason: Error = new UsageError("the consumer stopped: the batch was not finished in time")): void {
    this.#aborter.abort(reason);
    for (const message of this.#recorded) message.abort(reason);
  }
}

/** Whether it is one, of whichever copy of this package. */
export function isRecordedMessage(value: unknown): value is RecordedMessage<unknown> {
  return typeof value === "object" && value !== null && RECORDED in value;
}

/** Makes a message of an entry. */
export function recordMessage<Value>(
  stream: string,
  entry: StreamEntry,
  deliveries: number,
  codec: Decoder<Value>,
  key?: string,
): RecordedMessage<Value> {
  const message = new RecordedMessage(stream, entry, deliveries, codec);
  message.key = key;
  return message;
}

/**
 * Makes a batch of messages.
 *
 * @throws {PayloadError} when `orderBy` throws, or returns something else than a text or nothing
 */
export function recordBatch<Value>(
  messages: readonly RecordedMessage<Value>[],
  details: RecordedBatchDetails,
): RecordedBatch<Value> {
  return new RecordedBatch(messages, details);
}
