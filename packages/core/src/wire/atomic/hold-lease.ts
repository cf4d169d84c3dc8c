import { decodeInteger } from "../reply.ts";
import type { Script } from "../script.ts";

export interface HoldLeaseOptions {
  readonly key: string;
  /** Who holds it; two processes never share one. */
  readonly holder: string;
  /** How long it lasts from now, in milliseconds; 0 gives it up. */
  readonly leaseMs: number;
}

/** Takes a lease that is free, or prolongs one's own → whether the holder has it, or had it when it is given up. */
export const holdLease: Script<HoldLeaseOptions, boolean> = {
  name: "holdLease",
  keys: ({ key }) => [key],
  encode: ({ holder, leaseMs }) => [holder, leaseMs],
  decode: (reply) => decodeInteger(reply, "holdLease") === 1,
};
