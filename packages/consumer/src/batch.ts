import type { EntryId, Fields } from "@redis-batch/core";
import type { BatchReason } from "./events.ts";
import type { Message } from "./message.ts";

/** What has become of each message of a batch, in the order of the batch. */
export interface Settlement {
  /** The server has the acknowledgement: they will not come again. */
  readonly acknowledged: readonly EntryId[];
  /** Sent back by `retry()`, or without an outcome when the batch ended: they come again. */
  readonly retried: readonly EntryId[];
  /** Moved into the group's dead letters. */
  readonly deadLettered: readonly EntryId[];
  /** Settled too late: the message was no longer this consumer's. It may have been, or be, worked on elsewhere. */
  readonly tooLate: readonly EntryId[];
  /** Without an outcome so far; they come again unless they get one before the batch ends. */
  readonly open: readonly EntryId[];
}

/** Messages handed over together. Each has an outcome of its own. */
export class Batch<Value = Fields> implements Iterable<Message<Value>> {
  /** In stream order. A list of your own: what you take from it stays in the batch. */
  readonly messages: readonly Message<Value>[];
  /** Why it was handed over now. */
  readonly reason: BatchReason;
  readonly #messages: readonly Message<Value>[];
  readonly #whenOutcomesAreThrough: () => Promise<void>;

  /** @internal */
  constructor(messages: readonly Message<Value>[], reason: BatchReason, whenOutcomesAreThrough: () => Promise<void>) {
    this.messages = [...messages];
    this.#messages = messages;
    this.reason = reason;
    this.#whenOutcomesAreThrough = whenOutcomesAreThrough;
  }

  /** How many messages there are; 0 only from `fetch()`, when there was nothing within the wait. */
  get size(): number {
    return this.#messages.length;
  }

  [Symbol.iterator](): Iterator<Message<Value>> {
    return this.#messages[Symbol.iterator]();
  }

  /** Acknowledges the rest: every message that has no outcome yet. One that was given `retry()` comes again. */
  ack(): void {
    for (const message of this.#messages) if (!message.isRetried) message.ack();
  }

  /**
   * Waits until the server has answered for every outcome recorded so far, and tells what has become of each
   * message. Does not end the batch: outcomes may follow.
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
  // Not reached once the outcomes are through, unless the consumer was closed before the server answered.
  acking: "open",
  deadLettering: "open",
  buffered: "open",
} as const satisfies Record<Message<unknown>["state"], keyof Settlement>;
