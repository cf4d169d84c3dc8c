/**
 * Whether a backlog, or an age, grows in spite of its noise: a test on its changes from pass to pass. A test on its height
 * (Mann-Kendall, a line through the points) calls most steady loads growing, because a backlog accumulates the noise of
 * all earlier passes: `docs/adr/0015-growth-through-noise.md`.
 */

/** The certainty, in standard deviations of the sum of a whole window, from which on it counts as growth. */
const SURE = 3.5;
/** Multiplied by this if it was empty in the window: a value that cannot fall below 0 drifts up without any overload. */
const SURER = 1.05;
/** The maximum certainty that is required, however few the passes. */
const SUREST = 5;
/** Below this it no longer counts as growth. Far below the other limit, so that it does not flap. */
const STILL_SURE = 2.3;
/** The last part of a window, and the certainty that it shrinks there, which ends growth sooner. */
const RECENT_SHARE = 0.2;
const SHRINKS = -2.5;
/** Fewer passes say nothing, even without any noise. */
export const LEAST_PASSES = 6;

export interface GrowthRules {
  /** Number of passes in the window, beside the one they are compared with. While there are fewer, growth must be clearer. */
  readonly passes: number;
  /** Minimum noise, in the unit of the values: smaller changes are random. */
  readonly leastNoise: number;
}

/** Whether the values, one per pass and oldest first, grow. `before`: the verdict of the previous pass. */
export function isGrowing(values: readonly number[], before: boolean, rules: GrowthRules): boolean {
  if (values.length < LEAST_PASSES) return false;
  const certainty = certaintyOf(values, rules.leastNoise);
  const changes = values.length - 1;
  if (!before) {
    // While the window fills, each pass is one more chance to be wrong: the limit is the same for the sum of the changes.
    const sure = values.includes(0) ? SURE * SURER : SURE;
    return certainty >= Math.min(sure * Math.sqrt(Math.max(rules.passes / changes, 1)), SUREST);
  }
  const recent = values.slice(-Math.max(Math.ceil(changes * RECENT_SHARE), LEAST_PASSES));
  return certainty >= STILL_SURE && certaintyOf(recent, rules.leastNoise) > SHRINKS;
}

/**
 * The distance of the mean change from zero, in standard deviations; fewer for a few changes, because their spread is
 * uncertain (Wallace's approximation of Student's t by a normal deviate).
 */
function certaintyOf(values: readonly number[], leastNoise: number): number {
  const count = values.length - 1;
  const freedom = count - 1;
  const least = freedom * leastNoise * leastNoise;
  let [sum, squares] = [0, least];
  for (let index = 1; index < count; index++) {
    const change = at(values, index) - at(values, index - 1);
    sum += change;
    squares += change * change;
  }
  const last = limitLast(at(values, count) - at(values, count - 1), sum, squares);
  const mean = (sum + last) / count;
  const variance = Math.max(squares + last * last - count * mean * mean, least) / freedom;
  const t = mean / Math.sqrt(variance / count);
  const size = ((8 * freedom + 1) / (8 * freedom + 3)) * Math.sqrt(freedom * Math.log1p((t * t) / freedom));
  return Math.sign(t) * size;
}

/**
 * A last change that is far larger than those before would count as noise, and make growth look less certain. So it is
 * capped where the certainty would begin to fall: a larger backlog never makes a verdict better.
 */
function limitLast(change: number, sum: number, squares: number): number {
  if (sum === 0) return change;
  const turn = squares / sum;
  return sum > 0 ? Math.min(change, turn) : Math.max(change, turn);
}

const at = (values: readonly number[], index: number): number => values[index] ?? 0;
