/** Takes messages back from the application: puts them off, releases them to the group, or hands them to the dead letters. */
import {
  type BackoffPolicy,
  type Clock,
  type EntryId,
  type Random,
  RedisBatchError,
  type StreamClient,
} from "@redis-batch/core/internal";
import { decideMaxDeliveries, decideRedelivery, isKeptHere, type PullMode } from "../decisions/redelivery.ts";
import type { SecondOpinions } from "../liveness/second-opinions.ts";
import type { Message } from "../message.ts";
import type { HeldMessages } from "../scheduling/held-messages.ts";
import type { DeadLetterWriter } from "./dead-letter-writer.ts";
import type { Releaser } from "./releaser.ts";

export interface RequeuerContext<Value> {
  readonly policy: {
    readonly stream: string;
    readonly group: string;
    readonly name: string;
    readonly retry: BackoffPolicy;
    readonly leaseMs: number;
    readonly maxDeliveries: number | undefined;
    readonly maxDeferred: number;
  };
  readonly client: StreamClient;
  readonly held: HeldMessages<Value>;
  readonly deadLetterWriter: DeadLetterWriter<Value>;
  readonly releaser: Releaser<Value>;
  readonly secondOpinions: SecondOpinions;
  readonly clock: Clock;
  readonly random: Random;
  /** Whether a message on its n-th delivery is kept apart. */
  readonly isSuspect: (deliveries: number) => boolean;
  /** Whether others should try what fails here: everything does, and somebody else is there. */
  readonly isForOthers: () => boolean;
}

export interface Return {
  readonly mode: PullMode;
  readonly delayMs?: number | undefined;
  /** Whether the delivery counts towards `maxDeliveries`. */
  readonly isCounted: boolean;
  /** What went wrong, kept with the message should it go to the dead letters. */
  readonly text: string;
}

export class Requeuer<Value> {
  readonly #context: RequeuerContext<Value>;

  constructor(context: RequeuerContext<Value>) {
    this.#context = context;
  }

  /** Takes back one message that was offered and has no outcome. */
  take(message: Message<Value>, { mode, delayMs, isCounted, text }: Return): void {
    const { policy, held, deadLetterWriter, releaser, secondOpinions, clock, random } = this.#context;
    // A later delivery of the same message takes care of itself.
    if (!held.isCurrent(message)) return held.return(message);
    const maxDeliveries = decideMaxDeliveries(mode, policy.maxDeliveries);
    const redelivery = decideRedelivery(
      { mode, deliveries: message.deliveries, isCounted, delayMs },
      maxDeliveries,
      policy.retry,
      random,
    );
    if (redelivery.kind === "dead-letter") {
      const isLastChance = message.deliveries === maxDeliveries && maxDeliveries > 1;
      return deadLetterWriter.add({ id: message.id, message, why: "maxDeliveries", text, isLastChance });
    }
    const { dueInMs, ripeInMs } = redelivery;
    message.isDeferredForLong = delayMs !== undefined && !isKeptHere(delayMs, policy.leaseMs);
    const isFull = held.deferredCount >= policy.maxDeferred;
    if (releaser.canDefer && (isFull || this.#context.isForOthers() || !isKeptHere(dueInMs, policy.leaseMs))) {
      // Whoever puts it off has not failed on it.
      if (mode === "loop" && !message.isDeferredForLong) secondOpinions.remember([message.id], "failed");
      return releaser.defer(message, dueInMs, { isUncounted: !isCounted });
    }
    if (!isCounted) void this.#uncount([message.id]);
    const nowMs = clock.nowMs();
    held.defer(message, {
      dueAtMs: nowMs + dueInMs,
      ripeAtMs: nowMs + ripeInMs,
      isSuspect: this.#context.isSuspect(message.deliveries + 1),
      isUncounted: !isCounted,
    });
  }

  /**
   * Takes the delivery back from the server's count: nobody has said that the message failed. Best effort; where it
   * does not succeed the delivery counts for whoever takes over.
   */
  async #uncount(ids: readonly EntryId[]): Promise<void> {
    const { client, policy } = this.#context;
    const { stream, group, name } = policy;
    try {
      await client.release({ stream, group, from: name, to: name, neverOffered: ids, offered: [] });
    } catch (error) {
      if (!RedisBatchError.is(error)) throw error;
    }
  }
}
