/** When a monitor may touch the messages of foreign consumers: right after an outage all of them look idle. */
import { describeDuration } from "./duration.ts";

export interface GraceFacts {
  /** Since when the connection has been up without a break, by the local clock; `null` while it is down. */
  readonly connectedSinceMs: number | null;
  readonly nowMs: number;
}

export interface GraceRules {
  /** `null`: depends on the kind of consumer. */
  readonly graceMs: number | null;
  readonly idleThresholdMs: number;
}

/**
 * The reason to wait longer; `null`: it may begin. Heartbeats are watched while the connection is up, so they need no
 * extra time; a foreign consumer has none, and gets `idleThresholdMs` to read again.
 */
export function decideGrace(facts: GraceFacts, rules: GraceRules, kind: "registered" | "foreign"): string | null {
  const { connectedSinceMs, nowMs } = facts;
  if (connectedSinceMs === null) return "there is no connection";
  const graceMs = rules.graceMs ?? (kind === "registered" ? 0 : rules.idleThresholdMs);
  const leftMs = connectedSinceMs + graceMs - nowMs;
  if (leftMs <= 0) return null;
  const who = kind === "registered" || rules.graceMs !== null ? "every consumer" : "every foreign consumer";
  return `the connection is new: ${who} gets another ${describeDuration(leftMs)} to show that it is alive`;
}
