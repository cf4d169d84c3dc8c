/**
 * How far the number of consumers may be reduced. At two speeds: the need of the arrival rate is judged by the median of
 * a long window, because rates come back; the need of the backlog ends as soon as the backlog is cleared.
 */

export interface NeedSample {
  readonly atMs: number;
  /** Consumers for the arrivals, without a jump. */
  readonly forArrivals: number;
  /** Consumers for the arrivals, including a jump. */
  readonly forJump: number;
  /** Consumers for the backlog. */
  readonly forBacklog: number;
  /** Consumers that other streams keep busy. */
  readonly forOthers: number;
}

export interface Hold {
  /** How long the need of the rate is remembered, in milliseconds. */
  readonly ratesMs: number;
  /** How long the need of the backlog is remembered, in milliseconds. */
  readonly backlogMs: number;
  /** Whether the moves have contradicted each other: then jumps come back, and are remembered as well. */
  readonly isFlapping: boolean;
}

// A need that is met exactly is exceeded the next moment.
const MARGIN = 1.05;
// A twentieth of a consumer does not justify another one.
const NEGLIGIBLE = 0.05;

// Occasionally a move is reversed without any pattern in the arrivals.
const FLAPPING_FACTOR = 4;

/** How long to remember, from the start-up time and whether the moves have contradicted each other. */
export function holdFor(leadMs: number, factor: number): Hold {
  return {
    ratesMs: Math.min(600_000, Math.max(60_000, 3 * leadMs)),
    backlogMs: Math.max(10_000, leadMs) * factor,
    isFlapping: factor >= FLAPPING_FACTOR,
  };
}

export function addNeed(samples: readonly NeedSample[], sample: NeedSample, hold: Hold): readonly NeedSample[] {
  const sinceMs = sample.atMs - Math.max(hold.ratesMs, hold.backlogMs);
  return [...samples.filter(({ atMs }) => atMs >= sinceMs), sample];
}

/** The minimum number of consumers by the recent need, at least 1. */
export interface Settled {
  /** For the stream alone. */
  readonly own: number;
  /** How many more for the other streams of the same consumers. */
  readonly forOthers: number;
}

/**
 * What the recent need allows.
 *
 * @param samples the last one is the current
 * @param isSoonAfterOut whether consumers were added within the hold: then its highest rate counts, not the median
 */
export function stabilise(samples: readonly NeedSample[], hold: Hold, isSoonAfterOut: boolean, nowMs: number): Settled {
  const since = (ms: number): readonly NeedSample[] => samples.filter(({ atMs }) => atMs >= nowMs - ms);
  const rates = since(hold.ratesMs).map(({ forArrivals }) => forArrivals);
  const recent = since(hold.backlogMs);
  const jumps = (hold.isFlapping ? recent : samples.slice(-1)).map(({ forJump }) => forJump);
  const sorted = ascending(rates);
  // Their scalers know whether it is a rate, which comes back, or a backlog, which must be cleared first.
  const others = Math.max(
    median(ascending(since(hold.ratesMs).map(({ forOthers }) => forOthers))),
    ...recent.map(({ forOthers }) => forOthers),
  );
  const backlog = Math.max(0, ...recent.map(({ forBacklog }) => forBacklog));
  const rate = Math.max(median(sorted), ...jumps);
  const settled = (ratio: number): number => Math.ceil(ratio * MARGIN + backlog - NEGLIGIBLE);
  const highest = isSoonAfterOut ? Math.ceil((sorted.at(-1) ?? 0) - NEGLIGIBLE) : 0;
  const own = Math.max(1, settled(rate), highest);
  return { own, forOthers: Math.max(0, settled(rate + others) - own) };
}

const ascending = (values: readonly number[]): readonly number[] => values.toSorted((a, b) => a - b);

const median = (sorted: readonly number[]): number => sorted[Math.floor(sorted.length / 2)] ?? 0;

/** Whether the move is worth it: one that saves almost nothing is not. */
export function isWorthwhile(current: number, fewer: number): boolean {
  return current - fewer >= 0.1 * current;
}

/** Whole consumers for a fractional need. */
export function wholeConsumers(need: number): number {
  return Math.max(0, Math.ceil(need - NEGLIGIBLE));
}
