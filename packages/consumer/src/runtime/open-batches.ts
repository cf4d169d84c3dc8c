/** The batches in the application's hands: handed over, and not ended yet. */
import type { BackoffPolicy, Clock, Random } from "@redis-batch/core/internal";
import { Batch } from "../batch.ts";
import { decideRedelivery, type PullMode } from "../decisions/redelivery.ts";
import type { ConsumerEvent } from "../events.ts";
import type { Message } from "../message.ts";
import type { Collected } from "./collector.ts";
import type { Custody } from "./custody.ts";

export interface OpenBatch<Value> {
  readonly batch: Batch<Value>;
  readonly mode: PullMode;
  /** Aborts when the time to finish is over. */
  readonly signal: AbortSignal;
}

export interface OpenBatchesContext<Value> {
  readonly retry: BackoffPolicy;
  readonly custody: Custody<Value>;
  readonly clock: Clock;
  readonly random: Random;
  readonly report: (event: ConsumerEvent) => void;
  readonly whenAcksAreThrough: (messages: readonly Message<Value>[]) => Promise<void>;
  /** Called when messages were put off. */
  readonly onDeferred: () => void;
}

interface Opened {
  readonly aborter: AbortController;
  readonly atMs: number;
}

export class OpenBatches<Value> {
  readonly #context: OpenBatchesContext<Value>;
  readonly #open = new Map<OpenBatch<Value>, Opened>();
  #whenOneEnds = (): void => {};

  constructor(context: OpenBatchesContext<Value>) {
    this.#context = context;
  }

  /** Messages in all of them. */
  get messages(): number {
    let messages = 0;
    for (const { batch } of this.#open.keys()) messages += batch.size;
    return messages;
  }

  /** Hands collected messages over. */
  hand({ messages, reason, redelivered }: Collected<Value>, mode: PullMode): OpenBatch<Value> {
    const { clock, report, whenAcksAreThrough } = this.#context;
    const aborter = new AbortController();
    for (const message of messages) {
      message.state = "offered";
      message.batchSignal = aborter.signal;
    }
    const open = { batch: new Batch(messages, reason, whenAcksAreThrough), mode, signal: aborter.signal };
    // There is nothing in an empty batch that could be waited for.
    if (messages.length > 0) {
      this.#open.set(open, { aborter, atMs: clock.nowMs() });
      report({ type: "batch", messages: messages.length, redelivered, reason });
    }
    return open;
  }

  /** Ends a batch: what has no outcome is put off. Idempotent. */
  end(open: OpenBatch<Value>): void {
    const opened = this.#open.get(open);
    if (opened === undefined) return;
    this.#open.delete(open);
    const unsettled = this.#putOffUnsettled(open);
    const durationMs = this.#context.clock.nowMs() - opened.atMs;
    this.#context.report({ type: "batchEnded", messages: open.batch.size, unsettled, durationMs });
    if (unsettled > 0) this.#context.onDeferred();
    this.#whenOneEnds();
  }

  /** Ends every batch that `fetch()` handed over. */
  endFetched(): void {
    for (const open of this.#open.keys()) if (open.mode === "fetch") this.end(open);
  }

  /** Resolves when none is open. */
  async whenNone(): Promise<void> {
    while (this.#open.size > 0) {
      await new Promise<void>((resolve) => {
        this.#whenOneEnds = resolve;
      });
    }
  }

  /** Ends all, telling whoever is still at work why → how many messages had no outcome. */
  abandon(reason: Error): number {
    let abandoned = 0;
    for (const [open, { aborter }] of this.#open) {
      abandoned += open.batch.messages.filter((message) => message.state === "offered").length;
      aborter.abort(reason);
      this.end(open);
    }
    return abandoned;
  }

  #putOffUnsettled({ batch, mode }: OpenBatch<Value>): number {
    const { custody, clock, random, retry } = this.#context;
    const nowMs = clock.nowMs();
    let unsettled = 0;
    for (const message of batch) {
      if (message.state !== "offered") continue;
      unsettled++;
      message.state = "returned";
      // A later delivery of the same message takes care of itself.
      if (!custody.isCurrent(message)) continue;
      const { dueInMs, ripeInMs } = decideRedelivery(mode, message.deliveries, retry, random);
      custody.putOff(message, nowMs + dueInMs, nowMs + ripeInMs);
    }
    return unsettled;
  }
}
