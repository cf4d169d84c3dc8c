/** When a monitor may touch anything: right after an outage everybody looks dead. */
import { describeDuration } from "./duration.ts";

export interface GraceFacts {
  /** Since when the connection has stood without a break, by the local clock; `null` while it is down. */
  readonly connectedSinceMs: number | null;
  readonly nowMs: number;
  /** The leases in the group's registry, in milliseconds, those of the dead included. */
  readonly leasesMs: readonly number[];
}

export interface GraceRules {
  /** `null`: by the leases. */
  readonly graceMs: number | null;
  readonly idleThresholdMs: number;
}

/** How much longer to wait, and why, in words; `null`: it may begin. */
export function decideGrace(facts: GraceFacts, rules: GraceRules): string | null {
  const { connectedSinceMs, nowMs, leasesMs } = facts;
  if (connectedSinceMs === null) return "there is no connection";
  const byLeases = leasesMs.length === 0 ? rules.idleThresholdMs : leasesMs.reduce((a, b) => Math.max(a, b), 0);
  const leftMs = connectedSinceMs + (rules.graceMs ?? byLeases) - nowMs;
  if (leftMs <= 0) return null;
  return `everybody is given ${describeDuration(leftMs)} more to be heard of: the connection has not stood for long`;
}
