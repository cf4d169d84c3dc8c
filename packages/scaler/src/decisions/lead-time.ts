/** How long a consumer takes from its order until it works. */

// Until the first start was seen.
const PRIOR_MS = 15_000;
const LATEST = 20;
// Rather late than early: some starts take longer than most.
const QUANTILE = 0.7;
const SHORTEST_MS = 2_000;

/** From the latest start-ups, in milliseconds; `null` keeps what is known, or supposed at first. */
export function measureLeadMs(knownMs: number | null, startUpsMs: readonly number[]): number | null {
  if (startUpsMs.length === 0) return knownMs;
  const sorted = startUpsMs.slice(-LATEST).toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(QUANTILE * sorted.length))] ?? knownMs;
}

/** What to reckon with, in milliseconds. */
export function leadMsOf(knownMs: number | null): number {
  return Math.max(SHORTEST_MS, knownMs ?? PRIOR_MS);
}
