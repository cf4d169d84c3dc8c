/** What holds the intake of new messages up. */
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
