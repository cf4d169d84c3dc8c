/** Samples of a count that only grows. */

export interface Sample {
  readonly atMs: number;
  readonly count: number;
}

/** Adds a sample and drops those older than `keepMs`; keeps at least one to compare with. */
export function addSample(samples: readonly Sample[], sample: Sample, keepMs: number): readonly Sample[] {
  const first = samples.findIndex(({ atMs }) => atMs >= sample.atMs - keepMs);
  return [...samples.slice(first === -1 ? Math.max(0, samples.length - 1) : first), sample];
}

/** The latest sample at or before a moment, or the oldest one. */
export function sampleAt(samples: readonly Sample[], atMs: number): Sample | undefined {
  return samples.findLast((sample) => sample.atMs <= atMs) ?? samples[0];
}

/** How much the count grew per second between two moments; `null` if the samples do not reach back that far. */
export function ratePerSecond(samples: readonly Sample[], fromMs: number, toMs: number): number | null {
  const from = samples.findLast(({ atMs }) => atMs <= fromMs);
  const to = samples.findLast(({ atMs }) => atMs <= toMs);
  if (from === undefined || to === undefined || to.atMs <= from.atMs) return null;
  return ((to.count - from.count) * 1_000) / (to.atMs - from.atMs);
}
