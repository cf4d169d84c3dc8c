/** When a monitor may touch what foreign consumers left: right after an outage everybody looks idle. */
import { describeDuration } from "./duration.ts";

export interface GraceFacts {
  /** Since when the connection has stood without a break, by the local clock; `null` while it is down. */
  readonly connectedSinceMs: number | null;
  readonly nowMs: number;
}

export interface GraceRules {
  /** `null`: what the kind of consumer asks for. */
  readonly graceMs: number | null;
  readonly idleThresholdMs: number;
}

/**
 * How much longer to wait, and why, in words; `null`: it may begin. Heartbeats were watched while the connection stood, so
 * that for them nothing more is needed; a foreign consumer has none, and is given `idleThresholdMs` to read again.
 */
export function decideGrace(facts: GraceFacts, rules: GraceRules, kind: "registered" | "foreign"): string | null {
  const { connectedSinceMs, nowMs } = facts;
  if (connectedSinceMs === null) return "there is no connection";
  const graceMs = rules.graceMs ?? (kind === "registered" ? 0 : rules.idleThresholdMs);
  const leftMs = connectedSinceMs + graceMs - nowMs;
  if (leftMs <= 0) return null;
  const who = kind === "registered" || rules.graceMs !== null ? "everybody" : "every foreign consumer";
  return `${who} is given ${describeDuration(leftMs)} more to be heard of: the connection has not stood for long`;
}
