/** A decision, and everything that led to it. */

import type { Arrivals } from "./arrival-rate.ts";
import type { Backlog } from "./backlog.ts";
import type { Direction } from "./ratio.ts";

/**
 * The deciding factor.
 *
 * | factor | |
 * |---|---|
 * | `rule` | the ratio rule alone |
 * | `need` | the need of the load |
 * | `min`, `max` | a bound |
 * | `order` | a consumer keeps messages in order for the whole group (`orderBy`), so there can be only one |
 * | `partitions` | each partition of the stream has one owner, so more consumers than partitions have nothing to do |
 * | `rate` | the group has a rate, so more consumers would only wait for it |
 * | `elsewhere` | consumers are busy on other streams, so they are not removed |
 * | `step` | the limit of one move |
 * | `confirm` | the load must last a little longer before consumers are added |
 * | `hold` | the need was higher a short time ago, or the saving is too small for a move |
 * | `cooldown` | the last move was too recent |
 * | `estimated` | the backlog is only estimated, so no consumer is removed |
 * | `ineffective` | more consumers did not help |
 * | `shortfall` | ordered consumers do not start |
 * | `measuring` | the throughput of a consumer is not known yet |
 * | `idle`, `wake` | no work for a long time; work again |
 * | `paused` | somebody has paused the group: its number stays as it is |
 * | `unknown` | the group could not be observed |
 */
export type Binding =
  | "rule"
  | "need"
  | "min"
  | "max"
  | "order"
  | "partitions"
  | "rate"
  | "elsewhere"
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
  | "paused"
  | "unknown";

interface DecisionCore {
  readonly direction: Direction;
  /** The current number of consumers, or the number that was ordered. */
  readonly current: number;
  /** The wanted number of consumers. */
  readonly desired: number;
  /** Waiting messages as a percentage of pending ones, as the Python original counts it: 1 to 100, 0 if nothing is pending. */
  readonly rate: number;
  /** Why, as a sentence. */
  readonly reason: string;
  readonly binding: Binding;
}

export interface RatioDecision extends DecisionCore {
  readonly strategy: "ratio";
  readonly terms: { readonly scaleOutRate: number; readonly scaleInRate: number };
  readonly inputs: {
    readonly waiting: number | null;
    readonly pending: number;
    readonly consumers: number;
    /** How many consumers are busy on other streams; a fraction. */
    readonly elsewhere: number;
  };
}

/** Source of the number of messages that a consumer processes per second. */
export type RateSource = "busy-time" | "saturated" | "remembered" | "none";

/** The inputs of the decision. */
export interface ThroughputInputs {
  readonly arrivals: Arrivals;
  readonly perConsumerPerSecond: number;
  readonly rateSource: RateSource;
  /** `null`: unknown, and never was known. */
  readonly backlog: Backlog | null;
  readonly pending: number;
  readonly oldestWaitingMs: number | null;
  readonly ready: number;
  readonly starting: number;
  readonly lost: number;
  /** How many consumers are busy on other streams; a fraction. */
  readonly elsewhere: number;
  readonly leadMs: number;
  readonly batchSize: number;
}

/** The parts of the sum. */
export interface ThroughputTerms {
  /** Target utilisation of consumers, 0 to 1. */
  readonly targetUtilisation: number;
  /** Utilisation of the current consumers by arrivals, 0 or more. */
  readonly utilisation: number;
  /** Consumers for the arrivals; a fraction. */
  readonly forArrivals: number;
  /** Consumers for the backlog; a fraction. */
  readonly forBacklog: number;
  /** Target time to clear the backlog once new consumers work, in milliseconds. */
  readonly drainMs: number;
  /** The backlog when consumers that are ordered now begin to work, in messages. */
  readonly leftover: number;
  /** Time that the current consumers need for it, in milliseconds. */
  readonly waitMs: number;
  /** The minimum number of consumers by the recent need. */
  readonly settled: number;
  /** The maximum number of consumers that helps; `null`: no limit is known. */
  readonly effectiveConsumers: number | null;
}

export interface ThroughputDecision extends DecisionCore {
  readonly strategy: "throughput";
  /** The parts of the sum; `null` while the throughput of a consumer is unknown. */
  readonly terms: ThroughputTerms | null;
  readonly inputs: ThroughputInputs;
}

/** The wanted number of consumers, and the reason. */
export type Decision = RatioDecision | ThroughputDecision;

/** The direction of a move. */
export function directionOf(current: number, desired: number): Direction {
  if (desired === current) return "NO_SCALE";
  return desired > current ? "OUT" : "IN";
}
