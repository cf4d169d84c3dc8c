import { UsageError } from "@redis-batch/core";
import type { Batch } from "./batch.ts";
import type { Message } from "./message.ts";

/** What a handler may return instead of calling `ack()`. */
export interface Outcome<Value> {
  /** `"rest"`: every message without an outcome so far. Or just these. */
  readonly ack?: "rest" | Iterable<Message<Value>>;
}

export interface HandlerContext {
  /** Aborts when the time to finish is over: what the handler has not acknowledged by then is given back. */
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
 * Carries out what a handler returned.
 *
 * @throws {UsageError} when it names something unknown, or a message of another batch
 */
export function applyOutcome<Value>(batch: Batch<Value>, outcome: Outcome<Value>): void {
  const unknown = Object.keys(outcome).find((name) => name !== "ack");
  if (unknown !== undefined) {
    throw new UsageError(
      `the handler returned an outcome with the unknown name ${JSON.stringify(unknown)}; known: "ack"`,
    );
  }
  if (outcome.ack === undefined) return;
  if (outcome.ack === "rest") return batch.ack();
  const own = new Set(batch.messages);
  for (const message of outcome.ack) {
    if (!own.has(message))
      throw new UsageError("the handler returned a message to acknowledge that is not of its batch");
    message.ack();
  }
}
