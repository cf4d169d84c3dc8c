/** The rule of the original: the messages that wait, in relation to those that are pending. */

export interface RatioThresholds {
  /** From so many percent on a consumer is added. */
  readonly scaleOutRate: number;
  /** Below so many percent a consumer is taken away. */
  readonly scaleInRate: number;
}

/** What the rule says: one consumer more, one less, or neither. */
export type Direction = "OUT" | "IN" | "NO_SCALE";

/**
 * Waiting messages in percent of the pending ones, 1 to 100, to four decimals; 0 when nothing is pending.
 *
 * @param waiting entries that were not delivered to the group yet
 * @param pending entries that were delivered and are not acknowledged
 */
export function scaleRate(waiting: number, pending: number): number {
  if (pending === 0) return 0;
  const percent = Math.min(Math.max((waiting / pending) * 100, 1), 100);
  return Math.round(percent * 10_000) / 10_000;
}

/**
 * Says which way to go. A group in which nothing waits and nothing is pending is left as it is, so that it is never
 * scaled in: that is the original's rule, and where the throughput strategy differs most.
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
