import { RedisBatchError } from "../errors/errors.ts";
import type { Clock } from "../service/clock.ts";
import type { StreamClient } from "../stream-client.ts";
import type { LeaseAnswer } from "../wire/atomic/hold-lease.ts";

export interface LeaderLeaseOptions {
  readonly client: Pick<StreamClient, "holdLease">;
  /** The key of the lease; key kind `lease:<role>`. */
  readonly leaseKey: string;
  /** Where leaders are numbered, and leave something for the next one; `null`: they are not, and do not. */
  readonly stateKey: string | null;
  /** A unique name of this process. */
  readonly holder: string;
  /** After this time without a renewal another process may lead, in milliseconds. */
  readonly leaseMs: number;
  readonly clock: Clock;
}

/**
 * Elects one of several processes for work that one is enough for. It saves work but guarantees nothing: a leader that
 * stalls longer than its lease may continue for a moment beside the next one. So the leader's actions must be safe
 * without it, or carry the leader's number (`term`), by which an earlier leader is refused.
 */
export class LeaderLease {
  readonly #options: LeaderLeaseOptions;
  #askAgainAtMs = Number.NEGATIVE_INFINITY;
  #isHeld = false;
  /** Whether the server may take this process for the leader: also where its answer was lost. */
  #mayBeHeld = false;
  #heardOf = 0;

  constructor(options: LeaderLeaseOptions) {
    this.#options = options;
  }

  /**
   * Whether this process leads. Asks the server once a third of the lease has passed, and takes a lease that is free; a
   * follower asks each time.
   */
  async hold(): Promise<boolean> {
    if (this.#isHeld && this.#options.clock.nowMs() < this.#askAgainAtMs) return true;
    return (await this.renew()).isHeld;
  }

  /** Takes the lead where nobody has it, or keeps it for a whole lease from now. Asks the server each time. */
  async renew(): Promise<LeaseAnswer> {
    const { leaseMs, clock } = this.#options;
    const askedAtMs = clock.nowMs();
    // Until the answer is there, nothing is certain.
    this.#isHeld = false;
    this.#mayBeHeld = true;
    const answer = await this.#ask(leaseMs);
    this.#isHeld = answer.isHeld;
    this.#mayBeHeld = answer.isHeld;
    this.#heardOf = Math.max(this.#heardOf, answer.term);
    this.#askAgainAtMs = askedAtMs + leaseMs / 3;
    return answer;
  }

  /** Lets the next one lead at once. Where that fails, it waits for the lease to run out. */
  async giveUp(): Promise<void> {
    if (!this.#mayBeHeld) return;
    this.#isHeld = false;
    this.#mayBeHeld = false;
    await this.#ask(0).catch((error: unknown) => {
      if (!RedisBatchError.is(error)) throw error;
    });
  }

  #ask(leaseMs: number): Promise<LeaseAnswer> {
    const { client, leaseKey, stateKey, holder } = this.#options;
    return client.holdLease({ leaseKey, stateKey, holder, leaseMs, heardOf: this.#heardOf });
  }
}
