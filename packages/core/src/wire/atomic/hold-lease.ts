import { decodeArray, decodeInteger, decodeText } from "../reply.ts";
import type { Script } from "../script.ts";

export interface HoldLeaseOptions {
  /** The key of the lease. */
  readonly leaseKey: string;
  /**
   * The key of its term and state: a hash that stays when the lease expires. `null`: holders have no number and store
   * nothing.
   */
  readonly stateKey: string | null;
  /** The holder's name; unique per process. */
  readonly holder: string;
  /** How long it lasts from now, in milliseconds; 0 gives it up. */
  readonly leaseMs: number;
  /** The highest term that the holder knows, 0 for none: so a term that the server has lost is not used again. */
  readonly heardOf: number;
}

export interface LeaseAnswer {
  /** Whether the holder has it; not when it was given up. */
  readonly isHeld: boolean;
  /** The number of the latest holder; one's own while one holds the lease. A new holder gets a higher one. */
  readonly term: number;
  /** The state that the last holder wrote; `""`: none yet. */
  readonly state: string;
}

/** Acquires a free lease, renews one's own, or gives it up, and returns the number of the holder. */
export const holdLease: Script<HoldLeaseOptions, LeaseAnswer> = {
  name: "holdLease",
  keys: ({ leaseKey, stateKey }) => (stateKey === null ? [leaseKey] : [leaseKey, stateKey]),
  encode: ({ holder, leaseMs, heardOf }) => [holder, leaseMs, heardOf],
  decode(reply) {
    const [isHeld, term, state] = decodeArray(reply, "holdLease");
    return {
      isHeld: decodeInteger(isHeld, "holdLease") === 1,
      term: decodeInteger(term, "holdLease"),
      state: decodeText(state, "holdLease"),
    };
  },
};
