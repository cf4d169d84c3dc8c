/** Takes messages back from the application: puts them off, or hands them to the undertaker. */
import {
  type BackoffPolicy,
  type Clock,
  type EntryId,
  type Random,
  RedisBatchError,
  type StreamClient,
} from "@redis-batch/core/internal";
import { decideMaxDeliveries, decideRedelivery, type PullMode } from "../decisions/redelivery.ts";
import type { Message } from "../message.ts";
import type { Custody } from "./custody.ts";
import type { Undertaker } from "./undertaker.ts";

export interface ReturnsContext<Value> {
  readonly policy: {
    readonly stream: string;
    readonly group: string;
    readonly name: string;
    readonly retry: BackoffPolicy;
    readonly maxDeliveries: number | undefined;
  };
  readonly client: StreamClient;
  readonly custody: Custody<Value>;
  readonly undertaker: Undertaker<Value>;
  readonly clock: Clock;
  readonly random: Random;
}

export interface Return {
  readonly mode: PullMode;
  readonly delayMs?: number | undefined;
  /** Whether the delivery counts towards `maxDeliveries`. */
  readonly isCounted: boolean;
  /** What went wrong, kept with the message should it go to the dead letters. */
  readonly text: string;
}

export class Returns<Value> {
  readonly #context: ReturnsContext<Value>;

  constructor(context: ReturnsContext<Value>) {
    this.#context = context;
  }

  /**
   * Takes the delivery back from the server's count: nobody has said that the message failed. Best effort; where it
   * does not succeed the delivery counts.
   */
  async uncount(ids: readonly EntryId[]): Promise<void> {
    const { client, policy } = this.#context;
    const { stream, group, name } = policy;
    try {
      await client.release({ stream, group, from: name, to: name, neverOffered: ids, offered: [] });
    } catch (error) {
      if (!RedisBatchError.is(error)) throw error;
    }
  }

  /** Takes back one message that was offered and has no outcome. */
  take(message: Message<Value>, { mode, delayMs, isCounted, text }: Return): void {
    const { policy, custody, undertaker, clock, random } = this.#context;
    message.state = "returned";
    // A later delivery of the same message takes care of itself.
    if (!custody.isCurrent(message)) return;
    const maxDeliveries = decideMaxDeliveries(mode, policy.maxDeliveries);
    const { deliveries } = message;
    const redelivery = decideRedelivery({ mode, deliveries, isCounted, delayMs }, maxDeliveries, policy.retry, random);
    if (redelivery.kind === "bury") {
      return undertaker.add({ id: message.id, message, why: "maxDeliveries", text });
    }
    const nowMs = clock.nowMs();
    const { dueInMs, ripeInMs } = redelivery;
    custody.putOff(message, { dueAtMs: nowMs + dueInMs, ripeAtMs: nowMs + ripeInMs });
  }
}
