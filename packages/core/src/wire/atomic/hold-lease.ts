import { decodeArray, decodeInteger, decodeText } from "../reply.ts";
import type { Script } from "../script.ts";

export interface HoldLeaseOptions {
  /** Where the lease is kept. */
  readonly leaseKey: string;
  /**
   * Where its term and the state are kept: a hash that stays when the lease runs out. `null`: holders have no number, and
   * leave nothing.
   */
  readonly stateKey: string | null;
  /** Who holds it; two processes never share one. */
  readonly holder: string;
  /** How long it lasts from now, in milliseconds; 0 gives it up. */
  readonly leaseMs: number;
  /** The highest term the holder has heard of, 0 for none: one that the server has forgotten is not given out again. */
  readonly heardOf: number;
}

export interface LeaseAnswer {
  /** Whether the holder has it; not when it was given up. */
  readonly isHeld: boolean;
  /** The number of the latest holder: one's own while it is held. Whoever takes the lease again gets a higher one. */
  readonly term: number;
  /** What the last holder wrote; `""`: nothing yet. */
  readonly state: string;
}

/** Takes a lease that is free, prolongs one's own, or gives it up, and says which holder in turn that is. */
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
