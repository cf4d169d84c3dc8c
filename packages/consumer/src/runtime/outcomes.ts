/** Takes the outcomes that the application gives its messages, and has each carried out that can still have one. */
import { type Codec, type LifecycleState, UsageError } from "@redis-batch/core/internal";
import type { ConsumerEvent } from "../events.ts";
import type { Message, MessageKeeper, RetryOptions } from "../message.ts";
import type { Acknowledger } from "./acknowledger.ts";
import type { Custody } from "./custody.ts";
import type { Returns } from "./returns.ts";
import type { SinkWatch } from "./sink-watch.ts";
import type { Undertaker } from "./undertaker.ts";

const LONGEST_RETRY_MS = 86_400_000;

export interface OutcomesContext<Value> {
  readonly policy: { readonly codec: Codec<Value> };
  readonly custody: Custody<Value>;
  readonly acknowledger: Acknowledger<Value>;
  readonly undertaker: Undertaker<Value>;
  readonly returns: Returns<Value>;
  readonly sinkWatch: SinkWatch;
  readonly state: () => LifecycleState;
  readonly report: (event: ConsumerEvent) => void;
}

export class Outcomes<Value> implements MessageKeeper<Value> {
  readonly codec: Codec<Value>;
  readonly #context: OutcomesContext<Value>;

  constructor(context: OutcomesContext<Value>) {
    this.codec = context.policy.codec;
    this.#context = context;
  }

  ack(message: Message<Value>): void {
    if (this.#isOpen(message)) this.#context.acknowledger.add(message);
  }

  deadLetter(message: Message<Value>, reason: string): void {
    if (!this.#isOpen(message)) return;
    this.#context.undertaker.add({ id: message.id, message, why: "rejected", text: reason });
  }

  retry(message: Message<Value>, { delayMs, reason = "" }: RetryOptions): void {
    if (delayMs !== undefined && !(delayMs >= 0 && delayMs <= LONGEST_RETRY_MS)) {
      throw new UsageError(`retry: delayMs must be a number from 0 to ${LONGEST_RETRY_MS}, got ${String(delayMs)}`);
    }
    // What was returned comes again anyway.
    if (message.state !== "offered" || message.offer === undefined) return;
    const { returns, sinkWatch } = this.#context;
    const isCounted = sinkWatch.isCounting;
    if (!isCounted) void returns.uncount([message.id]);
    returns.take(message, { mode: message.offer.mode, delayMs, isCounted, text: reason });
  }

  /** Whether the message can still have an outcome; one that comes too late is reported. */
  #isOpen(message: Message<Value>): boolean {
    if (message.state !== "offered" && message.state !== "returned") return false;
    const { custody, state, report } = this.#context;
    if (custody.isCurrent(message)) {
      // Late, after its batch had ended, but before it was delivered again: as good as in time.
      if (message.state === "returned") custody.resume(message);
      return true;
    }
    message.state = "lost";
    report({ type: "lost", ids: [message.id], why: state() === "closed" ? "closed" : "superseded" });
    return false;
  }
}
