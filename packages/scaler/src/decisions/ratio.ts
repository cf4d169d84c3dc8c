/** The rule of the Python original: waiting messages in relation to pending ones. */

export interface RatioThresholds {
  /** At this percentage or more, a consumer is added. */
  readonly scaleOutRate: number;
  /** Below this percentage, a consumer is removed. */
  readonly scaleInRate: number;
}

/** The result of the rule: one consumer more, one less, or no change. */
export type Direction = "OUT" | "IN" | "NO_SCALE";

/**
 * Waiting messages as a percentage of pending ones, 1 to 100, to four decimals; 0 if nothing is pending.
 *
 * @param waiting entries that have not been delivered to the group yet
 * @param pending entries that were delivered but not acknowledged
 */
export function scaleRate(waiting: number, pending: number): number {
  if (pending === 0) return 0;
  const percent = Math.min(Math.max((waiting / pending) * 100, 1), 100);
  return Math.round(percent * 10_000) / 10_000;
}

/**
 * Decides the direction. A group without waiting and pending messages is left unchanged, so it is never scaled in: that
 * is the original's rule, and the biggest difference to the throughput strategy.
 */
export function decideRatio(
  rate: number,
  waiting: number,
  consumers: number,
  { scaleOutRate, scaleInRate }: RatioThresholds,
): Direction {
  if (rate === 0) return waiting === 0 ? "NO_SCALE" : "OUT";
  if (rate < scaleInRate && consumers > 1) return "IN";
  return rate >= scaleOutRate ? "OUT" : "NO_SCALE";
}
