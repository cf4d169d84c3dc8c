/** A batch as the application sees it, and the result of each of its messages. */
import { randomBytes } from "node:crypto";
import { type EntryId, type Fields, UsageError } from "@redis-batch/core";
import type { BatchReason } from "./events.ts";
import type { Message } from "./message.ts";

/** A partition that a consumer owns. */
export interface OwnedPartition {
  /** Which one, from 0. */
  readonly partition: number;
  /** Higher than those of all who owned it before: what they still do can be told from what this one does. */
  readonly token: number;
}

/** The result of each message of a batch, in the order of the batch. */
export interface Settlement {
  /** The server has confirmed the acknowledgement: they will not be redelivered. */
  readonly acknowledged: readonly EntryId[];
  /** With `retry()`, or without an outcome when the batch ended: they are redelivered. */
  readonly retried: readonly EntryId[];
  /** Moved into the group's dead letters. */
  readonly deadLettered: readonly EntryId[];
  /** The outcome was too late: the message no longer belonged to this consumer. Another one may have processed it. */
  readonly tooLate: readonly EntryId[];
  /** Without an outcome so far; they are redelivered unless they get one before the batch ends. */
  readonly open: readonly EntryId[];
}

// No two processes have the same, and no two batches of a process the same number.
const PROCESS = randomBytes(6).toString("hex");
let batches = 0;

/** Messages that are delivered to the handler together. Each has its own outcome. */
export class Batch<Value = Fields> implements Iterable<Message<Value>> {
  /** Names it in logs and events, such as `3f9a1c2b4d5e-17`. A message that is redelivered comes in a batch with another id. */
  readonly id: string = `${PROCESS}-${++batches}`;
  /** In stream order. The array is a copy: changing it does not change the batch. */
  readonly messages: readonly Message<Value>[];
  /** The key of the stream that all its messages are from. `null`: it is empty, and the consumer reads several streams. */
  readonly stream: string | null;
  /**
   * The partition that all its messages are from, and the token of this consumer's ownership of it: a later owner has a higher one, so a
   * sink that refuses lower tokens than it has seen refuses who has lost the partition without knowing. `null`: the stream has no
   * partitions.
   */
  readonly partition: OwnedPartition | null;
  /** Why it was delivered now. */
  readonly reason: BatchReason;
  readonly #messages: readonly Message<Value>[];
  readonly #whenOutcomesAreThrough: () => Promise<void>;
  readonly #hasKeys: boolean;

  /** @internal */
  constructor(
    messages: readonly Message<Value>[],
    {
      stream,
      reason,
      owned,
    }: { readonly stream: string | null; readonly reason: BatchReason; readonly owned?: OwnedPartition | undefined },
    whenOutcomesAreThrough: () => Promise<void>,
    hasKeys = false,
  ) {
    this.messages = [...messages];
    this.#messages = messages;
    this.stream = stream;
    this.partition = owned === undefined ? null : { partition: owned.partition, token: owned.token };
    this.reason = reason;
    this.#whenOutcomesAreThrough = whenOutcomesAreThrough;
    this.#hasKeys = hasKeys;
  }

  /** Number of messages; 0 only from `fetch()`, if none arrived within the wait. */
  get size(): number {
    return this.#messages.length;
  }

  [Symbol.iterator](): Iterator<Message<Value>> {
    return this.#messages[Symbol.iterator]();
  }

  /**
   * The messages of each key, in stream order; those without a key under `null`.
   *
   * @throws {UsageError} when the consumer has no `orderBy`
   */
  byKey(): Map<string | null, Message<Value>[]> {
    if (!this.#hasKeys) throw new UsageError("byKey() needs keys: give the consumer the option orderBy");
    const byKey = new Map<string | null, Message<Value>[]>();
    for (const message of this.#messages) {
      const key = message.key ?? null;
      const some = byKey.get(key);
      if (some === undefined) byKey.set(key, [message]);
      else some.push(message);
    }
    return byKey;
  }

  /** Acknowledges every message that has no outcome yet. A message with `retry()` is still redelivered. */
  ack(): void {
    for (const message of this.#messages) if (!message.isRetried) message.ack();
  }

  /**
   * Waits until the server has confirmed every outcome so far, and returns the result of each message. Does not end the
   * batch: more outcomes may follow.
   */
  async settled(): Promise<Settlement> {
    await this.#whenOutcomesAreThrough();
    const settlement = {
      acknowledged: [] as EntryId[],
      retried: [] as EntryId[],
      deadLettered: [] as EntryId[],
      tooLate: [] as EntryId[],
      open: [] as EntryId[],
    };
    for (const message of this.#messages) settlement[END[message.state]].push(message.id);
    return settlement;
  }
}

const END = {
  acknowledged: "acknowledged",
  returned: "retried",
  deadLettered: "deadLettered",
  tooLate: "tooLate",
  offered: "open",
  // Only reached if the consumer was closed before the server answered.
  acking: "open",
  deadLettering: "open",
  buffered: "open",
} as const satisfies Record<Message<unknown>["state"], keyof Settlement>;
