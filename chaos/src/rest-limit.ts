/** How long the messages in flight may take after the faults are over: by the settings, and by what is left then. */
import type { MessageLeft } from "./final-state.ts";

export interface RestFacts {
  readonly loadMs: number;
  readonly leaseMs: number;
  readonly maxDeliveries: number;
  readonly maxOutageMs: number;
  readonly maxHoldMs: number;
  readonly deferMs: number;
  /** The longest time from one delivery of a message to the next. */
  readonly retryCapMs: number;
  /** The messages in flight. */
  readonly left: readonly MessageLeft[];
  /** Whether the messages of an order key wait for each other. */
  readonly isOrdered: boolean;
}

// Connections that come back (a half-open one is noticed after 15 s), on a machine that has other things to do, and the
// backlog that the faults have left behind.
const CONNECT_MS = 45_000;
const BACKLOG_RATIO = 0.2;
// Until a process has started, on such a machine.
const START_MS = 5_000;

/**
 * Poison that is all there is left is taken for an outage first. Then it is tried one message at a time, up to its last
 * delivery. A message that kills its process costs a lease each time, one after the other: it is kept apart from the others of
 * its kind. As long again until it is found, by the next look or heartbeat, and until the name is free.
 */
export function decideRestLimitMs({
  loadMs,
  leaseMs,
  maxDeliveries,
  maxOutageMs,
  maxHoldMs,
  deferMs,
  retryCapMs,
  left,
  isOrdered,
}: RestFacts): number {
  const deathMs = 2 * leaseMs + START_MS;
  let workMs = 0;
  for (const { intent } of left) {
    if (intent === "poison") workMs += maxDeliveries * retryCapMs;
    if (intent === "killAlways") workMs += maxDeliveries * deathMs;
    if (intent === "killOnce") workMs += deathMs;
    // It hangs, or holds its process up, for a lease and longer before anybody can tell.
    if (intent === "hangOnce" || intent === "blockOnce") workMs += 2 * leaseMs + deathMs;
    // Until it is released, twice where it hangs again; who hangs in all places is restarted.
    if (intent === "hang") workMs += 2 * (maxHoldMs + deathMs);
    if (intent === "holdOnce") workMs += 2 * maxHoldMs;
  }
  // Those that were deferred wait together, except those of one key.
  const deferred = left.filter(({ intent }) => intent === "deferredLong");
  const lines = Map.groupBy(deferred, ({ orderKey }) => (isOrdered ? orderKey : ""));
  const longest = Math.max(0, ...[...lines.values()].map(({ length }) => length));
  workMs += deferMs * (isOrdered ? longest : Math.min(1, longest));
  return CONNECT_MS + loadMs * BACKLOG_RATIO + maxOutageMs + workMs;
}
