/** The middle and the ends of some figures. */
export interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

/** @throws {RangeError} when there are no figures */
export function spreadOf(figures: readonly number[]): Spread {
  const sorted = figures.toSorted((left, right) => left - right);
  const middle = sorted.length >> 1;
  const upper = sorted[middle];
  if (upper === undefined) throw new RangeError("no figures");
  const median = sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
  return { min: sorted[0] as number, median, max: sorted.at(-1) as number };
}

/**
 * The ratios of two contenders that ran in turn, pair by pair: a machine that gets slower during the run slows both of
 * a pair, so the ratio holds where the figures themselves do not.
 */
export function pairedRatios(ours: readonly number[], reference: readonly number[]): Spread {
  if (ours.length !== reference.length) throw new RangeError("figures that were not measured in pairs");
  return spreadOf(ours.map((figure, index) => figure / (reference[index] as number)));
}
