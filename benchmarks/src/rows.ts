/** Makes rows of the rounds of a scenario, and judges them. */
import { type Figures, METRICS, type Metric, RARE, type Target } from "./figures.ts";
import { pairedDifferences, pairedRatios, type Spread, spreadOf } from "./statistics.ts";

/** One figure of a scenario, ours against the reference. */
export interface Row {
  readonly scenario: string;
  readonly metric: Metric;
  readonly rounds: number;
  readonly ours: Spread;
  readonly reference: Spread;
  /** Ours divided by the reference's, pair by pair; `null` where the reference has nothing to divide by. */
  readonly ratio: Spread | null;
  /** Ours less the reference's, pair by pair. */
  readonly difference: Spread;
  readonly target: Target | null;
  /** Whether the median is within the target; `null`: there is none. */
  readonly met: boolean | null;
  /** Whether the machine had so much else to do, or the rounds differ by so much, that the row says little. */
  readonly noisy: boolean;
}

/** Both contenders, one after the other. */
export interface Pair {
  readonly ours: Figures;
  readonly reference: Figures;
}

/** A row for each figure that is shown, and that both contenders have in every round. */
export function rowsOf(
  scenario: { readonly name: string; readonly targets: readonly Target[]; readonly metrics?: readonly Metric[] },
  pairs: readonly Pair[],
  noisy: boolean,
): readonly Row[] {
  const isShown = (metric: Metric): boolean => scenario.metrics?.includes(metric) ?? !RARE.includes(metric);
  return METRICS.filter(isShown).flatMap((metric) => {
    const ours = pairs.flatMap((pair) => pair.ours[metric] ?? []);
    const reference = pairs.flatMap((pair) => pair.reference[metric] ?? []);
    if (ours.length < pairs.length || reference.length < pairs.length) return [];
    const measured = {
      ours: spreadOf(ours),
      reference: spreadOf(reference),
      ratio: reference.includes(0) ? null : pairedRatios(ours, reference),
      difference: pairedDifferences(ours, reference),
    };
    const target = scenario.targets.find((one) => one.metric === metric) ?? null;
    const judged = target === null ? null : measured[target.of];
    const met = target === null || judged === null ? null : isMet(target, judged.median);
    const isUnsure = noisy || (measured.ratio !== null && isWide(measured.ratio));
    return [{ scenario: scenario.name, metric, rounds: pairs.length, ...measured, target, met, noisy: isUnsure }];
  });
}

/** Whether a figure is within its target. */
export function isMet({ bound, value }: Target, figure: number): boolean {
  return bound === "at most" ? figure <= value : figure >= value;
}

/**
 * How far a figure is from its target: below 1 it is met, at 2 it would have to be twice as good.
 */
export function distanceTo({ bound, value }: Target, figure: number): number {
  return bound === "at most" ? figure / value : value / figure;
}

/** Rounds that differ by more say that something else happened in one of them. */
const WIDEST = 1.5;

/** Whether the largest ratio is so much more than the smallest that their middle says little. */
function isWide({ min, max }: Spread): boolean {
  return max > min * WIDEST;
}

/** Above it the probe took so much longer than its own work takes that others had a fifth of the machine. */
const NOISE_LIMIT = 1.25;

/** Whether the machine was too busy with other things, from how much longer than alone the probe took each time. */
export function isNoisy(slowdowns: readonly number[]): boolean {
  return spreadOf(slowdowns).median > NOISE_LIMIT;
}
