/** What a handler of `run` gets, and how the value that it returns becomes outcomes. */
import { type Fields, UsageError } from "@redis-batch/core";
import { describeMessages, letGoOfParts } from "@redis-batch/core/internal/errors";
import { describeShape } from "@redis-batch/core/internal/messages";
import type { Batch } from "./batch.ts";
import { decideSettlement, type NamedOutcomes } from "./decisions/settlement.ts";
import { assertRetryDelay, type Message, type RetryOptions } from "./message.ts";

/**
 * What a handler may return instead of calling `ack()`, `retry()` and `deadLetter()`. Each message may appear only once; a
 * message that already has an outcome keeps it.
 */
export interface Outcome<Value = Fields> {
  /** Messages to acknowledge. `"rest"`: every message that has no outcome and is not listed below. */
  readonly ack?: "rest" | Iterable<Message<Value>>;
  /** Messages to retry, with or without a delay and a reason. `"rest"` as above. */
  readonly retry?: "rest" | Iterable<Message<Value> | (RetryOptions & { readonly message: Message<Value> })>;
  /** Messages for the dead letters, each with its reason. */
  readonly deadLetter?: Iterable<{ readonly message: Message<Value>; readonly reason: unknown }>;
}

export interface HandlerContext {
  /** Aborts when the time to finish is over: messages without an outcome are then released. */
  readonly signal: AbortSignal;
}

/**
 * Processes one batch. Messages that are acknowledged, by `message.ack()`, `batch.ack()` or the returned outcome, are
 * finished; all others are redelivered. A thrown error fails only the messages without an outcome.
 */
export type Handler<Value = Fields> = (
  batch: Batch<Value>,
  context: HandlerContext,
) => Outcome<Value> | void | Promise<Outcome<Value> | void>;

/**
 * Applies the value that a handler returned: all of it, or nothing if it is wrong. A handler may return an unrelated value,
 * such as rows or the results of a `Promise.all`: it is ignored if every message already has an outcome.
 *
 * @throws {UsageError} if messages have no outcome, and the value is not an outcome, or names something unknown, a message
 * of another batch, or one message twice
 */
export function applyOutcome<Value>(messages: readonly Message<Value>[], returned: unknown): void {
  if (returned === undefined || returned === null) return;
  // Promises that nobody awaits, as from `messages.map(async …)`: their rejection must not end the process.
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
      `the handler returned ${describeShape(returned)}, which gives no outcome to the ${describeMessages(open)} without one: ` +
        "call batch.ack(), or return nothing or { ack, retry, deadLetter }",
    );
  }
  const unknown = Object.keys(returned).find((name) => !["ack", "retry", "deadLetter"].includes(name));
  if (unknown !== undefined) {
    throw wrongOutcome(`unknown name ${JSON.stringify(unknown)}; known names: ack, retry, deadLetter`);
  }
  const { ack, retry, deadLetter } = returned as { readonly [Name in keyof Outcome<Value>]: unknown };
  if (ack === "rest" && retry === "rest") throw wrongOutcome('"rest" can only be used once');
  return {
    ack: itemsOf("ack", ack) as readonly Message<Value>[],
    retry: itemsOf("retry", retry).map((item) => namedRetry(item)),
    deadLetter: itemsOf("deadLetter", deadLetter) as NamedOutcomes<Message<Value>>["deadLetter"],
    rest: ack === "rest" ? "ack" : retry === "rest" ? "retry" : undefined,
  };
}

/** The messages that are listed for one outcome. */
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
