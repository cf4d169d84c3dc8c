/** What may be read and taken now, and what holds the intake of new messages up. */
import type { IntakeHold } from "../events.ts";

export interface IntakeFacts {
  readonly isDraining: boolean;
  readonly isPaused: boolean;
  readonly isServerAway: boolean;
  /** Whether the group's position is beyond the stream's last entry. */
  readonly isAheadOfStream: boolean;
  readonly handlersHung: number;
  /** How many handlers may be at work at the same time. */
  readonly places: number;
  readonly isBackingOff: boolean;
  readonly isUnfit: boolean;
  readonly isProbing: boolean;
  /** Whether as many messages are deferred as memory may hold, and Redis cannot keep them. */
  readonly isDeferredFull: boolean;
}

/** Names the first of what holds it up, the one that somebody can do something about in front; `open`: nothing does. */
export function decideIntake(facts: IntakeFacts): IntakeHold | "open" {
  if (facts.isDraining) return "draining";
  if (facts.isPaused) return "paused";
  if (facts.handlersHung >= facts.places) return "held-too-long";
  if (facts.isServerAway) return "server-away";
  if (facts.isUnfit) return "unfit";
  if (facts.isBackingOff) return facts.isProbing ? "probing" : "backing-off";
  if (facts.isDeferredFull) return "deferred";
  return facts.isAheadOfStream ? "ahead-of-stream" : "open";
}

/** Whether, and how far, new messages are read. */
export type Reading =
  | { readonly kind: "open"; readonly mayReadAhead: boolean }
  /** One message is enough, to see whether it can be worked on. */
  | { readonly kind: "probing" }
  | { readonly kind: "held" };

export interface ReadingFacts
  extends Pick<IntakeFacts, "isPaused" | "handlersHung" | "places" | "isBackingOff" | "isDeferredFull"> {
  /** Whether the next attempt may be made now, while everything fails. */
  readonly mayProbe: boolean;
  /** Batches that somebody waits for. */
  readonly wanted: number;
  /** New messages in memory. */
  readonly fresh: number;
  /** How long a batch takes, and how long a message may wait in memory for a place. */
  readonly batchTakesMs: number;
  readonly patienceMs: number;
  /** How often a message is offered at most. */
  readonly maxDeliveries: number;
}

/** Says whether new messages are read now. */
export function decideReading(facts: ReadingFacts): Reading {
  if (facts.isPaused || facts.handlersHung >= facts.places) return { kind: "held" };
  if (facts.isBackingOff) {
    // A new message each time, so that the same ones are not tried for ever.
    return facts.fresh === 0 && facts.wanted > 0 && facts.mayProbe ? { kind: "probing" } : { kind: "held" };
  }
  if (facts.isDeferredFull) return { kind: "held" };
  // What is read ahead of a batch that takes long waits longer than it would elsewhere.
  const isQuick = facts.batchTakesMs <= facts.patienceMs;
  // Where the first delivery is the last, one that no handler sees must not be used up by a crash.
  return { kind: "open", mayReadAhead: isQuick && facts.maxDeliveries > 1 };
}

export interface TakingFacts {
  readonly isBackingOff: boolean;
  readonly mayProbe: boolean;
  readonly batchSize: number;
  readonly retryShare: number;
  /** Batches that somebody waits for. */
  readonly wanted: number;
  /** New messages in memory, those that come again, and of these the ones that go among others. */
  readonly fresh: number;
  readonly due: number;
  readonly dueAmongOthers: number;
}

/** How many messages that nobody holds there is a handler free for. */
export function decidePlacesForReleased(facts: TakingFacts): number {
  const { batchSize, wanted, fresh, due, dueAmongOthers } = facts;
  if (facts.isBackingOff) return facts.mayProbe && fresh + due === 0 ? 1 : 0;
  return Math.max(batchSize * wanted - fresh - dueAmongOthers, 0);
}

/** How many of them are taken at least, however many are here: they have their share as well. */
export function decideShareOfReleased({ isBackingOff, batchSize, retryShare }: TakingFacts): number {
  return isBackingOff ? 0 : Math.max(1, Math.floor(batchSize * retryShare));
}
