/** How many messages the next read asks for: new ones, or ones that come again. */

export interface ReadAhead {
  /** New messages in memory that no batch has taken yet. */
  readonly buffered: number;
  readonly bufferedBytes: number;
  /** Batches that somebody is waiting for at this moment. */
  readonly wanted: number;
  /** Mean size of a message lately, in bytes; 0 before the first. */
  readonly meanBytes: number;
}

export interface ReadPolicy {
  readonly batchSize: number;
  /** Batches read ahead of the ones that are wanted. */
  readonly prefetch: number;
  readonly maxBytes: number;
}

// A single reply of this many entries already costs nothing per entry to ask for; more only delays the first.
const LARGEST_READ = 5_000;
// These are named one by one to a script, which takes no more than some thousands of arguments.
const LARGEST_REDELIVERY = 1_000;

/** Says how many entries to read; 0 means that no read is issued until something changes. */
export function decideFetchSize(ahead: ReadAhead, policy: ReadPolicy): number {
  if (ahead.bufferedBytes >= policy.maxBytes) return 0;
  const missing = policy.batchSize * (ahead.wanted + policy.prefetch) - ahead.buffered;
  if (missing <= 0) return 0;
  return Math.max(1, Math.min(missing, fitting(ahead, policy), LARGEST_READ));
}

export interface RedeliveredAhead {
  /** Redelivered messages in memory that no batch has taken yet. */
  readonly buffered: number;
  readonly bufferedBytes: number;
  readonly meanBytes: number;
}

/** Says how many messages that are due are read again: one batch ahead at most, as far as it fits into memory. */
export function decideRedeliverySize(
  ahead: RedeliveredAhead,
  policy: Pick<ReadPolicy, "batchSize" | "maxBytes">,
): number {
  const missing = policy.batchSize - ahead.buffered;
  if (missing <= 0 || ahead.bufferedBytes >= policy.maxBytes) return 0;
  return Math.max(1, Math.min(missing, fitting(ahead, policy), LARGEST_REDELIVERY));
}

/** How many messages fit by the mean; it may be none, but one that is larger than what is left must still come through. */
function fitting(
  { bufferedBytes, meanBytes }: RedeliveredAhead,
  { batchSize, maxBytes }: Pick<ReadPolicy, "batchSize" | "maxBytes">,
): number {
  return meanBytes > 0 ? Math.floor((maxBytes - bufferedBytes) / meanBytes) : batchSize;
}
