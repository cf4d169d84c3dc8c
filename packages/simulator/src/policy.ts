/** Decides how many consumers a group needs. */

import type { Observation } from "@redis-batch/scaler";
import type { Scenario } from "./scenario.ts";
import type { Traffic } from "./traffic.ts";

/** What a policy can look at. */
export interface Look {
  /** Since the trace began, in milliseconds. */
  readonly nowMs: number;
  /** Consumers ordered at present. */
  readonly current: number;
  /** What our collector would see. */
  observe(): Observation;
  /** What the server says of the lag: `null` when it does not know. */
  readonly lag: number | null;
}

/** One policy at work on one trace. */
export interface PolicyRun {
  /** How many consumers are needed. The scenario's minimum and maximum limit this number. */
  decide(look: Look): number;
  /** The scaler is restarted. */
  restart?(): void;
}

/** A way to decide. Ours are in `POLICIES`; one of your own is compared with them by `compare`. */
export interface Policy {
  readonly name: string;
  /** What it is, in a few words. */
  readonly title: string;
  /** How often it looks, in seconds. */
  readonly interval: number;
  /** How soon after the first message without a consumer it looks, in seconds; `null`: at its next turn. */
  readonly wakesAfter: number | null;
  /** Begins one run. What comes is known only to those that are to know the future. */
  start(scenario: Scenario, traffic: Traffic): PolicyRun;
}
