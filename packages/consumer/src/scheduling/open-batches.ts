/** The batches that the application is working on: handed over and not ended. */

import { Batch } from "../batch.ts";
import type { PullMode } from "../decisions/redelivery.ts";
import { type BatchTrace, followBatch } from "../instrumentation.ts";
import type { Message } from "../message.ts";
import type { Scope } from "../scope.ts";
import type { OutcomeRouter } from "../settling/outcome-router.ts";
import type { RedeliveryScheduler } from "../settling/redelivery-scheduler.ts";
import type { Releaser } from "../settling/releaser.ts";
import type { SinkWatch } from "./sink-watch.ts";
import type { Collected } from "./waiting-calls.ts";

export interface OpenBatch<Value> {
  readonly batch: Batch<Value>;
  /** All its messages, whatever the application does with its own list. */
  readonly messages: readonly Message<Value>[];
  readonly mode: PullMode;
  /** Aborts when the time to finish is over. */
  readonly signal: AbortSignal;
  /** What follows it; `undefined`: nothing. */
  readonly trace: BatchTrace | undefined;
}

export interface OpenBatchesParts<Value> {
  readonly redeliveries: RedeliveryScheduler<Value>;
  readonly releaser: Releaser<Value>;
  readonly sinkWatch: SinkWatch;
  readonly outcomes: Pick<OutcomeRouter<Value>, "whenThrough">;
}

interface Opened {
  readonly aborter: AbortController;
  readonly atMs: number;
  /** Whether it is the single attempt that is made while everything fails. */
  readonly isProbe: boolean;
  /** Whether it has been open for longer than `maxHoldMs`. */
  isHung: boolean;
}

/** How long a batch takes, as long as nothing is known: far too long for reading far ahead. */
const UNKNOWN_MS = 1_000;
/** How much of it is left after a batch that was quick: a single quick batch says little about the next ones. */
const SLOWLY = 0.9;

export class OpenBatches<Value> {
  readonly #scope: Scope<Value>;
  readonly #parts: OpenBatchesParts<Value>;
  readonly #open = new Map<OpenBatch<Value>, Opened>();
  #endedMs = 0;
  #lastDurationMs = 0;
  #slowMs = UNKNOWN_MS;
  #isFetchedAbandoned = false;
  #whenOneEnds = (): void => {};

  constructor(scope: Scope<Value>, parts: OpenBatchesParts<Value>) {
    this.#scope = scope;
    this.#parts = parts;
  }

  get isAny(): boolean {
    return this.#open.size > 0;
  }

  /** How many batches are open. */
  get size(): number {
    return this.#open.size;
  }

