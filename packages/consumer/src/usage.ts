/** How the consumer is used, and what follows from it: how many batches at a time, and how often a message is offered. */
import { decideLargestBatch, firstIsolated } from "./decisions/isolation.ts";
import { decideMaxDeliveries, type PullMode } from "./decisions/redelivery.ts";

export type Use = "fetch()" | "for await" | "run()";

export interface UsagePolicy {
  readonly batchSize: number;
  readonly concurrency: number;
  readonly maxDeliveries: number | undefined;
}

export class Usage {
  readonly #policy: UsagePolicy;
  #current: Use | undefined;
  #mode: PullMode = "loop";

  constructor(policy: UsagePolicy) {
    this.#policy = policy;
  }

  /** The use that is under way; `undefined`: none. */
  get current(): Use | undefined {
    return this.#current;
  }

  /** How it is used now, or was last. */
  get mode(): PullMode {
    return this.#mode;
  }

  begin(use: Use): void {
    this.#current = use;
    this.#mode = use === "fetch()" ? "fetch" : "loop";
  }

  end(): void {
    this.#current = undefined;
  }

  /** How many batches can be at work at the same time: a loop, or a caller of `fetch()`, has one. */
  get places(): number {
    return this.#current === "run()" ? this.#policy.concurrency : 1;
  }

  /** How often a message is offered at most. */
  get maxDeliveries(): number {
    return decideMaxDeliveries(this.#mode, this.#policy.maxDeliveries);
  }

  /** The first delivery for which a message is kept apart; infinite when none is. */
  get suspectFrom(): number {
    return firstIsolated(this.maxDeliveries);
  }

  /** Whether a message on its n-th delivery is kept apart. */
  isSuspect(deliveries: number): boolean {
    return deliveries >= this.suspectFrom;
  }

  /** The largest batch that a message on its n-th delivery may be part of. */
  largestBatch(deliveries: number): number {
    return decideLargestBatch(deliveries, this.#policy.batchSize, this.maxDeliveries);
  }
}
