/**
 * Releases messages to the group: at once, under the name `rb:released`, or for later, under `rb:later`. Each message is held by
 * its id until the server has answered, so that nothing else happens to it in the meantime.
 */
import { type EntryId, NoGroupError, PermissionError } from "@redis-batch/core";
import { toErrorInfo } from "@redis-batch/core/internal/errors";
import { LATER, RELEASED } from "@redis-batch/core/internal/names";
import type { ReleaseReason } from "../events.ts";
import type { Message } from "../message.ts";
import type { Deferred } from "../scheduling/deferred-queue.ts";
import type { Reserved } from "../scheduling/held-index.ts";
import type { Scope } from "../scope.ts";
import { SendQueue } from "./send-queue.ts";

const IDS_PER_COMMAND = 1_000;

/** A message that is being released. */
interface Leaving {
  readonly id: EntryId;
  /** How it is held until the server has answered. */
  readonly reserved: Reserved;
  readonly deliveries: number;
  readonly isSuspect: boolean;
  /** Whether its last delivery does not count. */
  readonly isUncounted: boolean;
  /** Until when it is deferred, by the local clock; `null`: any consumer may claim it at once. */
  readonly dueAtMs: number | null;
  readonly why: ReleaseReason;
}

export class Releaser<Value> {
  readonly #scope: Scope<Value>;
  readonly #queue: SendQueue<Leaving>;
  #canDefer = true;
  #moved = 0;

  constructor(scope: Scope<Value>) {
    const { held, report, fail, signals } = scope;
    this.#scope = scope;
    this.#queue = new SendQueue(scope, {
      limit: IDS_PER_COMMAND,
      deliver: (leaving) => this.#deliver(leaving),
      onRetry: (leaving, retryInMs, error) =>
        report({ type: "releaseFailed", messages: leaving.length, retryInMs, error: toErrorInfo(error) }),
      onFailure: (leaving, error) => {
        // Nothing is lost: what is still pending for this consumer is found again.
        for (const { reserved } of leaving) held.free(reserved);
        signals.pendingUnknown.raise();
        fail(error);
      },
    });
  }

  /** How many messages are being released. */
  get pending(): number {
    return this.#queue.pending;
  }

  /** How many messages have been released, at once or for later. */
  get moved(): number {
    return this.#moved;
  }

  /** Whether delays can be kept in Redis. That needs the right to use sorted sets. */
  get canDefer(): boolean {
    return this.#canDefer;
  }

  /** From now on keeps delays in memory: the right to keep them in Redis is missing. They end with the process. */
  keepDelaysHere(error: PermissionError): void {
    if (!this.#canDefer) return;
    this.#canDefer = false;
    this.#scope.report({ type: "delaysInMemory", error: toErrorInfo(error) });
  }

  /** Releases a message that is in memory, offered or not. */
  release(message: Message<Value>, why: ReleaseReason, { isUncounted }: { readonly isUncounted: boolean }): void {
    const { id, deliveries, isSuspect } = message;
    const reserved = this.#scope.held.letGo(message);
    if (reserved === undefined) return;
    this.#queue.add({ id, reserved, deliveries, isSuspect, isUncounted, dueAtMs: null, why });
  }

  /** Defers a message in Redis. When it is due, any consumer with a free place claims it. */
  defer(message: Message<Value>, delayMs: number, { isUncounted }: { readonly isUncounted: boolean }): void {
    const { held, clock } = this.#scope;
    const { id, deliveries, isSuspect } = message;
    const reserved = held.letGo(message);
    if (reserved === undefined) return;
    this.#queue.add({
      id,
      reserved,
      deliveries,
      isSuspect,
      isUncounted,
      dueAtMs: clock.nowMs() + delayMs,
      why: "deferred",
    });
  }

  /** Releases a deferred message. If it is not due yet, it keeps its time. */
  releaseDeferred(deferred: Deferred, why: ReleaseReason): void {
    const { held, clock } = this.#scope;
    const { id, deliveries, isSuspect, isCountedAhead = false } = deferred;
    const reserved = held.letGoOfDeferred(deferred);
    if (reserved === undefined) return;
    const dueAtMs = deferred.dueAtMs > clock.nowMs() ? deferred.dueAtMs : null;
    // One that was only ever read counts as such: no handler had it.
    this.#queue.add({
      id,
      reserved,
      deliveries,
      isSuspect,
      isUncounted: isCountedAhead,
      dueAtMs,
      why,
    });
  }

  /** Resolves when no message is being released. */
  whenIdle(): Promise<void> {
    return this.#queue.when(() => this.#queue.pending === 0);
  }

  /** Stops releasing, and gives up on what has not been answered. */
  stop(): void {
    this.#queue.stop();
  }

  async #deliver(leaving: readonly Leaving[]): Promise<void> {
    const { held, report } = this.#scope;
    const delayed = leaving.filter(({ dueAtMs }) => dueAtMs !== null);
    const atOnce = leaving.filter(({ dueAtMs }) => dueAtMs === null);
    try {
      const kept = delayed.length > 0 ? await this.#schedule(delayed) : [];
      const later = delayed.filter((one) => !kept.includes(one));
      const scheduled = await this.#move(later, LATER);
      if (scheduled > 0) report({ type: "deferred", messages: scheduled });
      for (const why of new Set(atOnce.map((one) => one.why))) {
        const ones = atOnce.filter((one) => one.why === why);
        const moved = await this.#move(ones, RELEASED);
        if (moved > 0) report({ type: "released", messages: moved, why });
      }
    } catch (error) {
      // The reader recreates the group, in which nothing is pending.
      if (!NoGroupError.is(error)) throw error;
      for (const { reserved } of leaving) held.free(reserved);
    }
  }

  /** Writes down when they are due → those that stay in memory because this is not possible. */
  async #schedule(delayed: readonly Leaving[]): Promise<readonly Leaving[]> {
    const { client, policy, held, clock } = this.#scope;
    const { stream, group } = policy;
    const nowMs = clock.nowMs();
    try {
      if (this.#canDefer) {
        await client.scheduleLater({
          stream,
          group,
          delays: delayed.map(({ id, dueAtMs }) => ({ id, delayMs: Math.max((dueAtMs ?? nowMs) - nowMs, 0) })),
        });
        return [];
      }
    } catch (error) {
      if (!PermissionError.is(error)) throw error;
      this.keepDelaysHere(error);
    }
    for (const { id, deliveries, isSuspect, isUncounted, ...one } of delayed) {
      const dueAtMs = one.dueAtMs ?? nowMs;
      held.adopt({
        id,
        deliveries: isUncounted ? deliveries - 1 : deliveries,
        dueAtMs,
        ripeAtMs: dueAtMs,
        isSuspect,
        hasFailedHere: true,
      });
    }
    return delayed;
  }

  async #move(leaving: readonly Leaving[], to: string): Promise<number> {
    if (leaving.length === 0) return 0;
    const { client, policy, held, report } = this.#scope;
    const { stream, group, name } = policy;
    const { moved, trimmed } = await client.release({
      stream,
      group,
      from: name,
      to,
      offered: leaving.filter(({ isUncounted }) => !isUncounted).map(({ id }) => id),
      neverOffered: leaving.filter(({ isUncounted }) => isUncounted).map(({ id }) => id),
    });
    // Some of them may have been claimed again by now, by this consumer or another one.
    for (const { reserved } of leaving) held.free(reserved);
    this.#moved += moved;
    if (trimmed.length > 0) report({ type: "pendingTrimmed", ids: trimmed });
    return moved;
  }
}
