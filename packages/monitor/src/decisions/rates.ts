/** Throughput, from two looks at counters that only grow. */

export interface Counters {
  readonly atMs: number;
  /** Entries that were ever added to the stream. */
  readonly added: number;
  /** Messages the group has read and that are not pending any more; `null` when the server does not know. */
  readonly finished: number | null;
}

export interface Rates {
  readonly inPerSecond: number | null;
  readonly outPerSecond: number | null;
}

/** Rates between two looks; `null` without a look before, and where a counter went back: it is another stream's now. */
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
