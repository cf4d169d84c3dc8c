import type { RedisServer } from "@redis-batch/test-support";
import type { Monitors } from "../monitors.ts";
import type { Place } from "../place.ts";
import type { PlannedFault } from "../plan.ts";

/** Where a fault strikes. */
export interface Scene {
  readonly server: RedisServer;
  readonly stream: string;
  readonly group: string;
  readonly deadLetters: string;
  readonly places: readonly Place[];
  readonly monitors: Monitors;
  /** A file that tells every worker's handler how its sink is out of order, while it is there. */
  readonly sinkFault: string;
  /** Aborts when the time of the faults is over: one that lasts ends then. */
  readonly over: AbortSignal;
  /** Notes a time without server for these workers, or for all. */
  readonly away: (fromMs: number, toMs: number, why: string, place?: Place) => void;
  /** Notes a time in which these workers, or all, could do less, though they could do something. */
  readonly slowed: (fromMs: number, toMs: number, place?: Place) => void;
  /** Notes ids that were removed from the stream. */
  readonly destroyed: (ids: readonly string[]) => void;
  /** Notes dead letters that were removed, by the ids they had in the stream. */
  readonly destroyedDeadLetters: (ids: readonly string[]) => void;
}

/** What a fault works on: two of the same kind of thing never overlap in one place. */
export type Target = "worker" | "monitor" | "connection" | "server" | "sink";

/**
 * What a fault did. `observed`: it struck, and somebody saw what it is meant to do · `skipped`: there was nothing to
 * strike · `unobserved`: it should have struck, and what it is meant to do was not seen; that fails the round.
 */
export type Effect =
  | { readonly kind: "observed" }
  | { readonly kind: "skipped" }
  | { readonly kind: "unobserved"; readonly what: string };

export const OBSERVED: Effect = { kind: "observed" };
export const SKIPPED: Effect = { kind: "skipped" };

export function observedIf(wasSeen: boolean, what: string): Effect {
  return wasSeen ? OBSERVED : { kind: "unobserved", what };
}

export interface Fault {
  readonly target: Target;
  /** Strikes, and ends when all is as before. */
  readonly strike: (scene: Scene, place: Place, planned: PlannedFault) => Promise<Effect>;
}
