/** What a decision says, and all that led to it. */

import type { Direction } from "./ratio.ts";
import type { ThroughputInputs, ThroughputTerms } from "./throughput.ts";

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
