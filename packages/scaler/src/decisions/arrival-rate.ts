/** The arrival rate, separated from noise: over a short and a long window, and whether it has just jumped. */

import { addSample, type Sample, sampleAt } from "./samples.ts";

export interface ArrivalMemory {
  readonly samples: readonly Sample[];
  /** Since when the rate has been clearly higher than before; `null` if it is not. */
  readonly jumpSinceMs: number | null;
}

export interface Arrivals {
  /** Messages per second in the short window. */
  readonly fastPerSecond: number;
  /** Messages per second in the long window. */
  readonly slowPerSecond: number;
  /** How long the rate has been higher than noise explains, in milliseconds; 0 if it is not. */
  readonly jumpAgeMs: number;
  /** How much higher, in messages per second; 0 without a jump. */
  readonly jumpPerSecond: number;
  /** The rate to plan for when adding consumers: a jump counts in proportion to its duration. */
  readonly outPerSecond: number;
  /** The rate to plan for when removing consumers: a jump counts in full at once. */
  readonly inPerSecond: number;
}

export const NO_ARRIVALS: ArrivalMemory = { samples: [], jumpSinceMs: null };

const FAST_MS = 15_000;
const SLOW_MS = 90_000;
// A slow trickle is watched for longer, until this many messages have arrived.
const SLOWEST_MS = 900_000;
const ENOUGH_ARRIVALS = 40;
// Beyond this many standard deviations it is not noise.
const SIGMAS = 3;
const FEWEST_OF_A_JUMP = 3;
// Bursty arrivals vary more than independent ones; beyond this it is a pattern, not noise.
const MOST_DISPERSION = 20;
const DISPERSION_SAMPLES = 25;

/** Adds a sample of the total number of messages. */
export function measureArrivals(
  memory: ArrivalMemory,
  added: number,
  nowMs: number,
): { readonly memory: ArrivalMemory; readonly arrivals: Arrivals } {
  let samples = addSample(memory.samples, { atMs: nowMs, count: added }, SLOWEST_MS);
  const over = (windowMs: number): number => meanRate(samples, nowMs - windowMs);
  const fastPerSecond = over(FAST_MS);
  const middle = over(SLOW_MS);
  let windowMs = SLOW_MS;
  while (windowMs < SLOWEST_MS && (over(windowMs) * windowMs) / 1_000 < ENOUGH_ARRIVALS) windowMs *= 2;
  windowMs = Math.min(windowMs, SLOWEST_MS);
  let slowPerSecond = over(windowMs);
  const dispersion = dispersionOf(samples);
  const deviation = (seconds: number): number =>
    Math.sqrt((dispersion * Math.max(slowPerSecond, 1_000 / windowMs)) / seconds);
  if (windowMs > SLOW_MS && Math.abs(middle - slowPerSecond) > SIGMAS * deviation(SLOW_MS / 1_000)) {
    // The rate has changed: earlier samples no longer count.
    const first = samples.findIndex(({ atMs }) => atMs >= nowMs - SLOW_MS);
    samples = samples.slice(Math.max(0, Math.min(first, samples.length - 2)));
    slowPerSecond = middle;
  }
  const cameOfLate = added - (sampleAt(samples, nowMs - FAST_MS)?.count ?? added);
  const isJump = fastPerSecond > slowPerSecond + SIGMAS * deviation(FAST_MS / 1_000) && cameOfLate >= FEWEST_OF_A_JUMP;
  const jumpSinceMs = isJump ? (memory.jumpSinceMs ?? samples.at(-2)?.atMs ?? nowMs) : null;
  const jumpAgeMs = jumpSinceMs === null ? 0 : nowMs - jumpSinceMs;
  const jumpPerSecond = isJump ? fastPerSecond - slowPerSecond : 0;
  return {
    memory: { samples, jumpSinceMs },
    arrivals: {
      fastPerSecond,
      slowPerSecond,
      jumpAgeMs,
      jumpPerSecond,
      outPerSecond: slowPerSecond + jumpPerSecond * Math.min(1, jumpAgeMs / FAST_MS),
      inPerSecond: slowPerSecond + jumpPerSecond,
    },
  };
}

/** Per second since a moment, or since the first sample. */
function meanRate(samples: readonly Sample[], sinceMs: number): number {
  const from = sampleAt(samples, sinceMs);
  const to = samples.at(-1);
  if (from === undefined || to === undefined || to.atMs <= from.atMs) return 0;
  return ((to.count - from.count) * 1_000) / (to.atMs - from.atMs);
}

/** Index of dispersion of the counts between passes: 1 for independent arrivals, more for bursts. */
function dispersionOf(samples: readonly Sample[]): number {
  const latest = samples.slice(-DISPERSION_SAMPLES - 1);
  const counts = latest.slice(1).map(({ count }, index) => count - (latest[index]?.count ?? count));
  if (counts.length <= 7) return 1;
  const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  if (mean <= 0) return 1;
  const variance = counts.reduce((sum, count) => sum + (count - mean) ** 2, 0) / counts.length;
  const index = Math.min(MOST_DISPERSION, Math.max(1, variance / mean));
  // With very few messages the index itself is noise.
  return 1 + ((index - 1) * mean) / (mean + 1);
}
