/** What a decision says, and all that led to it. */

import type { Arrivals } from "./arrival-rate.ts";
import type { Backlog } from "./backlog.ts";
import type { Direction } from "./ratio.ts";

/**
 * What had the last word.
 *
 * | word | |
 * |---|---|
 * | `rule` | the ratio rule alone |
 * | `need` | what the load needs |
 * | `min`, `max` | a bound |
 * | `step` | as much as one move may add |
 * | `confirm` | the load must last a moment longer before it is answered |
 * | `hold` | the need was higher a short while ago; or the saving is not worth a move |
 * | `cooldown` | the last move was just now |
 * | `estimated` | how much waits is estimated: no consumer is taken away on a guess |
 * | `ineffective` | more consumers did not help |
 * | `shortfall` | consumers that were ordered do not come |
 * | `measuring` | what a consumer achieves is not known yet |
 * | `idle`, `wake` | nothing to do for long; something to do again |
 * | `unknown` | nothing could be observed |
 */
export type Binding =
  | "rule"
  | "need"
  | "min"
  | "max"
  | "step"
  | "confirm"
  | "hold"
  | "cooldown"
  | "estimated"
  | "ineffective"
  | "shortfall"
  | "measuring"
  | "idle"
  | "wake"
  | "unknown";

interface DecisionCore {
  readonly direction: Direction;
  /** Consumers there are, or were ordered. */
  readonly current: number;
  /** Consumers there shall be. */
  readonly desired: number;
  /** What waits in percent of what is pending, as the original counts it: 1 to 100, 0 when nothing is pending. */
  readonly rate: number;
  /** Why, as a sentence. */
  readonly reason: string;
  readonly binding: Binding;
}

export interface RatioDecision extends DecisionCore {
  readonly strategy: "ratio";
  readonly terms: { readonly scaleOutRate: number; readonly scaleInRate: number };
  readonly inputs: { readonly waiting: number | null; readonly pending: number; readonly consumers: number };
}

/** Where the number of messages a consumer works off per second is from. */
export type RateSource = "busy-time" | "saturated" | "remembered" | "none";

/** What the decision was made from. */
export interface ThroughputInputs {
  readonly arrivals: Arrivals;
  readonly perConsumerPerSecond: number;
  readonly rateSource: RateSource;
  /** `null`: not known, and never was. */
  readonly backlog: Backlog | null;
  readonly pending: number;
  readonly oldestWaitingMs: number | null;
  readonly ready: number;
  readonly starting: number;
  readonly lost: number;
  readonly leadMs: number;
  readonly batchSize: number;
}

/** The parts of the sum. */
export interface ThroughputTerms {
  /** How busy consumers shall be, 0 to 1. */
  readonly targetUtilisation: number;
  /** How busy what arrives keeps those there are, 0 and more. */
  readonly utilisation: number;
  /** Consumers for what arrives; a fraction. */
  readonly forArrivals: number;
  /** Consumers for what waits; a fraction. */
  readonly forBacklog: number;
  /** How soon what waits shall be worked off once help is there, in milliseconds. */
  readonly drainMs: number;
  /** What will still wait when help that is ordered now is there, in messages. */
  readonly leftover: number;
  /** How long that takes the consumers there are, in milliseconds. */
  readonly waitMs: number;
  /** The fewest consumers the last while allows. */
  readonly settled: number;
  /** The most consumers that help; `null`: no limit is known. */
  readonly effectiveConsumers: number | null;
}

export interface ThroughputDecision extends DecisionCore {
  readonly strategy: "throughput";
  /** The parts of the sum; `null` while what a consumer achieves is not known. */
  readonly terms: ThroughputTerms | null;
  readonly inputs: ThroughputInputs;
}

/** How many consumers there shall be, and why. */
export type Decision = RatioDecision | ThroughputDecision;

/** The direction of a move. */
export function directionOf(current: number, desired: number): Direction {
  if (desired === current) return "NO_SCALE";
  return desired > current ? "OUT" : "IN";
}
