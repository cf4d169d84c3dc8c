/**
 * How far the number of consumers may be taken back. Two speeds: what the rate needs is judged by the median of a long
 * window, because rates come back; what the backlog needed is released as soon as it is worked off.
 */

export interface NeedSample {
  readonly atMs: number;
  /** Consumers for what arrives, without a jump. */
  readonly forArrivals: number;
  /** Consumers for what arrives, a jump included. */
  readonly forJump: number;
  /** Consumers for what waits. */
  readonly forBacklog: number;
}

export interface Hold {
  /** How long what the rate needed is remembered, in milliseconds. */
  readonly ratesMs: number;
  /** How long what the backlog needed is remembered, in milliseconds. */
  readonly backlogMs: number;
  /** Whether the moves have been contradicting each other: then jumps come back, and are remembered as well. */
  readonly isFlapping: boolean;
}

// A need that is met to the last percent is exceeded the next moment.
const MARGIN = 1.1;
// Half a tenth of a consumer is not worth one.
const NEGLIGIBLE = 0.05;

// Now and then a move is taken back without any pattern in what arrives.
const FLAPPING_FACTOR = 4;

/** How long to remember, from how long a start takes and whether the moves have been contradicting each other. */
export function holdFor(leadMs: number, factor: number): Hold {
  return {
    ratesMs: Math.min(600_000, Math.max(120_000, 4 * leadMs)),
    backlogMs: Math.max(10_000, leadMs) * factor,
    isFlapping: factor >= FLAPPING_FACTOR,
  };
}

export function addNeed(samples: readonly NeedSample[], sample: NeedSample, hold: Hold): readonly NeedSample[] {
  const sinceMs = sample.atMs - Math.max(hold.ratesMs, hold.backlogMs);
  return [...samples.filter(({ atMs }) => atMs >= sinceMs), sample];
}

/**
 * The fewest consumers that the last while allows, at least 1.
 *
 * @param samples the present moment's is the last
 * @param isSoonAfterOut whether consumers were added within the hold: then the highest rate of it counts, not the median
 */
export function stabilise(samples: readonly NeedSample[], hold: Hold, isSoonAfterOut: boolean, nowMs: number): number {
  const since = (ms: number): readonly NeedSample[] => samples.filter(({ atMs }) => atMs >= nowMs - ms);
  const rates = since(hold.ratesMs).map(({ forArrivals }) => forArrivals);
  const recent = since(hold.backlogMs);
  const jumps = (hold.isFlapping ? recent : samples.slice(-1)).map(({ forJump }) => forJump);
  const sorted = rates.toSorted((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
  const backlog = Math.max(0, ...recent.map(({ forBacklog }) => forBacklog));
  const settled = Math.ceil(Math.max(median, ...jumps) * MARGIN + backlog - NEGLIGIBLE);
  const highest = isSoonAfterOut ? Math.ceil((sorted.at(-1) ?? 0) - NEGLIGIBLE) : 0;
  return Math.max(1, settled, highest);
}

/** Whether so few are worth a move: one that saves next to nothing is not. */
export function isWorthwhile(current: number, fewer: number): boolean {
  return current - fewer >= 0.1 * current;
}

/** Consumers for a need in fractions. */
export function wholeConsumers(need: number): number {
  return Math.max(0, Math.ceil(need - NEGLIGIBLE));
}
