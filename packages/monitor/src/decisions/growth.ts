/**
 * Whether a backlog, or an age, grows through its noise: a test on how much it changes from look to look. A test on its
 * height (Mann-Kendall, a line through the points) calls most steady loads growing, because a backlog adds up the noise of
 * all looks before: `docs/adr/0015-growth-through-noise.md`.
 */

/** How sure it must be, in standard deviations of the sum of a whole window, before growth is called growth. */
const SURE = 3.5;
/** Times that where it was empty in the meantime: what cannot fall below 0 wanders up without any overload. */
const SURER = 1.05;
/** Nobody need be surer than that, however few the looks. */
const SUREST = 5;
/** Below that it is not called growth any more. Far from the other, so that it does not flap. */
const STILL_SURE = 2.3;
/** The last part of a window, and how sure it must be there that it shrinks, which ends growth sooner. */
const RECENT_SHARE = 0.2;
const SHRINKS = -2.5;
/** Fewer looks say nothing, even without any noise. */
export const LEAST_LOOKS = 6;

export interface GrowthRules {
  /** From how many looks growth is judged, beside the one they are compared with. While there are fewer it must be clearer. */
  readonly looks: number;
  /** Noise to reckon with in any case, in the unit of the values: what is smaller is chance. */
  readonly leastNoise: number;
}

/** Says whether the values, one per look and the oldest first, grow. `before`: what was said one look ago. */
export function isGrowing(values: readonly number[], before: boolean, rules: GrowthRules): boolean {
  if (values.length < LEAST_LOOKS) return false;
  const certainty = certaintyOf(values, rules.leastNoise);
  const changes = values.length - 1;
  if (!before) {
    // While the window fills, each look is one more chance to be wrong: the bound is the same for the sum of the changes.
    const sure = values.includes(0) ? SURE * SURER : SURE;
    return certainty >= Math.min(sure * Math.sqrt(Math.max(rules.looks / changes, 1)), SUREST);
  }
  const recent = values.slice(-Math.max(Math.ceil(changes * RECENT_SHARE), LEAST_LOOKS));
  return certainty >= STILL_SURE && certaintyOf(recent, rules.leastNoise) > SHRINKS;
}

/**
 * How far the mean change lies from none, in standard deviations; of a few changes as many fewer as their spread is
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
 * A last change that is far larger than those before would count as noise, and make growth look less certain. Beyond this
 * point, where the certainty is at its turn, it counts no further: more that waits never makes a verdict better.
 */
function limitLast(change: number, sum: number, squares: number): number {
  if (sum === 0) return change;
  const turn = squares / sum;
  return sum > 0 ? Math.min(change, turn) : Math.max(change, turn);
}

const at = (values: readonly number[], index: number): number => values[index] ?? 0;
