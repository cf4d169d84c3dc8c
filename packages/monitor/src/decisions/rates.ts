/** Throughput, from two readings of counters that only grow. */

export interface Counters {
  readonly atMs: number;
  /** Entries that were ever added to the stream. */
  readonly added: number;
  /** Messages that the group has read and that are no longer pending; `null` if the server does not know. */
  readonly finished: number | null;
}

export interface Rates {
  readonly inPerSecond: number | null;
  readonly outPerSecond: number | null;
}

/** Rates between two passes; `null` without an earlier pass, and if a counter has decreased: it is another stream now. */
export function decideRates(before: Counters | undefined, now: Counters): Rates {
  if (before === undefined) return { inPerSecond: null, outPerSecond: null };
  const seconds = (now.atMs - before.atMs) / 1_000;
  return {
    inPerSecond: perSecond(before.added, now.added, seconds),
    outPerSecond: perSecond(before.finished, now.finished, seconds),
  };
}

function perSecond(before: number | null, now: number | null, seconds: number): number | null {
  if (before === null || now === null || now < before || seconds <= 0) return null;
  return (now - before) / seconds;
}
