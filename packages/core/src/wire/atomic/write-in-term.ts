import { decodeInteger } from "../reply.ts";
import type { Script } from "../script.ts";

export interface WriteInTermOptions {
  readonly leaseKey: string;
  readonly stateKey: string;
  /** A stream. */
  readonly logKey: string;
  readonly holder: string;
  /** The term in which the holder holds the lease. */
  readonly term: number;
  /** What the next holder shall find. */
  readonly state: string;
  /** What is logged, field by field; `null`: nothing. */
  readonly entry: Readonly<Record<string, string>> | null;
  /** How many entries the log keeps, about. */
  readonly logLength: number;
}

/** Keeps state and log entry of a lease's holder → whether it still holds it; otherwise nothing was written. */
export const writeInTerm: Script<WriteInTermOptions, boolean> = {
  name: "writeInTerm",
  keys: ({ leaseKey, stateKey, logKey }) => [leaseKey, stateKey, logKey],
  encode: ({ holder, term, state, logLength, entry }) => [
    ...[holder, term, state, logLength],
    ...Object.entries(entry ?? {}).flat(),
  ],
  decode: (reply) => decodeInteger(reply, "writeInTerm") === 1,
};