  /** Whether the single attempt is under way that is made while everything fails. One that hangs does not block the next. */
  get isProbing(): boolean {
    return [...this.#open.values()].some(({ isProbe, isHung }) => isProbe && !isHung);
  }

  /** How many batches have been open for longer than `maxHoldMs`. */
  get hung(): number {
    let hung = 0;
    for (const { isHung } of this.#open.values()) if (isHung) hung++;
    return hung;
  }

  /** How long the oldest batch has been open, in milliseconds; `null` if none is open. */
  get oldestMs(): number | null {
    const [first] = this.#open.values();
    return first === undefined ? null : this.#scope.clock.nowMs() - first.atMs;
  }

  /** How long a batch takes, in milliseconds: the longer of the last one that ended and the oldest open one. */
  get durationMs(): number {
    return Math.max(this.#lastDurationMs, this.oldestMs ?? 0);
  }

  /** How long a batch takes at most, by those of late: it rises at once, and falls slowly. */
  get mostDurationMs(): number {
    return Math.max(this.#slowMs, this.oldestMs ?? 0);
  }

  /**
   * Marks the batches that were handed over before this time as hung and aborts their signals → messages without an outcome.
   * A handler of a loop must return in time. A caller of `fetch()` only has to give each message an outcome.
   */
  hangBefore(atMs: number, reason: Error): readonly Message<Value>[] {
    const unsettled: Message<Value>[] = [];
    for (const [open, opened] of this.#open) {
      if (opened.isHung || opened.atMs > atMs) continue;
      const rest = open.messages.filter((message) => message.state === "offered");
      const isSettled = rest.length === 0 && !open.messages.some(({ wasTakenAtWork }) => wasTakenAtWork);
      if (isSettled && open.mode === "fetch") continue;
      opened.isHung = true;
      opened.aborter.abort(reason);
      open.trace?.failed(reason);
      unsettled.push(...rest);
    }
    return unsettled;
  }

  /** How many messages are in all of them. */
  get messages(): number {
    let messages = 0;
    for (const { messages: some } of this.#open.keys()) messages += some.length;
    return messages;
  }

  /** How long all batches so far have been open, in milliseconds, summed over the batches. Never shrinks. */
  get busyMs(): number {
    const nowMs = this.#scope.clock.nowMs();
    let busyMs = this.#endedMs;
    for (const { atMs } of this.#open.values()) busyMs += nowMs - atMs;
    return Math.round(busyMs);
  }

  /** Hands collected messages over. */
  hand({ messages, reason, redelivered }: Collected<Value>, mode: PullMode): OpenBatch<Value> {
    const { clock, policy, report, owned } = this.#scope;
    const { outcomes, sinkWatch } = this.#parts;
    const aborter = new AbortController();
    const { stream } = policy;
    const hasKeys = this.#scope.order !== undefined;
    const batch = new Batch(messages, { stream, reason, owned }, () => outcomes.whenThrough(messages), hasKeys);
    // Nothing in an empty batch has to be waited for, or followed.
    const trace = messages.length === 0 ? undefined : this.#follow(batch, mode);
    const open = { batch, messages, mode, signal: aborter.signal, trace };
    if (messages.length > 0) {
      const isProbe = mode === "loop" && sinkWatch.isBackingOff;
      this.#open.set(open, { aborter, atMs: clock.nowMs(), isProbe, isHung: false });
      report({ type: "batch", batchId: batch.id, messages: messages.length, redelivered, reason });
    }
    return open;
  }

  #follow(batch: Batch<Value>, mode: PullMode): BatchTrace | undefined {
    const { clock, policy } = this.#scope;
    const { instrumentation, group, name: consumer } = policy;
    if (instrumentation === undefined) return undefined;
    let firstMs = Number.POSITIVE_INFINITY;
    for (const { arrival } of batch) firstMs = Math.min(firstMs, arrival.arrivedAtMs);
    const waitedMs = clock.nowMs() - firstMs;
    return followBatch(instrumentation, batch, { group, consumer, waitedMs, isFetched: mode === "fetch" });
  }

  /**
   * Ends a batch: messages without an outcome are redelivered, or go to the dead letters after `maxDeliveries`. Idempotent.
   *
   * @param failure what went wrong with the batch; `""` if nothing did
   * @param isSaid whether the handler said how it went; if not, the delivery does not count
   */
  end(open: OpenBatch<Value>, failure = "", isSaid = true): void {
    const opened = this.#open.get(open);
    if (opened === undefined) return;
    this.#open.delete(open);
    const { redeliveries, sinkWatch } = this.#parts;
    const { messages } = open;
    const unsettled = messages.filter((message) => message.state === "offered");
    if (unsettled.length > 0) {
      const isCounted = isSaid && sinkWatch.isCounting;
      const isOwn = unsettled.length === 1;
      for (const message of unsettled) redeliveries.take(message, { mode: open.mode, isCounted, isOwn, text: failure });
    }
    this.#closeKeys(open);
    if (open.mode === "loop" && isSaid) sinkWatch.batchEnded(messages);
    const durationMs = this.#scope.clock.nowMs() - opened.atMs;
    this.#endedMs += durationMs;
    this.#lastDurationMs = durationMs;
    this.#slowMs = Math.max(durationMs, this.#slowMs * SLOWLY);
    open.trace?.ended();
    const { id: batchId } = open.batch;
    this.#scope.report({
      ...{ type: "batchEnded", batchId, messages: messages.length, unsettled: unsettled.length, durationMs },
    });
    this.#whenOneEnds();
    this.#scope.signals.batchEnded.raise();
  }

  /** What a handler that hangs was given up may be offered again, and keeps nothing else from it. */
  closeHungKeys(): void {
    for (const [open, { isHung }] of this.#open) if (isHung) this.#closeKeys(open);
  }

  /** The keys of its messages may be in other batches, because it has ended or hangs. */
  #closeKeys({ messages }: OpenBatch<Value>): void {
    const offer = messages[0]?.offer;
    if (offer !== undefined) this.#scope.held.closeBatch(offer);
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

  /** Whether a batch of `fetch()` was ended while it had messages without an outcome: its caller may still be at work. */
  get isFetchedAbandoned(): boolean {
    return this.#isFetchedAbandoned;
  }

  /** Ends all batches and aborts their signals → how many messages had no outcome. */
  abandon(reason: Error): number {
    let abandoned = 0;
    for (const [open, { aborter }] of this.#open) {
      const unsettled = open.messages.filter((message) => message.state === "offered");
      abandoned += unsettled.length;
      if (open.mode === "fetch" && unsettled.length > 0) this.#isFetchedAbandoned = true;
      aborter.abort(reason);
      open.trace?.failed(reason);
      for (const message of open.messages) message.abort(reason);
      // They have not failed, so any other consumer may work on them at once.
      for (const message of unsettled) this.#parts.releaser.release(message, "draining", { isUncounted: false });
      this.end(open, "", false);
    }
    return abandoned;
  }
}
