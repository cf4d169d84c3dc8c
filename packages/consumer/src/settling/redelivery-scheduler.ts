/** Takes back messages that the application did not acknowledge: defers them here or in Redis, or has them dead-lettered. */
import { type EntryId, RedisBatchError } from "@redis-batch/core";
import { mayGiveUp } from "../decisions/blocked-keys.ts";
import {
  decideMaxDeliveries,
  decideRedelivery,
  isKeptHere,
  isLastChance,
  type PullMode,
} from "../decisions/redelivery.ts";
import type { Peers } from "../liveness/peers.ts";
import type { Message } from "../message.ts";
import type { SinkWatch } from "../scheduling/sink-watch.ts";
import type { Scope } from "../scope.ts";
import type { DeadLetterWriter } from "./dead-letter-writer.ts";
import { factsOf } from "./key-watch.ts";
import type { Releaser } from "./releaser.ts";
import type { SecondOpinions } from "./second-opinions.ts";

export interface RedeliverySchedulerParts<Value> {
  readonly deadLetterWriter: DeadLetterWriter<Value>;
  readonly releaser: Releaser<Value>;
  readonly secondOpinions: SecondOpinions;
  readonly peers: Peers;
  readonly sinkWatch: SinkWatch;
}

export interface Return {
  readonly mode: PullMode;
  readonly delayMs?: number | undefined;
  /** Whether the delivery counts towards `maxDeliveries`. */
  readonly isCounted: boolean;
  /** Whether it failed by itself, and not perhaps because of another message of its batch. */
  readonly isOwn: boolean;
  /** What went wrong. It is kept with the message if that goes to the dead letters. */
  readonly text: string;
}

export class RedeliveryScheduler<Value> {
  readonly #scope: Scope<Value>;
  readonly #parts: RedeliverySchedulerParts<Value>;

  constructor(scope: Scope<Value>, parts: RedeliverySchedulerParts<Value>) {
    this.#scope = scope;
    this.#parts = parts;
  }

  /** Takes back one message that was offered and has no outcome. */
  take(message: Message<Value>, { mode, delayMs, isCounted, isOwn, text }: Return): void {
    const { policy, held, clock, random, usage, order } = this.#scope;
    const { deadLetterWriter, releaser, secondOpinions } = this.#parts;
    // Only the later delivery of the same message counts.
    if (!held.isCurrent(message)) return held.return(message);
    const maxDeliveries = decideMaxDeliveries(mode, policy.maxDeliveries);
    const redelivery = decideRedelivery(
      { mode, deliveries: message.deliveries, isCounted, delayMs },
      maxDeliveries,
      policy.retry,
      random,
    );
    const line = order?.lineOf(message.id);
    const isFirst = line?.waiting[0]?.id === message.id;
    if (order !== undefined && line !== undefined && isFirst && isCounted) {
      if (mayGiveUp(factsOf(order, line), order, policy.maxDeferred)) {
        order.noteGivenUp(line);
        return deadLetterWriter.add({ id: message.id, message, why: "blocks-key", text });
      }
    }
    if (redelivery.kind === "dead-letter") {
      if (order !== undefined && line !== undefined && isFirst) order.noteGivenUp(line);
      return deadLetterWriter.add({
        ...{ id: message.id, message, why: "maxDeliveries", text },
        isLastChance: isLastChance(message.deliveries, maxDeliveries),
      });
    }
    const { dueInMs, ripeInMs } = redelivery;
    message.isDeferredForLong = delayMs !== undefined && !isKeptHere(delayMs, policy.leaseMs);
    // One of a key has to be known here wherever it is.
    const isFull = message.key === undefined && held.deferredCount >= policy.maxDeferred;
    if (releaser.canDefer && (isFull || this.#isForOthers || !isKeptHere(dueInMs, policy.leaseMs))) {
      // A handler that defers it for long has not failed on it.
      if (mode === "loop" && !message.isDeferredForLong) secondOpinions.remember([message.id], "failed");
      releaser.defer(message, dueInMs, { isUncounted: !isCounted });
      if (isCounted && isOwn) order?.noteFailure(message.id);
      return;
    }
    if (!isCounted) void this.#uncount([message.id]);
    const nowMs = clock.nowMs();
    held.defer(message, {
      dueAtMs: nowMs + dueInMs,
      ripeAtMs: nowMs + ripeInMs,
      isSuspect: usage.isSuspect(message.deliveries + 1),
      isUncounted: !isCounted,
    });
    if (isCounted && isOwn) order?.noteFailure(message.id);
  }

  /** Whether other consumers should try it: everything fails here, and another consumer is alive. */
  get #isForOthers(): boolean {
    const { sinkWatch, peers } = this.#parts;
    return sinkWatch.isBackingOff && peers.lastSeen.isAnyAlive;
  }

  /**
   * Takes the delivery back from the server's count, because the message did not fail. Best effort: if this does not succeed,
   * the delivery counts for the next owner.
   */
  async #uncount(ids: readonly EntryId[]): Promise<void> {
    const { client, policy } = this.#scope;
    const { stream, group, name } = policy;
    try {
      await client.release({ stream, group, from: name, to: name, neverOffered: ids, offered: [] });
    } catch (error) {
      if (!RedisBatchError.is(error)) throw error;
    }
  }
}
