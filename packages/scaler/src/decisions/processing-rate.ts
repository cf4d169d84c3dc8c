/**
 * How many messages one consumer processes per second when it has enough of them: from its busy time, not from its
 * output, which says nothing about a consumer that waits for work.
 */

import type { WorkCounters } from "../observation.ts";

interface TotalsSample {
  readonly atMs: number;
  readonly totals: WorkCounters;
}

export interface ProcessingMemory {
  readonly samples: readonly TotalsSample[];
  /** When the work that counts as recent began; `null`: with the first sample. */
  readonly recentSinceMs: number | null;
  /** The best estimate, in messages per second and consumer; 0: none. */
  readonly perSecond: number;
}

export const NOTHING_PROCESSED: ProcessingMemory = { samples: [], recentSinceMs: null, perSecond: 0 };

/** A window of work. */
interface Work {
  readonly batches: number;
  readonly processed: number;
  readonly busyMs: number;
  readonly sizeSquared: number;
  readonly sizeTimesBusyMs: number;
  readonly busyMsSquared: number;
  /** Busy milliseconds per message, and the standard error of it. */
  readonly msPerMessage: number;
  readonly error: number;
}

const LONGEST_WINDOW_MS = 600_000;
const FEWEST_BATCHES = 30;
// Windows are as short as this precision of the mean allows, so that a change is noticed soon.
const ENOUGH_PRECISION = 0.03;
const FEWEST_OF_A_PRECISE_WINDOW = 40;
// Batches that are this full show the time of full ones directly.
const NEARLY_FULL = 0.95;
// The slope of the line of time over size must be this many standard errors above 0 to be used.
const LEAST_CERTAINTY = 3;

/** Adds the consumers' work. Without consumers that report it, the last estimate is kept. */
export function measureProcessing(
  memory: ProcessingMemory,
  totals: WorkCounters | null,
  batchSize: number,
  nowMs: number,
): ProcessingMemory {
  if (totals === null) return { ...memory, samples: [], recentSinceMs: null };
  const samples = [...memory.samples, { atMs: nowMs, totals }];
  let first = 0;
  while (
    samples.length - first > 2 &&
    nowMs - (samples[first]?.atMs ?? nowMs) > LONGEST_WINDOW_MS &&
    totals.batches - (samples[first + 1]?.totals.batches ?? 0) >= FEWEST_BATCHES
  ) {
    first++;
  }
  const kept = samples.slice(first);
  const all = workBetween(kept[0]?.totals ?? totals, totals);
  if (all === null || all.batches < 3 || all.busyMs < 1_000) return { ...memory, samples: kept };
  const { recent, sinceMs } = recentWork(kept, memory.recentSinceMs, all);
  const perSecond = fullBatchRate(all, recent, batchSize) ?? 1_000 / recent.msPerMessage;
  return { samples: kept, recentSinceMs: sinceMs, perSecond };
}

/** The work since a moment that only moves on, as far as the mean since then stays precise. */
function recentWork(
  samples: readonly TotalsSample[],
  sinceMs: number | null,
  all: Work,
): { readonly recent: Work; readonly sinceMs: number | null } {
  const totals = samples.at(-1)?.totals;
  if (totals === undefined) return { recent: all, sinceMs };
  let first = Math.max(
    0,
    samples.findIndex(({ atMs }) => atMs >= (sinceMs ?? 0)),
  );
  let recent = workBetween(samples[first]?.totals ?? totals, totals) ?? all;
  while (samples.length - first > 3 && isPrecise(recent)) {
    const shorter = workBetween(samples[first + 1]?.totals ?? totals, totals);
    if (shorter === null || shorter.batches < FEWEST_OF_A_PRECISE_WINDOW || !isPrecise(shorter)) break;
    first++;
    recent = shorter;
  }
  return { recent, sinceMs: samples[first]?.atMs ?? null };
}

function isPrecise(work: Work): boolean {
  return work.error < ENOUGH_PRECISION * work.msPerMessage;
}

function workBetween(from: WorkCounters, to: WorkCounters): Work | null {
  const batches = to.batches - from.batches;
  const processed = to.processed - from.processed;
  const busyMs = to.busyMs - from.busyMs;
  if (batches < 2 || processed <= 0 || busyMs <= 0) return null;
  const sizeSquared = to.sizeSquared - from.sizeSquared;
  const sizeTimesBusyMs = to.sizeTimesBusyMs - from.sizeTimesBusyMs;
  const busyMsSquared = to.busyMsSquared - from.busyMsSquared;
  const msPerMessage = busyMs / processed;
  // Standard error of a ratio of two means: the spread of the batches' times around those expected from their sizes.
  const scatter = busyMsSquared - 2 * msPerMessage * sizeTimesBusyMs + msPerMessage ** 2 * sizeSquared;
  const variance = Math.max(0, scatter) / (batches - 1);
  const error = Math.sqrt(variance / batches) / (processed / batches);
  return { batches, processed, busyMs, sizeSquared, sizeTimesBusyMs, busyMsSquared, msPerMessage, error };
}

/**
 * Messages per second with full batches: the line of time over size, extrapolated. A group that keeps up has small
 * batches, whose fixed cost makes its consumers look slower than they are. All work gives the line's shape, because that takes
 * many batches, and recent work its height, because that changes. `null`: the line is too uncertain.
 */
function fullBatchRate(work: Work, recent: Work, batchSize: number): number | null {
  const { batches } = work;
  if (batches < FEWEST_BATCHES || recent.processed >= NEARLY_FULL * batchSize * recent.batches) return null;
  const size = work.processed / batches;
  const busyMs = work.busyMs / batches;
  const sizeVariation = work.sizeSquared - work.processed * size;
  const covariation = work.sizeTimesBusyMs - work.processed * busyMs;
  const busyVariation = work.busyMsSquared - work.busyMs * busyMs;
  if (sizeVariation <= 0.02 * work.processed * size || covariation <= 0) return null;
  const msPerMessage = covariation / sizeVariation;
  const residual = Math.max(0, busyVariation - msPerMessage * covariation) / (batches - 2);
  if (msPerMessage < LEAST_CERTAINTY * Math.sqrt(residual / sizeVariation)) return null;
  const error = Math.sqrt(residual * (1 / batches + size ** 2 / sizeVariation));
  // The fixed cost minus one standard error: rather too slow than too fast.
  const fixedMs = Math.min(0.9 * busyMs, Math.max(0, busyMs - msPerMessage * size - error));
  const variableMs = (busyMs - fixedMs) / size;
  const height = recent.busyMs / (recent.batches * fixedMs + recent.processed * variableMs);
  return (batchSize * 1_000) / (height * (fixedMs + variableMs * batchSize));
}
