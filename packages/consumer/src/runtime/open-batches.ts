/** The batches in the application's hands: handed over, and not ended yet. */
import type { Clock } from "@redis-batch/core/internal";
import { Batch } from "../batch.ts";
import type { PullMode } from "../decisions/redelivery.ts";
import type { ConsumerEvent } from "../events.ts";
import type { Message } from "../message.ts";
import type { Collected } from "./collector.ts";
import type { Returns } from "./returns.ts";
import type { SinkWatch } from "./sink-watch.ts";

export interface OpenBatch<Value> {
  readonly batch: Batch<Value>;
  readonly mode: PullMode;
  /** Aborts when the time to finish is over. */
  readonly signal: AbortSignal;
}

export interface OpenBatchesContext<Value> {
  readonly returns: Returns<Value>;
  readonly sinkWatch: SinkWatch;
  readonly clock: Clock;
  readonly report: (event: ConsumerEvent) => void;
  readonly whenOutcomesAreThrough: (messages: readonly Message<Value>[]) => Promise<void>;
}

interface Opened {
  readonly aborter: AbortController;
  readonly atMs: number;
}

export class OpenBatches<Value> {
  readonly #context: OpenBatchesContext<Value>;
  readonly #open = new Map<OpenBatch<Value>, Opened>();
  #endedMs = 0;
  #whenOneEnds = (): void => {};

  constructor(context: OpenBatchesContext<Value>) {
    this.#context = context;
  }

  get isAny(): boolean {
    return this.#open.size > 0;
  }

  /** Whether one of them has a message of which this holds. */
  has(holds: (message: Message<Value>) => boolean): boolean {
    for (const { batch } of this.#open.keys()) if (batch.messages.some(holds)) return true;
    return false;
  }

  /** Messages in all of them. */
  get messages(): number {
    let messages = 0;
    for (const { batch } of this.#open.keys()) messages += batch.size;
    return messages;
  }

  /** How long batches were in the application's hands so far, in milliseconds, each counted by itself. Never shrinks. */
  get busyMs(): number {
    const nowMs = this.#context.clock.nowMs();
    let busyMs = this.#endedMs;
    for (const { atMs } of this.#open.values()) busyMs += nowMs - atMs;
    return Math.round(busyMs);
  }

  /** Hands collected messages over. */
  hand({ messages, reason, redelivered }: Collected<Value>, mode: PullMode): OpenBatch<Value> {
    const { clock, report, whenOutcomesAreThrough } = this.#context;
    const aborter = new AbortController();
    const offer = { mode, atMs: clock.nowMs() };
    for (const message of messages) {
      message.state = "offered";
      message.offer = offer;
    }
    const open = { batch: new Batch(messages, reason, whenOutcomesAreThrough), mode, signal: aborter.signal };
    // There is nothing in an empty batch that could be waited for.
    if (messages.length > 0) {
      this.#open.set(open, { aborter, atMs: offer.atMs });
      report({ type: "batch", messages: messages.length, redelivered, reason });
    }
    return open;
  }

  /**
   * Ends a batch: what has no outcome comes again, or goes to the dead letters when it came often enough. Idempotent.
   *
   * @param failure what went wrong with the batch, if anything
   * @param isSaid whether the handler has said how it went; when not, being offered does not count for the messages
   */
  end(open: OpenBatch<Value>, failure = "", isSaid = true): void {
    const opened = this.#open.get(open);
    if (opened === undefined) return;
    this.#open.delete(open);
    const { returns, sinkWatch } = this.#context;
    const { messages } = open.batch;
    const unsettled = messages.filter((message) => message.state === "offered");
    const isCounted = isSaid && sinkWatch.isCounting;
    if (!isCounted && unsettled.length > 0) void returns.uncount(unsettled.map(({ id }) => id));
    for (const message of unsettled) returns.take(message, { mode: open.mode, isCounted, text: failure });
    if (open.mode === "loop" && isSaid) sinkWatch.batchEnded(messages);
    const durationMs = this.#context.clock.nowMs() - opened.atMs;
    this.#endedMs += durationMs;
    this.#context.report({ type: "batchEnded", messages: open.batch.size, unsettled: unsettled.length, durationMs });
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
      for (const message of open.batch) message.abort(reason);
      this.end(open);
    }
    return abandoned;
  }
}
