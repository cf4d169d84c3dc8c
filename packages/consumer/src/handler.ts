import { describeShape, type Fields, letGoOfParts, UsageError } from "@redis-batch/core/internal";
import type { Batch } from "./batch.ts";
import { decideSettlement, type NamedOutcomes } from "./decisions/settlement.ts";
import { assertRetryDelay, type Message, type RetryOptions } from "./message.ts";

/**
 * What a handler may return instead of calling `ack()`, `retry()` and `deadLetter()`. A message stands in one place at
 * most; one that has an outcome already keeps it.
 */
export interface Outcome<Value = Fields> {
  /** Done. `"rest"`: every message that has no outcome and is not named below. */
  readonly ack?: "rest" | Iterable<Message<Value>>;
  /** To be tried again: messages, or messages with their delay and reason. `"rest"` as above. */
  readonly retry?: "rest" | Iterable<Message<Value> | (RetryOptions & { readonly message: Message<Value> })>;
  /** For the dead letters, each with its reason. */
  readonly deadLetter?: Iterable<{ readonly message: Message<Value>; readonly reason: string }>;
}

export interface HandlerContext {
  /** Aborts when the time to finish is over: what the handler has not settled by then is released. */
  readonly signal: AbortSignal;
}

/**
 * Works on one batch. Messages that are acknowledged, by `message.ack()`, `batch.ack()` or the returned outcome, are
 * done; all others come again. An error thrown fails the messages without an outcome, and only them.
 */
export type Handler<Value = Fields> = (
  batch: Batch<Value>,
  context: HandlerContext,
) => Outcome<Value> | void | Promise<Outcome<Value> | void>;

/**
 * Carries out what a handler returned: all of it, or nothing when it is wrong. A handler may return something for reasons
 * of its own, rows or the results of a `Promise.all`: what is no outcome is ignored when every message has one.
 *
 * @throws {UsageError} while messages are without an outcome: when it is no outcome, or names something unknown, a
 * message of another batch, or one message twice
 */
export function applyOutcome<Value>(messages: readonly Message<Value>[], returned: unknown): void {
  if (returned === undefined || returned === null) return;
  // Promises that nobody waits for, as of `messages.map(async …)`: the way they end must not end the process.
  letGoOfParts(returned);
  const open = messages.filter((message) => message.state === "offered");
  if (open.length === 0) return;
  const settlements = decideSettlement(messages, open, namedOutcomes<Value>(returned, open.length));
  if (typeof settlements === "string") throw wrongOutcome(settlements);
  for (const message of settlements.ack) message.ack();
  for (const { message, verdict } of settlements.retry) message.retry(verdict);
  for (const { message, reason } of settlements.deadLetter) message.deadLetter(reason);
}

function namedOutcomes<Value>(returned: unknown, open: number): NamedOutcomes<Message<Value>> {
  if (typeof returned !== "object" || returned === null || Symbol.iterator in returned) {
    throw new UsageError(
      `the handler returned ${describeShape(returned)}, which says nothing of the ${open} messages without an outcome: ` +
        "call batch.ack(), or return nothing or { ack, retry, deadLetter }",
    );
  }
  const unknown = Object.keys(returned).find((name) => !["ack", "retry", "deadLetter"].includes(name));
  if (unknown !== undefined) {
    throw wrongOutcome(`it has the unknown name ${JSON.stringify(unknown)}; known: ack, retry, deadLetter`);
  }
  const { ack, retry, deadLetter } = returned as { readonly [Name in keyof Outcome<Value>]: unknown };
  if (ack === "rest" && retry === "rest") throw wrongOutcome('"rest" can be given one end only');
  return {
    ack: itemsOf("ack", ack) as readonly Message<Value>[],
    retry: itemsOf("retry", retry).map((item) => namedRetry(item)),
    deadLetter: itemsOf("deadLetter", deadLetter) as NamedOutcomes<Message<Value>>["deadLetter"],
    rest: ack === "rest" ? "ack" : retry === "rest" ? "retry" : undefined,
  };
}

/** What is named for one end. */
function itemsOf(name: keyof Outcome<unknown>, named: unknown): readonly object[] {
  if (named === undefined || (named === "rest" && name !== "deadLetter")) return [];
  if (typeof named === "object" && named !== null && Symbol.iterator in named) {
    const items = [...(named as Iterable<unknown>)];
    letGoOfParts(items);
    if (items.every((item) => typeof item === "object" && item !== null)) return items;
  }
  const rest = name === "deadLetter" ? "a list of { message, reason }" : '"rest", or a list of messages';
  throw wrongOutcome(`${name} must be ${rest}, got ${describeShape(named)}`);
}

function namedRetry<Value>(item: object): NamedOutcomes<Message<Value>>["retry"][number] {
  if (!("message" in item)) return { message: item as Message<Value>, verdict: {} };
  const { message, ...verdict } = item as RetryOptions & { readonly message: Message<Value> };
  assertRetryDelay(verdict.delayMs);
  return { message, verdict };
}

const wrongOutcome = (why: string): UsageError => new UsageError(`the handler returned a wrong outcome: ${why}`);
