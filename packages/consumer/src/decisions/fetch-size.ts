/** How many new messages the next read asks for. */

export interface ReadAhead {
  /** New messages in memory that no batch has taken yet. */
  readonly buffered: number;
  readonly bufferedBytes: number;
  /** Batches that somebody is waiting for at this moment. */
  readonly wanted: number;
  /** Messages put off until later; they are held, too. */
  readonly deferred: number;
  /** Mean size of a message so far, in bytes; 0 before the first. */
  readonly meanBytes: number;
}

export interface ReadPolicy {
  readonly batchSize: number;
  /** Batches read ahead of the ones that are wanted. */
  readonly prefetch: number;
  readonly maxBytes: number;
  readonly maxDeferred: number;
}

// A single reply of this many entries already costs nothing per entry to ask for; more only delays the first.
const LARGEST_READ = 5_000;

/** Says how many entries to read; 0 means that no read is issued until something changes. */
export function decideFetchSize(ahead: ReadAhead, policy: ReadPolicy): number {
  if (ahead.deferred >= policy.maxDeferred || ahead.bufferedBytes >= policy.maxBytes) return 0;
  const missing = policy.batchSize * (ahead.wanted + policy.prefetch) - ahead.buffered;
  if (missing <= 0) return 0;
  const fitting =
    ahead.meanBytes > 0 ? Math.floor((policy.maxBytes - ahead.bufferedBytes) / ahead.meanBytes) : policy.batchSize;
  // At least one: a message larger than what is left must still come through.
  return Math.max(1, Math.min(missing, fitting, LARGEST_READ));
}
