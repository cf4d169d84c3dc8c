/** When the pending messages of another consumer may be released. */
import type { Registration } from "@redis-batch/core/internal/groups";

/** A name that was registered, as it was last seen; times by the local clock. */
export interface SeenName {
  readonly atMs: number;
  readonly leaseMs: number;
  /** When it was first found not to be registered any more; `null` while it is registered. */
  readonly absentSinceMs: number | null;
}

/** By name. */
export type RecentlySeen = ReadonlyMap<string, SeenName>;

/**
 * Takes in who is registered now. A consumer of ours can lose its registration while it reads: the server loses its data, or
 * others remove the name while the process sleeps. A name is forgotten after `foreignIdleMs`: by then the messages of a foreign
 * consumer may be released as well.
 */
export function rememberNames(
  known: RecentlySeen,
  registered: Iterable<readonly [name: string, told: Pick<Registration, "leaseMs">]>,
  nowMs: number,
  foreignIdleMs: number,
): RecentlySeen {
  const seen = new Map<string, SeenName>();
  for (const [name, before] of known) {
    if (nowMs - before.atMs < foreignIdleMs)
      seen.set(name, { ...before, absentSinceMs: before.absentSinceMs ?? nowMs });
  }
  for (const [name, { leaseMs }] of registered) seen.set(name, { atMs: nowMs, leaseMs, absentSinceMs: null });
  return seen;
}

/**
 * How long ago a message must have been delivered to be released from an unregistered name of ours, in milliseconds. A consumer
 * of ours renews its messages every third of a lease, registered or not, and registers again with its next heartbeat. If it has
 * not done so for a lease it is dead, however old its messages seem: the server's clock may have been set back.
 *
 * @param connectedSinceMs since when this consumer could look, by the local clock
 */
export function decideLeastIdle(
  seen: SeenName | undefined,
  nowMs: number,
  connectedSinceMs: number,
  { leaseMs, foreignIdleMs }: { readonly leaseMs: number; readonly foreignIdleMs: number },
): number {
  const absentSinceMs = seen?.absentSinceMs ?? null;
  const absentMs = absentSinceMs === null ? 0 : nowMs - Math.max(absentSinceMs, connectedSinceMs);
  const isDead = seen !== undefined && absentMs >= seen.leaseMs;
  return isDead ? 0 : Math.min(leaseMs, foreignIdleMs);
}

export interface Stability {
  readonly nowMs: number;
  /** Since when both connections have been up without a break, by the local clock; `null` while one is down. */
  readonly connectedSinceMs: number | null;
  /** Whether this consumer's own leases were renewed in time. */
  readonly isLeaseCertain: boolean;
}

/**
 * Whether this consumer may release what others left: only after its connections have been up for a full lease. Right after an
 * outage all heartbeats look old, and every consumer needs time to send the next one.
 */
export function mayRecover({ nowMs, connectedSinceMs, isLeaseCertain }: Stability, leaseMs: number): boolean {
  return connectedSinceMs !== null && nowMs - connectedSinceMs >= leaseMs && isLeaseCertain;
}
