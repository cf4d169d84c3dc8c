import { UsageError } from "@redis-batch/core";
import type { Batch } from "./batch.ts";
import { decideSettlement, type NamedOutcomes } from "./decisions/settlement.ts";
import type { Message, RetryOptions } from "./message.ts";

/**
 * What a handler may return instead of calling `ack()`, `retry()` and `deadLetter()`. A message stands in one place at
 * most; one that has an outcome already keeps it.
 */
export interface Outcome<Value> {
  /** Done. `"rest"`: every message that has no outcome and is not named below. */
  readonly ack?: "rest" | Iterable<Message<Value>>;
  /** To be tried again: messages, or messages with their delay and reason. `"rest"` as above. */
  readonly retry?: "rest" | Iterable<Message<Value> | (RetryOptions & { readonly message: Message<Value> })>;
  /** For the dead letters, each with its reason. */
  readonly deadLetter?: Iterable<{ readonly message: Message<Value>; readonly reason: string }>;
}

export interface HandlerContext {
  /** Aborts when the time to finish is over: what the handler has not settled by then is given back. */
  readonly signal: AbortSignal;
}

/**
 * Works on one batch. Messages that are acknowledged, by `message.ack()`, `batch.ack()` or the returned outcome, are
 * done; all others come again. An error thrown fails the messages without an outcome, and only them.
 */
export type Handler<Value> = (
  batch: Batch<Value>,
  context: HandlerContext,
) => Outcome<Value> | void | Promise<Outcome<Value> | void>;

/**
 * Carries out what a handler returned: all of it, or nothing when it is wrong.
 *
 * @throws {UsageError} when it names something unknown, a message of another batch, or one message twice
 */
export function applyOutcome<Value>(batch: Batch<Value>, outcome: Outcome<Value>): void {
  const unknown = Object.keys(outcome).find((name) => !["ack", "retry", "deadLetter"].includes(name));
  if (unknown !== undefined) {
    throw wrongOutcome(`it has the unknown name ${JSON.stringify(unknown)}; known: ack, retry, deadLetter`);
  }
  const open = batch.messages.filter((message) => message.state === "offered");
  const settlements = decideSettlement(batch.messages, open, namedOutcomes(outcome));
  if (typeof settlements === "string") throw wrongOutcome(settlements);
  for (const message of settlements.ack) message.ack();
  for (const { message, verdict } of settlements.retry) message.retry(verdict as RetryOptions);
  for (const { message, reason } of settlements.deadLetter) message.deadLetter(reason);
}

function namedOutcomes<Value>({ ack, retry, deadLetter }: Outcome<Value>): NamedOutcomes<Message<Value>> {
  if (ack === "rest" && retry === "rest") throw wrongOutcome('"rest" can be given one end only');
  return {
    ack: ack === undefined || ack === "rest" ? [] : [...ack],
    retry: retry === undefined || retry === "rest" ? [] : [...retry].map(namedRetry),
    deadLetter: deadLetter === undefined ? [] : [...deadLetter],
    rest: ack === "rest" ? "ack" : retry === "rest" ? "retry" : undefined,
  };
}

function namedRetry<Value>(
  item: Message<Value> | (RetryOptions & { readonly message: Message<Value> }),
): NamedOutcomes<Message<Value>>["retry"][number] {
  if (!("message" in item)) return { message: item, verdict: {} };
  const { message, ...verdict } = item;
  return { message, verdict };
}

const wrongOutcome = (why: string): UsageError => new UsageError(`the handler returned a wrong outcome: ${why}`);
