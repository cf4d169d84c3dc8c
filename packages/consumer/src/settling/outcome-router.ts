/** Takes each `ack()`, `retry()` and `deadLetter()`, and passes it on to the part that carries it out, unless it is too late. */
import type { Decoder } from "@redis-batch/core";
import { describeThrown } from "@redis-batch/core/internal/errors";
import { type Message, type MessageKeeper, type RetryOptions, resolveRetry } from "../message.ts";
import type { SinkWatch } from "../scheduling/sink-watch.ts";
import type { Scope } from "../scope.ts";
import type { Acknowledger } from "./acknowledger.ts";
import type { DeadLetterWriter } from "./dead-letter-writer.ts";
import type { RedeliveryScheduler } from "./redelivery-scheduler.ts";

export interface OutcomeParts<Value> {
  readonly acknowledger: Acknowledger<Value>;
  readonly deadLetterWriter: DeadLetterWriter<Value>;
  readonly redeliveries: RedeliveryScheduler<Value>;
  readonly sinkWatch: SinkWatch;
}

export class OutcomeRouter<Value> implements MessageKeeper<Value> {
  readonly codec: Decoder<Value>;
  readonly stream: string;
  readonly #scope: Scope<Value>;
  readonly #parts: OutcomeParts<Value>;

  constructor(scope: Scope<Value>, parts: OutcomeParts<Value>) {
    this.codec = scope.policy.codec;
    this.stream = scope.policy.stream;
    this.#scope = scope;
    this.#parts = parts;
  }

  ack(message: Message<Value>): void {
    if (!this.#isOpen(message)) return;
    const { order, report } = this.#scope;
    const after = order?.unsettledBefore(message);
    this.#parts.acknowledger.add(message);
    if (after !== undefined) report({ type: "outOfOrder", id: message.id, after });
  }

  deadLetter(message: Message<Value>, reason: unknown): void {
    // A message with `retry()` has its outcome, and a released one is no longer this consumer's to dead-letter.
    if (message.isRetried || message.isLetGo || !this.#isOpen(message)) return;
    this.#parts.deadLetterWriter.add({ id: message.id, message, why: "rejected", text: describeThrown(reason) });
  }

  retry(message: Message<Value>, options: RetryOptions): void {
    const { delayMs, reason = "" } = resolveRetry(options);
    // A returned message is redelivered anyway.
    if (message.state !== "offered" || message.offer === undefined) return;
    message.isRetried = true;
    const { redeliveries, sinkWatch } = this.#parts;
    redeliveries.take(message, {
      mode: message.offer.mode,
      delayMs,
      isCounted: sinkWatch.isCounting,
      isOwn: true,
      text: reason,
    });
  }

  /** Resolves when the server has answered for every outcome of these messages so far. */
  async whenThrough(messages: readonly Message<Value>[]): Promise<void> {
    const { acknowledger, deadLetterWriter } = this.#parts;
    await acknowledger.whenThrough(messages);
    await deadLetterWriter.whenThrough(messages);
  }

  /** Whether the message can still get an outcome. Reports one that comes too late. */
  #isOpen(message: Message<Value>): boolean {
    const { held, lifecycle, report } = this.#scope;
    if (held.canSettle(message)) return true;
    if (message.state !== "offered" && message.state !== "returned") return false;
    held.markLost(message);
    report({ type: "outcomeTooLate", ids: [message.id], why: lifecycle.state === "closed" ? "closed" : "superseded" });
    return false;
  }
}
