/** What may be read and claimed now, and why new messages are not read. */
import type { IntakeHold } from "../events.ts";

export interface IntakeFacts {
  readonly isDraining: boolean;
  readonly isPaused: boolean;
  /** Whether somebody has paused the whole group. */
  readonly isGroupPaused: boolean;
  readonly isServerAway: boolean;
  /** Whether the group's position is beyond the stream's last entry. */
  readonly isAheadOfStream: boolean;
  readonly handlersHung: number;
  /** How many handlers may be at work at the same time. */
  readonly places: number;
  readonly isBackingOff: boolean;
  readonly isUnfit: boolean;
  readonly isProbing: boolean;
  /** Whether `maxDeferred` messages are deferred in memory, and Redis cannot keep them. */
  readonly isDeferredFull: boolean;
  /** Whether many messages wait behind others of their key, so that few are read. */
  readonly isKeyBlocked: boolean;
  /** Whether messages wait for their time in the rate of the group; new ones are read all the same. */
  readonly isRateLimited: boolean;
}

/** Why new messages are not read; `open` if they are. Of several reasons, one that somebody can act on comes first. */
export function decideIntake(facts: IntakeFacts): IntakeHold | "open" {
  if (facts.isDraining) return "draining";
  if (facts.isPaused) return "paused";
  if (facts.isGroupPaused) return "group-paused";
  if (facts.handlersHung >= facts.places) return "held-too-long";
  if (facts.isServerAway) return "server-away";
  if (facts.isUnfit) return "unfit";
  if (facts.isBackingOff) return facts.isProbing ? "probing" : "backing-off";
  if (facts.isKeyBlocked) return "key-blocked";
  if (facts.isDeferredFull) return "deferred";
  if (facts.isAheadOfStream) return "ahead-of-stream";
  return facts.isRateLimited ? "rate-limited" : "open";
}

/** Whether, and how far, new messages are read. */
export type Reading =
  | { readonly kind: "open"; readonly mayReadAhead: boolean }
  /** As few as tell whether the sink is there. */
  | { readonly kind: "probing"; readonly messages: number }
  | { readonly kind: "held" };

export interface ReadingFacts extends Pick<IntakeFacts, "handlersHung" | "places" | "isBackingOff" | "isDeferredFull"> {
  /** Whether it is paused, by itself or with the group. */
  readonly isPaused: boolean;
  /** Whether the next attempt may be made now, while all messages fail. */
  readonly mayProbe: boolean;
  /** How many callers wait for a batch. */
  readonly wanted: number;
  /** New messages in memory. */
  readonly fresh: number;
  /** How long a batch takes, and how long a message may wait in memory. */
  readonly batchTakesMs: number;
  readonly patienceMs: number;
  /** How often a message is offered at most. */
  readonly maxDeliveries: number;
  readonly batchSize: number;
  /** How many more messages may wait in the lines of their keys. */
  readonly roomInLines: "open" | "few" | "full";
  /** Whether keys wait, so that one new message may not be one that can be tried. */
  readonly areKeysWaiting: boolean;
  /** Whether a message of another key is to show that the sink is there. */
  readonly isProofWanted: boolean;
}

/** Whether, and how far, new messages are read now. */
export function decideReading(facts: ReadingFacts): Reading {
  if (facts.isPaused || facts.roomInLines === "full" || facts.handlersHung >= facts.places) return { kind: "held" };
  const probe = { kind: "probing", messages: facts.areKeysWaiting ? facts.batchSize : 1 } as const;
  const isProbe = facts.fresh === 0 && facts.wanted > 0;
  if (facts.isBackingOff) {
    // A new message each time, so that the same one is not tried for ever.
    return isProbe && facts.mayProbe ? probe : { kind: "held" };
  }
  if (facts.isDeferredFull) return { kind: "held" };
  if (facts.roomInLines === "few") return isProbe && facts.isProofWanted ? probe : { kind: "held" };
  // While batches take long, messages that were read ahead would wait longer here than elsewhere.
  const isQuick = facts.batchTakesMs <= facts.patienceMs;
  // If the first delivery is also the last, a crash must not use it up before a handler has seen the message.
  return { kind: "open", mayReadAhead: isQuick && facts.maxDeliveries > 1 };
}

export interface TakingFacts {
  readonly isBackingOff: boolean;
  readonly mayProbe: boolean;
  readonly batchSize: number;
  readonly retryShare: number;
  /** How many callers wait for a batch. */
  readonly wanted: number;
  /** In memory: new messages, redelivered ones, and those of the latter that may share a batch. */
  readonly fresh: number;
  readonly due: number;
  readonly dueAmongOthers: number;
}

/** How many released messages there are free handlers for. */
export function decidePlacesForReleased(facts: TakingFacts): number {
  const { batchSize, wanted, fresh, due, dueAmongOthers } = facts;
  if (facts.isBackingOff) return facts.mayProbe && fresh + due === 0 ? 1 : 0;
  return Math.max(batchSize * wanted - fresh - dueAmongOthers, 0);
}

/** How many released messages are claimed at least, however many are in memory: they get their share as well. */
export function decideShareOfReleased({ isBackingOff, batchSize, retryShare }: TakingFacts): number {
  return isBackingOff ? 0 : Math.max(1, Math.floor(batchSize * retryShare));
}
