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

// A start that takes three times as long as usual no longer counts.
const LATE_LEADS = 3;
// A new consumer is slow at first, so it counts as slightly less than one.
const WARM_UP_MS = 1_000;

export function measureNeed(load: Load, objectiveMs: number, chosenUtilisation: number | null): Need {
  const { arrivals, perConsumerPerSecond, leadMs } = load;
  const utilisation = chosenUtilisation ?? utilisationFor(objectiveMs, leadMs);
  // Never shorter than a start takes: that would only order consumers that come too late.
  const drainMs = Math.max(leadMs, objectiveMs / 2);
  const leftover = leftoverAfterStart(load);
  return {
    utilisation,
    drainMs,
    leftover,
    forArrivals: arrivals.outPerSecond / (perConsumerPerSecond * utilisation),
    forBacklog: (leftover * 1_000) / (perConsumerPerSecond * drainMs),
  };
}

/** A reserve helps if starts are slow compared to the objective; if they are quick, it only costs. */
function utilisationFor(objectiveMs: number, leadMs: number): number {
  const leads = objectiveMs / leadMs;
  return Math.min(0.85, Math.max(0.7, 0.7 + 0.1 * (leads - 0.5))) + Math.min(0.07, 0.02 * Math.max(0, leads - 2));
}

/** The backlog now, plus arrivals until new consumers work, minus what current and starting consumers process until then. */
function leftoverAfterStart({ arrivals, perConsumerPerSecond, backlog, ready, startingMs, leadMs }: Load): number {
  let helpMs = ready * leadMs;
  for (const ageMs of startingMs) {
    if (ageMs < LATE_LEADS * leadMs) helpMs += Math.max(0, leadMs - Math.max(WARM_UP_MS, leadMs - ageMs));
  }
  const arriving = arrivals.slowPerSecond * leadMs + arrivals.jumpPerSecond * Math.min(leadMs, arrivals.jumpAgeMs);
  return Math.max(0, backlog + (arriving - perConsumerPerSecond * helpMs) / 1_000);
}
