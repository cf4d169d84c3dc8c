/** Who carries decisions out: a process pool, an orchestrator, a command. */

import type { Decision } from "./decisions/decision.ts";

/** The consumers there are, as whoever starts and stops them knows it. */
export interface Workforce {
  /** Consumers that were ordered. */
  readonly desired: number;
  /**
   * Those among them that are ready; `null`: it only knows what was ordered. Then those that work count, starts are
   * timed by them, and what stands in the two fields below is not looked at.
   */
  readonly ready: number | null;
  /** How long ago each that is not ready yet was ordered, in milliseconds. */
  readonly startingMs: readonly number[];
  /** How long the latest ones took from the order until they were ready, in milliseconds, the last one last. */
  readonly startUpsMs: readonly number[];
}

export interface Executor {
  /** What it is, for events and messages. */
  readonly name: string;
  /** Looks at what there is. `null`: it does not know, and those consumers count that work. */
  survey(signal: AbortSignal): Promise<Workforce | null>;
  /** Told of every decision, also of one that moves nothing, before it is carried out. */
  heed?(decision: Decision): void;
  /**
   * Has there be `decision.desired` consumers. Resolves when that was ordered, not when they are there. Must not take
   * away a consumer before it has drained.
   */
  scale(decision: Decision, signal: AbortSignal): Promise<void>;
}
