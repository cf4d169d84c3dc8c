/** How many consumers the load needs: to keep up with arrivals, and to clear the backlog. */

import type { Arrivals } from "./arrival-rate.ts";

export interface Load {
  readonly arrivals: Arrivals;
  /** Messages that one consumer processes per second; above 0. */
  readonly perConsumerPerSecond: number;
  readonly backlog: number;
  readonly ready: number;
  /** How long ago each consumer that is not ready yet was ordered, in milliseconds. */
  readonly startingMs: readonly number[];
  readonly leadMs: number;
  /** Messages in a full batch. */
  readonly batchSize: number;
  /** Whether the stream has partitions. */
  readonly isPartitioned: boolean;
}

export interface Need {
  /** Target utilisation of consumers, 0 to 1. */
  readonly utilisation: number;
  /** Target time to clear the backlog once new consumers work, in milliseconds. */
  readonly drainMs: number;
  /** The backlog when a consumer that is ordered now begins to work, in messages. */
  readonly leftover: number;
  /** Consumers for the arrivals; a fraction. */
  readonly forArrivals: number;
  /** Consumers for the backlog; a fraction. */
  readonly forBacklog: number;
}

// A backlog is cleared within this share of the objective.
const DRAIN_SHARE = 0.35;
// A jump is expected to last this many times as long as it has lasted.
const JUMP_LASTS = 3;
// All consumers may be busy for too long for one message in this many.
const SELDOM = 100;
const LEAST_UTILISATION = 0.74;
const MOST_UTILISATION = 0.93;
const MOST_WITH_PARTITIONS = 0.8;
// An objective of this many starts, and a shorter or longer one, gets the least and the most.
const LONG_START = 0.5;
const SHORT_START = 1.5;
// A start that takes three times as long as usual no longer counts.
const LATE_LEADS = 3;
// A new consumer is slow at first, so it counts as slightly less than one.
const WARM_UP_MS = 1_000;

export function measureNeed(load: Load, objectiveMs: number, chosenUtilisation: number | null): Need {
  const { arrivals, perConsumerPerSecond, leadMs } = load;
  const utilisation = chosenUtilisation ?? utilisationFor(objectiveMs, load);
  // Never shorter than a start takes: that would only order consumers that come too late.
  const drainMs = Math.max(leadMs, DRAIN_SHARE * objectiveMs);
  const leftover = leftoverAfterStart(load);
  return {
    utilisation,
    drainMs,
    leftover,
    forArrivals: consumersFor(arrivals.outPerSecond, load, objectiveMs, utilisation),
    forBacklog: (leftover * 1_000) / (perConsumerPerSecond * drainMs),
  };
}

/**
 * Consumers for this many messages per second: enough that they are not too busy, and enough beyond those that are busy on average that a
 * message seldom finds all of them busy for as long as the objective allows. The latter is more if a batch takes a good part of that.
 */
export function consumersFor(
  perSecond: number,
  { perConsumerPerSecond, batchSize }: Pick<Load, "perConsumerPerSecond" | "batchSize">,
  objectiveMs: number,
  utilisation: number,
): number {
  const busy = perSecond / perConsumerPerSecond;
  const batchMs = (batchSize * 1_000) / perConsumerPerSecond;
  // A message waits for its batch to be worked on, and may come to a batch that has just begun.
  const mayWaitMs = Math.max(objectiveMs / 4, objectiveMs - 2 * batchMs);
  // The wait for the first free one of several falls exponentially with those that are not needed, in times of a batch.
  const spare = (Math.log(Math.max(1, SELDOM * Math.min(1, busy))) * batchMs) / mayWaitMs;
  // Where a batch takes longer than the objective, no number of them would do.
  return Math.max(busy / utilisation, busy + Math.min(spare, 1 + busy));
}

/**
 * Until a consumer that is ordered for more arrivals works, the others need a reserve. The longer a start takes compared to the objective, the
 * larger it is. Owners of partitions cannot help each other, so the slowest of them needs one in any case.
 */
function utilisationFor(objectiveMs: number, { leadMs, isPartitioned }: Load): number {
  const most = isPartitioned ? MOST_WITH_PARTITIONS : MOST_UTILISATION;
  const share = (objectiveMs / leadMs - LONG_START) / (SHORT_START - LONG_START);
  return LEAST_UTILISATION + (most - LEAST_UTILISATION) * Math.min(1, Math.max(0, share));
}

/** The backlog now, plus arrivals until new consumers work, minus what current and starting consumers process until then. */
function leftoverAfterStart({ arrivals, perConsumerPerSecond, backlog, ready, startingMs, leadMs }: Load): number {
  let helpMs = ready * leadMs;
  for (const ageMs of startingMs) {
    if (ageMs < LATE_LEADS * leadMs) helpMs += Math.max(0, leadMs - Math.max(WARM_UP_MS, leadMs - ageMs));
  }
  const arriving =
    arrivals.slowPerSecond * leadMs + arrivals.jumpPerSecond * Math.min(leadMs, JUMP_LASTS * arrivals.jumpAgeMs);
  return Math.max(0, backlog + (arriving - perConsumerPerSecond * helpMs) / 1_000);
}
