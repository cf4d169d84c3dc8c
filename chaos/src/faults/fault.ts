import type { RedisServer } from "@redis-batch/test-support";
import type { Monitors } from "../monitors.ts";
import type { Place } from "../place.ts";
import type { PlannedFault } from "../plan.ts";

/** Where a fault strikes. */
export interface Scene {
  readonly server: RedisServer;
  readonly stream: string;
  readonly deadLetters: string;
  readonly places: readonly Place[];
  readonly monitors: Monitors;
  /** A file that tells every worker's handler how its sink is out of order, while it is there. */
  readonly sinkFault: string;
  /** Aborts when the time of the faults is over: one that lasts ends then. */
  readonly over: AbortSignal;
  /** Notes a time without server for these workers, or for all. */
  readonly away: (fromMs: number, toMs: number, why: string, place?: Place) => void;
  /** Notes ids that were removed from the stream. */
  readonly destroyed: (ids: readonly string[]) => void;
  /** Notes dead letters that were removed, by the ids they had in the stream. */
  readonly destroyedDeadLetters: (ids: readonly string[]) => void;
}

/** What a fault works on: two of the same kind of thing never overlap in one place. */
export type Target = "worker" | "monitor" | "connection" | "server" | "sink";

export interface Fault {
  readonly target: Target;
  /** Strikes, and ends when all is as before → whether it struck. */
  readonly strike: (scene: Scene, place: Place, planned: PlannedFault) => Promise<boolean>;
}
