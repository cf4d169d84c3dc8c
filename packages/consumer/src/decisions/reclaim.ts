/** Whose pending messages may be taken over. */
import { isAlive, type Registration } from "@redis-batch/core/internal";

/**
 * `alive`: its heartbeat is fresh, hands off · `dead`: registered, and silent for longer than its lease · `foreign`: no
 * consumer of ours; only how long a message has been idle tells.
 */
export type OwnerState = "alive" | "dead" | "foreign";

export function classifyOwner(
  registered: Pick<Registration, "atMs" | "leaseMs"> | undefined,
  serverNowMs: number,
): OwnerState {
  if (registered === undefined) return "foreign";
  return isAlive(registered, serverNowMs) ? "alive" : "dead";
}

/** Names that were registered, and when that was last seen, by the local clock. */
export type Acquaintances = ReadonlyMap<string, number>;

/**
 * Takes in who is registered now. A registration can get lost under a consumer of ours: the server forgets all, or others
 * remove the name while it sleeps, and then a read of it is carried out. After `foreignIdleMs` nothing is remembered: what
 * a consumer that is not ours left behind may be taken by then as well.
 */
export function rememberNames(
  known: Acquaintances,
  registered: Iterable<string>,
  nowMs: number,
  foreignIdleMs: number,
): Acquaintances {
  const seen = new Map([...known].filter(([, atMs]) => nowMs - atMs < foreignIdleMs));
  for (const name of registered) seen.set(name, nowMs);
  return seen;
}

export interface Steadiness {
  readonly nowMs: number;
  /** Since when both connections have stood without a break, by the local clock; `null` while one is down. */
  readonly connectedSinceMs: number | null;
  /** Whether the leases of what this consumer itself holds were renewed in time. */
  readonly isLeaseCertain: boolean;
}

/**
 * Whether this consumer may take over what others left: only after a full lease of good connection. Right after an
 * outage everybody's heartbeat looks old, and everybody needs the time to send the next one.
 */
export function mayRecover({ nowMs, connectedSinceMs, isLeaseCertain }: Steadiness, leaseMs: number): boolean {
  return connectedSinceMs !== null && nowMs - connectedSinceMs >= leaseMs && isLeaseCertain;
}
