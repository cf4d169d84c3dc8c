/** Somebody who decides how many consumers there shall be. */

import type { Observation } from "../observation.ts";
import type { Scenario } from "./scenario.ts";
import type { Traffic } from "./traffic.ts";

/** What can be looked at. */
export interface Look {
  readonly nowMs: number;
  /** Consumers ordered at present. */
  readonly current: number;
  /** What our collector would see. */
  observe(): Observation;
  /** What the server says of the lag: `null` when it does not know. */
  readonly lag: number | null;
}

export interface PolicyRun {
  /** How many consumers there shall be. */
  decide(look: Look): number;
  /** The scaler is started anew. */
  restart?(): void;
}

export interface Policy {
  readonly name: string;
  /** What it is, in a few words. */
  readonly title: string;
  /** How often it looks, in seconds. */
  readonly interval: number;
  /** How soon after the first message without a consumer it looks, in seconds; `null`: at its next turn. */
  readonly wakesAfter: number | null;
  start(scenario: Scenario, traffic: Traffic): PolicyRun;
}
