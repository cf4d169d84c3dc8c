import { groupKey, type StreamClient } from "@redis-batch/core/internal";

export interface LeadershipOptions {
  readonly client: Pick<StreamClient, "holdTerm" | "writeInTerm">;
  readonly stream: string;
  readonly group: string;
  /** This process's own name for itself, like no other's. */
  readonly holder: string;
  /** After so long without a sign of life somebody else leads, in milliseconds. */
  readonly leaseMs: number;
  /** How many entries the audit log keeps, about. */
  readonly auditLength: number;
}

/** Who leads, as the server said last. */
export interface Standing {
  readonly leads: boolean;
  /** The leader's number. */
  readonly term: number;
  /** What the last leader left; `""`: nothing. */
  readonly state: string;
}

/**
 * Which of several scalers of a group acts. Each leader has a number, the term, higher than those before. What an earlier
 * one still writes is refused by the server, and what it still orders is known by its number.
 */
export class Leadership {
  readonly #options: LeadershipOptions;
  readonly #keys: { readonly leaseKey: string; readonly stateKey: string; readonly logKey: string };
  #term: number | null = null;
  #heardOf = 0;
  #sequence = 0;

  constructor(options: LeadershipOptions) {
    const { stream, group } = options;
    this.#options = options;
    this.#keys = {
      leaseKey: groupKey("lease:scaler", stream, group),
      stateKey: groupKey("scaler", stream, group),
      logKey: groupKey("audit", stream, group),
    };
  }

  /** Takes the lead where nobody has it, or keeps it. */
  async hold(): Promise<Standing> {
    const { client, holder, leaseMs } = this.#options;
    const { isHeld, term, state } = await client.holdTerm({
      ...{ ...this.#keys, holder, leaseMs, heardOf: this.#heardOf },
    });
    this.#heardOf = Math.max(this.#heardOf, term);
    if (isHeld && term !== this.#term) this.#sequence = 0;
    this.#term = isHeld ? term : null;
    return { leads: isHeld, term, state };
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
    const { leaseKey, stateKey, logKey } = this.#keys;
    const term = this.#term;
    if (term === null) return false;
    const write = { leaseKey, stateKey, logKey, holder, term, state, entry, logLength: auditLength };
    const isWritten = await client.writeInTerm(write);
    if (!isWritten) this.#term = null;
    return isWritten;
  }

  /** Lets the next one lead at once. */
  async giveUp(): Promise<void> {
    const { client, holder } = this.#options;
    this.#term = null;
    await client.holdTerm({ ...this.#keys, holder, leaseMs: 0, heardOf: this.#heardOf });
  }
}
