/**
 * Reads messages that were deferred in memory again when they are due, and not before a batch can use them: until then only
 * their ids are held.
 */

import { ConnectionError, type EntryId, NoGroupError, RedisBatchError } from "@redis-batch/core";
import { toErrorInfo } from "@redis-batch/core/internal/errors";
import { type BackoffPolicy, backoffDelayMs, Loop } from "@redis-batch/core/internal/service";
import { decideRedeliverySize } from "../decisions/fetch-size.ts";
import type { Message } from "../message.ts";
import type { Deferred } from "../scheduling/deferred-queue.ts";
import type { Scope } from "../scope.ts";
import type { MessageBuilder } from "./message-builder.ts";

// Messages that are due must not wait longer than this once the server is back.
const RETRY: BackoffPolicy = { baseMs: 100, capMs: 1_000 };

export class DeferredReader<Value> {
  readonly #scope: Scope<Value>;
  readonly #builder: Pick<MessageBuilder<Value>, "readmit">;
  readonly #loop: Loop;
  #isReading = false;
  #failures = 0;
  /** When all failed reads are tried again. */
  #retryAtMs = Number.NEGATIVE_INFINITY;

  constructor(scope: Scope<Value>, { builder }: { readonly builder: Pick<MessageBuilder<Value>, "readmit"> }) {
    this.#scope = scope;
    this.#builder = builder;
    this.#loop = new Loop(scope.clock, {
      pass: () => this.#pass(),
    });
    scope.signals.roomChanged.listen(() => {
      // Each batch makes room, and mostly nothing is deferred.
      if (scope.held.deferredCount > 0) this.#loop.notify();
    });
  }

  start(): void {
    this.#loop.start();
  }

  /** Whether payloads are being read ahead, or are about to be. */
  areComing(): boolean {
    if (!this.#loop.isRunning) return false;
    return this.#isReading || (this.#mayReadAhead(this.#firstDue()) && this.#room() > 0);
  }

  /** Whether there are messages that are only read to be offered at once, and a batch of this size has room for them. */
  areWanted(batchSize: number): boolean {
    const first = this.#firstDue();
    if (!this.#loop.isRunning || first === undefined || this.#mayReadAhead(first)) return false;
    return this.#missing(first, batchSize) > 0 && this.#room() > 0;
  }

  /**
   * Reads as many of them as the next batch may contain. Reading counts as a delivery: if a redelivered message kills the
   * process, messages that were not offered yet must not come closer to the dead letters.
   */
  async readDue(atMost: number): Promise<void> {
    const room = this.#room();
    let missing = room;
    const allDeferred = this.#scope.held.takeIds("due", (next, taken) => {
      missing = Math.min(missing, this.#missing(next, atMost));
      return taken < missing;
    });
    await this.#readAgain(allDeferred);
  }

  /** How many more redelivered messages the next batch of this size has room for, if it contains this one. */
  #missing({ deliveries }: Deferred, batchSize: number): number {
    const { held, policy, usage } = this.#scope;
    const share = held.fresh.messages > 0 ? policy.retryShare : 1;
    const size = Math.min(batchSize, usage.largestBatch(deliveries + 1));
    return Math.max(1, Math.floor(size * share)) - held.dueAmongOthers.messages;
  }

  /** Reads the payload of the first suspect in line, to offer it at once. */
  async readSuspect(): Promise<void> {
    await this.#readAgain(this.#scope.held.takeIds("suspect", (_, taken) => taken === 0));
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  async #pass(): Promise<number | null> {
    const { clock, held, signals } = this.#scope;
    if (held.lineUpIds(clock.nowMs())) signals.offerableChanged.raise();
    const room = this.#mayReadAhead(held.firstDueId) ? this.#room() : 0;
    if (room > 0) {
      this.#isReading = true;
      await this.#readAgain(held.takeIds("due", (next, taken) => taken < room && this.#mayReadAhead(next)));
      this.#isReading = false;
      signals.offerableChanged.raise();
      return 0;
    }
    const nextAtMs = held.nextDueAtMs;
    return nextAtMs === null ? null : Math.max(nextAtMs - clock.nowMs(), 0);
  }

  #firstDue(): Deferred | undefined {
    const { held, clock } = this.#scope;
    held.lineUpIds(clock.nowMs());
    return held.firstDueId;
  }

  /** Whether its payload is read before a caller waits for it: not if it must be in a smaller batch than others. */
  #mayReadAhead(next: Deferred | undefined): boolean {
    const { policy, usage } = this.#scope;
    return next !== undefined && usage.largestBatch(next.deliveries + 1) >= policy.batchSize;
  }

  /** At most one batch ahead: payloads that no batch can take yet would only fill the memory. */
  #room(): number {
    const { held, policy, replySize } = this.#scope;
    const { messages: buffered, bytes: bufferedBytes } = held.dueAmongOthers;
    const ahead = { buffered, bufferedBytes, meanBytes: replySize.meanBytes };
    return Math.min(decideRedeliverySize(ahead, policy), replySize.limit);
  }

  async #readAgain(allDeferred: readonly Deferred[]): Promise<void> {
    if (allDeferred.length === 0) return;
    const { client, policy, held, clock, report, replySize } = this.#scope;
    const heldSinceMs = clock.nowMs();
    try {
      const { stream, group, name } = policy;
      // Sets the count instead of adding one to it: a reply that was lost has offered nothing.
      const messages = allDeferred.map(({ id, deliveries }) => ({
        id,
        deliveries: Math.min(deliveries + 1, Number.MAX_SAFE_INTEGER),
      }));
      const { entries, trimmed } = await client.redeliverOwn({ stream, group, consumer: name, messages });
      this.#failures = 0;
      // Some may have been acknowledged in the meantime.
      const open = new Map(allDeferred.filter((one) => held.isStill(one)).map((one) => [one.id, one]));
      const again: Message<Value>[] = [];
      for (const entry of entries) {
        const before = open.get(entry.id);
        const message =
          before &&
          this.#builder.readmit(entry, { heldSinceMs, ripeAtMs: before.ripeAtMs, isSuspect: before.isSuspect });
        if (message !== undefined) again.push(message);
        open.delete(entry.id);
      }
      replySize.arrived(
        again.length,
        again.reduce((bytes, message) => bytes + message.bytes, 0),
      );
      this.#dismissMissing([...open.keys()], trimmed);
      if (again.length === 0) return;
      report({ type: "redelivered", messages: again.length });
      held.lineUpDue(again);
    } catch (error) {
      this.#putBack(error, allDeferred);
    }
  }

  #dismissMissing(missing: readonly EntryId[], trimmed: readonly EntryId[]): void {
    const { held, report } = this.#scope;
    const gone = new Set(trimmed);
    const notOwned = missing.filter((id) => !gone.has(id));
    for (const id of missing) held.dismiss(id);
    if (trimmed.length > 0) report({ type: "pendingTrimmed", ids: trimmed });
    if (notOwned.length > 0) report({ type: "outcomeTooLate", ids: notOwned, why: "not-owned" });
  }

  #putBack(error: unknown, allDeferred: readonly Deferred[]): void {
    const { held, clock, random, report, fail, replySize } = this.#scope;
    const nowMs = clock.nowMs();
    // A read that fails before then fails for the same reason and does not count as another attempt.
    if (nowMs >= this.#retryAtMs) this.#retryAtMs = nowMs + backoffDelayMs(++this.#failures, RETRY, random);
    const retryInMs = this.#retryAtMs - nowMs;
    if (ConnectionError.is(error) && error.outcome === "unknown") replySize.wasCut(allDeferred.length);
    held.putBack(allDeferred, this.#retryAtMs);
    if (this.#loop.isStopped) return;
    // The reader recreates a deleted group; these messages then turn out not to be owned by anybody.
    if (!NoGroupError.is(error) && !(RedisBatchError.is(error) && error.retryable)) {
      void this.#loop.stop();
      return fail(error);
    }
    report({ type: "readFailed", retryInMs, error: toErrorInfo(error) });
  }
}
