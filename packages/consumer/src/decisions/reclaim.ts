/** Whose pending messages may be taken over. */
import type { Registration } from "@redis-batch/core/internal";

/** A name that was registered, with what was last seen of that; times by the local clock. */
export interface SeenName {
  readonly atMs: number;
  readonly leaseMs: number;
  /** When it was first seen to be registered no more; `null` while it is. */
  readonly absentSinceMs: number | null;
}

/** By name. */
export type RecentlySeen = ReadonlyMap<string, SeenName>;

/**
 * Takes in who is registered now. A registration can get lost under a consumer of ours: the server forgets all, or others
 * remove the name while it sleeps, and then a read of it is carried out. After `foreignIdleMs` nothing is remembered: what
 * a consumer that is not ours left behind may be taken by then as well.
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
 * How long a message must not have been delivered that is pending under a name of ours which is not registered, in
 * milliseconds.
 * One of ours renews what it holds every third of a lease, registered or not, and registers again with its next heartbeat.
 * One that has not for a lease is dead, whatever the age of its messages: a server's clock may have gone back since.
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
  /** Since when both connections have stood without a break, by the local clock; `null` while one is down. */
  readonly connectedSinceMs: number | null;
  /** Whether the leases of what this consumer itself holds were renewed in time. */
  readonly isLeaseCertain: boolean;
}

/**
 * Whether this consumer may take over what others left: only after a full lease of good connection. Right after an
 * outage everybody's heartbeat looks old, and everybody needs the time to send the next one.
 */
export function mayRecover({ nowMs, connectedSinceMs, isLeaseCertain }: Stability, leaseMs: number): boolean {
  return connectedSinceMs !== null && nowMs - connectedSinceMs >= leaseMs && isLeaseCertain;
}
