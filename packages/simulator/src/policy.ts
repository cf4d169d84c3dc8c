/** Decides how many consumers a group needs. */

import type { Observation } from "@redis-batch/scaler";
import type { Scenario } from "./scenario.ts";
import type { Traffic } from "./traffic.ts";

/** What a policy knows when it decides. */
export interface PolicyInput {
  /** Since the trace began, in milliseconds. */
  readonly nowMs: number;
  /** Consumers ordered at present. */
  readonly current: number;
  /** What the scaler would observe. */
  observe(): Observation;
  /** The lag that the server reports; `null` when it does not know it. */
  readonly lag: number | null;
  /** Messages that were delivered and not acknowledged, as XPENDING counts them: also those in memory, and those released. */
  readonly pending: number;
}

/** One policy during one run. */
export interface PolicyRun {
  /** How many consumers are needed. The scenario's minimum and maximum limit this number. */
  decide(input: PolicyInput): number;
  /** The scaler is restarted. */
  restart?(): void;
}

/** A way to decide. Ours are in `POLICIES`; one of your own is compared with them by `compare`. */
export interface Policy {
  readonly name: string;
  /** A description in a few words. */
  readonly title: string;
  /** How often it decides, in seconds. */
  readonly interval: number;
  /** How soon it decides when the first message arrives and there is no consumer, in seconds; `null`: at its next turn. */
  readonly wakesAfter: number | null;
  /** Begins one run. Only a policy that may know the future uses `traffic`. */
  start(scenario: Scenario, traffic: Traffic): PolicyRun;
}
