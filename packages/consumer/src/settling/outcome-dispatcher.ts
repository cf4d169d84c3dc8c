/** Takes the outcomes that the application gives its messages, and has each carried out that can still have one. */
import { type Decoder, describeThrown, type LifecycleState } from "@redis-batch/core/internal";
import type { ConsumerEvent } from "../events.ts";
import { type Message, type MessageKeeper, type RetryOptions, resolveRetry } from "../message.ts";
import type { HeldMessages } from "../scheduling/held-messages.ts";
import type { SinkWatch } from "../scheduling/sink-watch.ts";
import type { Acknowledger } from "./acknowledger.ts";
import type { DeadLetterWriter } from "./dead-letter-writer.ts";
import type { Requeuer } from "./requeuer.ts";

export interface OutcomeDispatcherContext<Value> {
  readonly policy: { readonly codec: Decoder<Value> };
  readonly held: HeldMessages<Value>;
  readonly acknowledger: Acknowledger<Value>;
  readonly deadLetterWriter: DeadLetterWriter<Value>;
  readonly requeuer: Requeuer<Value>;
  readonly sinkWatch: SinkWatch;
  readonly state: () => LifecycleState;
  readonly report: (event: ConsumerEvent) => void;
}

export class OutcomeDispatcher<Value> implements MessageKeeper<Value> {
  readonly codec: Decoder<Value>;
  readonly #context: OutcomeDispatcherContext<Value>;

  constructor(context: OutcomeDispatcherContext<Value>) {
    this.codec = context.policy.codec;
    this.#context = context;
  }

  ack(message: Message<Value>): void {
    if (this.#isOpen(message)) this.#context.acknowledger.add(message);
  }

  deadLetter(message: Message<Value>, reason: string): void {
    // What was released to the group is not this consumer's to dead-letter.
    if (message.isLetGo || !this.#isOpen(message)) return;
    this.#context.deadLetterWriter.add({ id: message.id, message, why: "rejected", text: describeThrown(reason) });
  }

  retry(message: Message<Value>, options: RetryOptions): void {
    const { delayMs, reason = "" } = resolveRetry(options);
    // What was returned comes again anyway.
    if (message.state !== "offered" || message.offer === undefined) return;
    message.isRetried = true;
    const { requeuer, sinkWatch } = this.#context;
    const isCounted = sinkWatch.isCounting;
    requeuer.take(message, {
      mode: message.offer.mode,
      delayMs,
      isCounted,
      text: reason,
    });
  }

  /** Whether the message can still have an outcome; one that comes too late is reported. */
  #isOpen(message: Message<Value>): boolean {
    const { held, state, report } = this.#context;
    if (held.canSettle(message)) return true;
    if (message.state !== "offered" && message.state !== "returned") return false;
    held.markLost(message);
    report({ type: "outcomeTooLate", ids: [message.id], why: state() === "closed" ? "closed" : "superseded" });
    return false;
  }
}
