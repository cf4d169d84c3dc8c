/** The time from the order of a consumer until it works. */

// Until the first start was observed.
const PRIOR_MS = 15_000;
const LATEST = 20;
// Rather too long than too short: some starts take longer than most.
const QUANTILE = 0.7;
const SHORTEST_MS = 2_000;

/** From the latest start-up times, in milliseconds; `null` keeps the last known time, or the initial assumption. */
export function measureLeadMs(knownMs: number | null, startUpsMs: readonly number[]): number | null {
  if (startUpsMs.length === 0) return knownMs;
  const sorted = startUpsMs.slice(-LATEST).toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(QUANTILE * sorted.length))] ?? knownMs;
}

/** The time to plan with, in milliseconds. */
export function leadMsOf(knownMs: number | null): number {
  return Math.max(SHORTEST_MS, knownMs ?? PRIOR_MS);
}
