/** The middle and the ends of some figures. */
export interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

/** @throws {RangeError} when there are no figures */
export function spreadOf(figures: readonly number[]): Spread {
  return { min: quantileOf(figures, 0), median: quantileOf(figures, 0.5), max: quantileOf(figures, 1) };
}

/**
 * The figure below which that share of all figures lies, between two of them where it falls there.
 *
 * @throws {RangeError} when there are no figures
 */
export function quantileOf(figures: readonly number[], share: number): number {
  const sorted = figures.toSorted((left, right) => left - right);
  const place = (sorted.length - 1) * share;
  const below = sorted[Math.floor(place)];
  const above = sorted[Math.ceil(place)];
  if (below === undefined || above === undefined) throw new RangeError("no figures");
  return below + (above - below) * (place - Math.floor(place));
}

/** What `combine` makes of two contenders that ran in turn, pair by pair. */
function paired(
  ours: readonly number[],
  reference: readonly number[],
  combine: (ours: number, reference: number) => number,
): Spread {
  if (ours.length !== reference.length) throw new RangeError("figures that were not measured in pairs");
  return spreadOf(ours.map((figure, index) => combine(figure, reference[index] as number)));
}

/**
 * The ratios of two contenders that ran in turn, pair by pair: a machine that gets slower during the run slows both of
 * a pair, so the ratio holds where the figures themselves do not.
 */
export function pairedRatios(ours: readonly number[], reference: readonly number[]): Spread {
  return paired(ours, reference, (one, other) => one / other);
}

/** By how much ours are larger, pair by pair. */
export function pairedDifferences(ours: readonly number[], reference: readonly number[]): Spread {
  return paired(ours, reference, (one, other) => one - other);
}
