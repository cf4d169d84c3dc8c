import { type Clock, groupKey, LeaderLease, type LeaseAnswer, type StreamClient } from "@redis-batch/core/internal";

export interface LeadershipOptions {
  readonly client: Pick<StreamClient, "holdLease" | "writeInTerm">;
  readonly clock: Clock;
  readonly stream: string;
  readonly group: string;
  /** This process's own name for itself, like no other's. */
  readonly holder: string;
  /** After so long without a sign of life somebody else leads, in milliseconds. */
  readonly leaseMs: number;
  /** How many entries the audit log keeps, about. */
  readonly auditLength: number;
}

/**
 * Which of several scalers of a group acts. Each leader has a number, the term, higher than those before. What an earlier
 * one still writes is refused by the server, and what it still orders is known by its number.
 */
export class Leadership {
  readonly #options: LeadershipOptions;
  readonly #keys: { readonly leaseKey: string; readonly stateKey: string; readonly logKey: string };
  readonly #lease: LeaderLease;
  #term: number | null = null;
  #sequence = 0;

  constructor(options: LeadershipOptions) {
    const { client, clock, stream, group, holder, leaseMs } = options;
    const leaseKey = groupKey("lease:scaler", stream, group);
    const stateKey = groupKey("scaler", stream, group);
    this.#options = options;
    this.#keys = { leaseKey, stateKey, logKey: groupKey("audit", stream, group) };
    this.#lease = new LeaderLease({ client, clock, leaseKey, stateKey, holder, leaseMs });
  }

  /** Takes the lead where nobody has it, or keeps it. */
  async hold(): Promise<LeaseAnswer> {
    const answer = await this.#lease.renew();
    if (answer.isHeld && answer.term !== this.#term) this.#sequence = 0;
    this.#term = answer.isHeld ? answer.term : null;
    return answer;
  }

  /** The number of the next order of this leader. */
  nextSequence(): number {
    return ++this.#sequence;
  }

  /**
   * Leaves a state for the next leader, and an entry in the audit log; `null`: none. `false`: somebody else may lead by
   * now, and nothing was written.
   */
  async write(state: string, entry: Readonly<Record<string, string>> | null): Promise<boolean> {
    const { client, holder, auditLength } = this.#options;
    const term = this.#term;
    if (term === null) return false;
    const isWritten = await client.writeInTerm({
      ...{ ...this.#keys, holder, term, state, entry, logLength: auditLength },
    });
    if (!isWritten) this.#term = null;
    return isWritten;
  }

  /** Lets the next one lead at once. Where that fails, it waits for the lease to run out. */
  async giveUp(): Promise<void> {
    this.#term = null;
    await this.#lease.giveUp();
  }
}
