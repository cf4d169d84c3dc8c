/** What the rate of a group means for its number of consumers: where it binds, more of them would only wait for it. */
import type { RateLimit } from "@redis-batch/core";
import { isAlive, type Registration } from "@redis-batch/core/internal/groups";

/** The rate that all consumers of a group share. */
export interface ObservedRate extends RateLimit {
  /** Whether a consumer has messages in memory that wait for their time. */
  readonly isBinding: boolean;
}

// Batches come at odd times, and handlers are not always as fast: exactly enough would be too few.
const HEADROOM = 1.25;

/** The rate of a group, by its registry; `null`: it has none. */
export function observeRate(
  limit: RateLimit | null,
  registry: ReadonlyMap<string, Registration>,
  nowMs: number,
): ObservedRate | null {
  if (limit === null) return null;
  const living = [...registry.values()].filter((each) => isAlive(each, nowMs));
  return { ...limit, isBinding: living.some(({ details }) => details.intake === "rate-limited") };
}

/**
 * How many consumers can be of use at that rate: those that are there, where some wait for it; otherwise as many as could use all
 * of it. Never fewer than there are: the rate is no reason to take one away.
 *
 * @param perConsumerPerSecond 0 or less: unknown
 */
export function mostForRate(
  rate: ObservedRate | null | undefined,
  current: number,
  perConsumerPerSecond: number,
): number {
  if (rate === null || rate === undefined || current === 0) return Number.POSITIVE_INFINITY;
  if (rate.isBinding) return current;
  if (perConsumerPerSecond <= 0) return Number.POSITIVE_INFINITY;
  const perSecond = (rate.messages * 1_000) / rate.perMs;
  return Math.max(current, Math.ceil((HEADROOM * perSecond) / perConsumerPerSecond));
}

/** Why there are not more. */
export function whyRate(rate: ObservedRate | null | undefined): string {
  const limit =
    rate == null ? "has a rate" : `offers at most ${rate.messages} messages per ${rate.perMs} ms (its rate)`;
  return `the group ${limit}, so more consumers would only wait for it`;
}
