/** How many messages the next read asks for: new ones, or ones that are redelivered. */

export interface ReadAhead {
  /** New messages in memory that no batch has taken yet. */
  readonly buffered: number;
  /** New messages of the consumer's other streams in memory. */
  readonly bufferedElsewhere?: number;
  readonly bufferedBytes: number;
  /** How many callers wait for a batch. */
  readonly wanted: number;
  /** Recent mean size of a message, in bytes; 0 before the first. */
  readonly meanBytes: number;
}

export interface ReadPolicy {
  readonly batchSize: number;
  /** How many batches are read ahead. */
  readonly prefetch: number;
  readonly maxBytes: number;
}

// In a reply of this size the request costs nothing per entry; a larger one only delays the first entry.
const LARGEST_READ = 5_000;
// Their ids are arguments of a script, which takes no more than some thousands.
const LARGEST_REDELIVERY = 1_000;

/** How many entries to read; 0: send no read until something changes. */
export function decideFetchSize(ahead: ReadAhead, policy: ReadPolicy): number {
  if (ahead.bufferedBytes >= policy.maxBytes) return 0;
  const room = policy.batchSize * (ahead.wanted + policy.prefetch);
  if (room === 0) return 0;
  // All streams share the room, but each has enough for one batch: with less, its batches would never be full.
  const missing = Math.max(room - (ahead.bufferedElsewhere ?? 0), policy.batchSize) - ahead.buffered;
  if (missing <= 0) return 0;
  return Math.max(1, Math.min(missing, fitting(ahead, policy), LARGEST_READ));
}

export interface RedeliveredAhead {
  /** Redelivered messages in memory that no batch has taken yet. */
  readonly buffered: number;
  readonly bufferedBytes: number;
  readonly meanBytes: number;
}

/** How many due messages to read again: at most one batch ahead, as far as they fit into memory. */
export function decideRedeliverySize(
  ahead: RedeliveredAhead,
  policy: Pick<ReadPolicy, "batchSize" | "maxBytes">,
): number {
  const missing = policy.batchSize - ahead.buffered;
  if (missing <= 0 || ahead.bufferedBytes >= policy.maxBytes) return 0;
  return Math.max(1, Math.min(missing, fitting(ahead, policy), LARGEST_REDELIVERY));
}

/** How many messages of mean size fit. It may be 0; a single message that is larger than the rest is read all the same. */
function fitting(
  { bufferedBytes, meanBytes }: RedeliveredAhead,
  { batchSize, maxBytes }: Pick<ReadPolicy, "batchSize" | "maxBytes">,
): number {
  return meanBytes > 0 ? Math.floor((maxBytes - bufferedBytes) / meanBytes) : batchSize;
}
