import { decodeInteger } from "../reply.ts";
import type { Script } from "../script.ts";

export interface WriteInTermOptions {
  readonly leaseKey: string;
  readonly stateKey: string;
  /** A stream. */
  readonly logKey: string;
  readonly holder: string;
  /** The holder's term. */
  readonly term: number;
  /** The state for the next holder. */
  readonly state: string;
  /** The log entry, field by field; `null`: none. */
  readonly entry: Readonly<Record<string, string>> | null;
  /** Approximate number of entries in the log. */
  readonly logLength: number;
}

/** Stores the state and a log entry of a lease's holder → whether it still holds the lease; otherwise nothing was written. */
export const writeInTerm: Script<WriteInTermOptions, boolean> = {
  name: "writeInTerm",
  keys: ({ leaseKey, stateKey, logKey }) => [leaseKey, stateKey, logKey],
  encode: ({ holder, term, state, logLength, entry }) => [
    ...[holder, term, state, logLength],
    ...Object.entries(entry ?? {}).flat(),
  ],
  decode: (reply) => decodeInteger(reply, "writeInTerm") === 1,
};
