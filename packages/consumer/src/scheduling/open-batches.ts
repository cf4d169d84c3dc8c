/** The batches in the application's hands: handed over, and not ended yet. */

import { Batch } from "../batch.ts";
import type { PullMode } from "../decisions/redelivery.ts";
import type { Message } from "../message.ts";
import type { Scope } from "../scope.ts";
import type { OutcomeDispatcher } from "../settling/outcome-dispatcher.ts";
import type { Releaser } from "../settling/releaser.ts";
import type { Requeuer } from "../settling/requeuer.ts";
import type { SinkWatch } from "./sink-watch.ts";
import type { Collected } from "./waiting-calls.ts";

export interface OpenBatch<Value> {
  readonly batch: Batch<Value>;
  /** All that are in it, whatever the application does with what it got. */
  readonly messages: readonly Message<Value>[];
  readonly mode: PullMode;
  /** Aborts when the time to finish is over. */
  readonly signal: AbortSignal;
}

export interface OpenBatchesParts<Value> {
  readonly requeuer: Requeuer<Value>;
  readonly releaser: Releaser<Value>;
  readonly sinkWatch: SinkWatch;
  readonly outcomes: Pick<OutcomeDispatcher<Value>, "whenThrough">;
}

interface Opened {
  readonly aborter: AbortController;
  readonly atMs: number;
  /** Whether it was the one attempt made while everything fails. */
  readonly isProbe: boolean;
  /** Whether it has been open for longer than it may be. */
  isHung: boolean;
}

export class OpenBatches<Value> {
  readonly #scope: Scope<Value>;
  readonly #parts: OpenBatchesParts<Value>;
  readonly #open = new Map<OpenBatch<Value>, Opened>();
  #endedMs = 0;
  #lastDurationMs = 0;
  #whenOneEnds = (): void => {};

  constructor(scope: Scope<Value>, parts: OpenBatchesParts<Value>) {
    this.#scope = scope;
    this.#parts = parts;
  }

  get isAny(): boolean {
    return this.#open.size > 0;
  }

  /** Whether an attempt is under way, made while everything fails. One that hangs holds up no other. */
  get isProbing(): boolean {
    return [...this.#open.values()].some(({ isProbe, isHung }) => isProbe && !isHung);
  }

  /** Batches that have been open for longer than they may be. */
  get hung(): number {
    let hung = 0;
    for (const { isHung } of this.#open.values()) if (isHung) hung++;
    return hung;
  }

  /** How long the oldest of them has been open, in milliseconds; `null` when there is none. */
  get oldestMs(): number | null {
    const [first] = this.#open.values();
    return first === undefined ? null : this.#scope.clock.nowMs() - first.atMs;
  }

  /** How long a batch takes: the last one that ended, or the oldest that is open, whichever is longer. */
  get durationMs(): number {
    return Math.max(this.#lastDurationMs, this.oldestMs ?? 0);
  }

  /**
   * Marks those that were handed over before this moment, and tells who is still at work why → messages without an outcome.
   * In a loop the handler itself hangs; a caller of `fetch()` has until its next call, if all is settled.
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
      unsettled.push(...rest);
    }
    return unsettled;
  }

  /** Messages in all of them. */
  get messages(): number {
    let messages = 0;
    for (const { messages: some } of this.#open.keys()) messages += some.length;
    return messages;
  }

  /** How long batches were in the application's hands so far, in milliseconds, each counted by itself. Never shrinks. */
  get busyMs(): number {
    const nowMs = this.#scope.clock.nowMs();
    let busyMs = this.#endedMs;
    for (const { atMs } of this.#open.values()) busyMs += nowMs - atMs;
    return Math.round(busyMs);
  }

  /** Hands collected messages over. */
  hand({ messages, reason, redelivered }: Collected<Value>, mode: PullMode): OpenBatch<Value> {
    const { clock, report } = this.#scope;
    const { outcomes, sinkWatch } = this.#parts;
    const aborter = new AbortController();
    const batch = new Batch(messages, reason, () => outcomes.whenThrough(messages));
    const open = { batch, messages, mode, signal: aborter.signal };
    // There is nothing in an empty batch that could be waited for.
    if (messages.length > 0) {
      const isProbe = mode === "loop" && sinkWatch.isBackingOff;
      this.#open.set(open, { aborter, atMs: clock.nowMs(), isProbe, isHung: false });
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
    const { requeuer, sinkWatch } = this.#parts;
    const { messages } = open;
    const unsettled = messages.filter((message) => message.state === "offered");
    if (unsettled.length > 0) {
      const isCounted = isSaid && sinkWatch.isCounting;
      for (const message of unsettled) requeuer.take(message, { mode: open.mode, isCounted, text: failure });
    }
    if (open.mode === "loop" && isSaid) sinkWatch.batchEnded(messages);
    const durationMs = this.#scope.clock.nowMs() - opened.atMs;
    this.#endedMs += durationMs;
    this.#lastDurationMs = durationMs;
    this.#scope.report({ type: "batchEnded", messages: messages.length, unsettled: unsettled.length, durationMs });
    this.#whenOneEnds();
    this.#scope.signals.batchEnded.raise();
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
      const unsettled = open.messages.filter((message) => message.state === "offered");
      abandoned += unsettled.length;
      aborter.abort(reason);
      for (const message of open.messages) message.abort(reason);
      // They have not failed: whoever has room goes on with them at once.
      for (const message of unsettled) this.#parts.releaser.release(message, "draining", { isUncounted: false });
      this.end(open, "", false);
    }
    return abandoned;
  }
}
