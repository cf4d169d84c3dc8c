/** How many consumers the load needs: those that keep up with what arrives, and those that work off what waits. */

import type { Arrivals } from "./arrival-rate.ts";

export interface Load {
  readonly arrivals: Arrivals;
  /** Messages one consumer works off per second; above 0. */
  readonly perConsumerPerSecond: number;
  readonly backlog: number;
  readonly ready: number;
  /** How long ago each that is not ready yet was ordered, in milliseconds. */
  readonly startingMs: readonly number[];
  readonly leadMs: number;
}

export interface Need {
  /** How busy consumers shall be, 0 to 1. */
  readonly utilisation: number;
  /** How soon what waits shall be worked off once help is there, in milliseconds. */
  readonly drainMs: number;
  /** What will still wait when a consumer that is ordered now begins to work, in messages. */
  readonly leftover: number;
  /** Consumers for what arrives; a fraction. */
  readonly forArrivals: number;
  /** Consumers for what waits; a fraction. */
  readonly forBacklog: number;
}

// A start that takes three times as long as usual will not help any more.
const LATE_LEADS = 3;
// A new consumer is slow at first; it counts as a helper only for so much less.
const WARM_UP_MS = 1_000;

export function measureNeed(load: Load, objectiveMs: number, chosenUtilisation: number | null): Need {
  const { arrivals, perConsumerPerSecond, leadMs } = load;
  const utilisation = chosenUtilisation ?? utilisationFor(objectiveMs, leadMs);
  // Never sooner than a start takes: it would only cost consumers that come too late.
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

/** Reserve is what helps while starts are slow against the objective; where they are quick it only costs. */
function utilisationFor(objectiveMs: number, leadMs: number): number {
  const leads = objectiveMs / leadMs;
  return Math.min(0.85, Math.max(0.7, 0.7 + 0.1 * (leads - 0.5))) + Math.min(0.07, 0.02 * Math.max(0, leads - 2));
}

/** What waits now and arrives until help is there, less what those that are ready or on their way work off until then. */
function leftoverAfterStart({ arrivals, perConsumerPerSecond, backlog, ready, startingMs, leadMs }: Load): number {
  let helpMs = ready * leadMs;
  for (const ageMs of startingMs) {
    if (ageMs < LATE_LEADS * leadMs) helpMs += Math.max(0, leadMs - Math.max(WARM_UP_MS, leadMs - ageMs));
  }
  const arriving = arrivals.slowPerSecond * leadMs + arrivals.jumpPerSecond * Math.min(leadMs, arrivals.jumpAgeMs);
  return Math.max(0, backlog + (arriving - perConsumerPerSecond * helpMs) / 1_000);
}
