import type { StreamClient } from "@redis-batch/core/internal/connection";
import { LeaderLease, type LeaseAnswer } from "@redis-batch/core/internal/groups";
import { groupKey } from "@redis-batch/core/internal/names";
import type { Clock } from "@redis-batch/core/internal/service";

export interface LeadershipOptions {
  readonly client: Pick<StreamClient, "holdLease" | "writeInTerm">;
  readonly clock: Clock;
  readonly stream: string;
  readonly group: string;
  /** A unique name of this process. */
  readonly holder: string;
  /** After this time without a renewal another scaler may lead, in milliseconds. */
  readonly leaseMs: number;
  /** Approximate number of entries in the audit log. */
  readonly auditLength: number;
}

/**
 * Elects the leader among several scalers of a group. Each leader has a term, higher than all before. The server refuses
 * late writes of an earlier leader, and its late orders are recognised by their term.
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

  /** Takes the lead if it is free, or keeps it. */
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
   * Saves the state for the next leader, and an entry in the audit log (`null`: none). `false`: another scaler may lead by
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

  /** Gives up the lead, so that another scaler can lead at once. If that fails, the next one waits until the lease expires. */
  async giveUp(): Promise<void> {
    this.#term = null;
    await this.#lease.giveUp();
  }
}
