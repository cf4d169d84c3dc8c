import type { RedisServer } from "@redis-batch/test-support";
import type { Monitors } from "../monitors.ts";
import type { Place } from "../place.ts";
import type { PlannedFault } from "../plan.ts";
import type { Topology } from "../topology/topology.ts";

/** Where a fault strikes. */
export interface Scene {
  readonly topology: Topology;
  /** The one that has the stream when the fault strikes. */
  readonly server: RedisServer;
  /** The first of the streams: in a Cluster there is no other. */
  readonly stream: string;
  readonly streams: readonly string[];
  readonly group: string;
  readonly places: readonly Place[];
  readonly monitors: Monitors;
  /** While this file exists, every handler's sink is out of order, in the way it says. */
  readonly sinkFault: string;
  /** Aborts when the time of the faults is over, and so ends lasting faults. */
  readonly over: AbortSignal;
  /** Records a time without a server for these workers, or for all. */
  readonly away: (fromMs: number, toMs: number, why: string, place?: Place) => void;
  /** Records a time in which these workers, or all, were slowed down. */
  readonly slowed: (fromMs: number, toMs: number, place?: Place) => void;
  /** Records a time in which a server took writes that its successor may not have. */
  readonly forgotten: (fromMs: number, toMs: number) => void;
  /** Records entries that were removed from their stream, by their names. */
  readonly destroyed: (ids: readonly string[]) => void;
  /** Records removed dead letters, by the names of the entries they were. */
  readonly destroyedDeadLetters: (ids: readonly string[]) => void;
}

/** The target of a fault: two faults of the same target never overlap in one place. */
export type Target = "worker" | "monitor" | "connection" | "server" | "sink";

/**
 * The effect of a fault. `observed`: it had its intended effect · `skipped`: there was no target · `unobserved`: its
 * intended effect was not observed; that fails the round.
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
  /** Applies the fault, and resolves when everything is as before. */
  readonly strike: (scene: Scene, place: Place, planned: PlannedFault) => Promise<Effect>;
}
