import type { Clock } from "../service/clock.ts";
import type { StreamClient } from "../stream-client.ts";

export interface LeaderLeaseOptions {
  readonly client: Pick<StreamClient, "holdLease">;
  /** Where it is kept; the key kind `lease:<role>`. */
  readonly key: string;
  /** This process's own name for itself, like no other's. */
  readonly holder: string;
  /** After so long without a sign of life somebody else may lead, in milliseconds. */
  readonly leaseMs: number;
  readonly clock: Clock;
}

/**
 * Says which of several processes does what one is enough for. It spares work and guards nothing: a leader that stalls
 * past its lease goes on for a moment beside the next one, so whatever a leader does must be safe by itself.
 */
export class LeaderLease {
  readonly #options: LeaderLeaseOptions;
  #askAgainAtMs = Number.NEGATIVE_INFINITY;
  #isHeld = false;

  constructor(options: LeaderLeaseOptions) {
    this.#options = options;
  }

  /**
   * Whether this process leads. Asks the server once a third of the lease has passed, and takes a lease that is free; a
   * follower asks each time.
   */
  async hold(): Promise<boolean> {
    const { client, key, holder, leaseMs, clock } = this.#options;
    const askedAtMs = clock.nowMs();
    if (this.#isHeld && askedAtMs < this.#askAgainAtMs) return true;
    // Until the answer is there, nothing is certain.
    this.#isHeld = false;
    this.#isHeld = await client.holdLease({ key, holder, leaseMs });
    this.#askAgainAtMs = askedAtMs + leaseMs / 3;
    return this.#isHeld;
  }

  /** Lets the next one lead at once. */
  async giveUp(): Promise<void> {
    const { client, key, holder } = this.#options;
    if (!this.#isHeld) return;
    this.#isHeld = false;
    await client.holdLease({ key, holder, leaseMs: 0 });
  }
}
