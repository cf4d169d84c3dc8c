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

/** What is read ahead takes this long to work off: no other consumer could have it much sooner. */
const AHEAD_MS = 10;
/** Most messages that are read ahead for that reason, whatever `prefetch` says. More makes reads hardly cheaper. */
const MOST_AHEAD = 1_000;

/**
 * How many batches are read ahead: `prefetch`, and more while batches are so quick that several are worked off in a moment.
 * One read of many messages costs the client half of many reads of few.
 */
export function decideReadAhead(
  { batchSize, prefetch }: Pick<ReadPolicy, "batchSize" | "prefetch">,
  batchTakesMs: number,
): number {
  return prefetch === 0 ? 0 : Math.max(prefetch, Math.floor(Math.min(AHEAD_MS / batchTakesMs, MOST_AHEAD / batchSize)));
}

/** The most messages that are read ahead. */
export function mostReadAhead(policy: Pick<ReadPolicy, "batchSize" | "prefetch">): number {
  return policy.batchSize * decideReadAhead(policy, 0);
}

/** How many entries to read; 0: send no read until something changes. */
export function decideFetchSize(ahead: ReadAhead, policy: ReadPolicy): number {
  if (ahead.bufferedBytes >= policy.maxBytes) return 0;
  const room = policy.batchSize * (ahead.wanted + policy.prefetch);
  if (room === 0) return 0;
  // All streams share the room, but each has enough for one batch: with less, its batches would never be full.
  const share = Math.max(room - (ahead.bufferedElsewhere ?? 0), policy.batchSize);
  const missing = share - ahead.buffered;
  if (missing <= 0) return 0;
  // Nobody waits for a message while a batch of them is in memory: then one larger read later costs less than two small ones.
  if (ahead.buffered >= policy.batchSize && missing < share / 2) return 0;
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
