/**
 * Takes a name in a group: sends the first heartbeat under it. If there is a recent heartbeat under this name, waits to see whether another one
 * follows: after a crash and restart, a process finds its own last heartbeat. A heartbeat that does not change belongs to
 * no process, whatever its date, because the server's clock may have jumped. The same holds for the heartbeats of others
 * where a consumer must be alone.
 */
import { type HeartbeatJoin, type HeartbeatResult, heartbeatMsOf } from "@redis-batch/core/internal/groups";
import { type Clock, pause } from "@redis-batch/core/internal/service";

export type RefusedHeartbeat = Exclude<HeartbeatResult, { readonly kind: "ok" }>;

export interface TakeNameOptions {
  readonly clock: Clock;
  readonly policy: { readonly name: string; readonly leaseMs: number; readonly heartbeatMs: number };
  /** When this consumer's own last heartbeat was written, which needs no watching; `null`: there was none. */
  readonly lastAtMs: number | null;
  readonly send: (join: HeartbeatJoin) => Promise<HeartbeatResult>;
  readonly refuse: (answer: RefusedHeartbeat) => Error;
  readonly signal: AbortSignal;
}

/** A heartbeat that is in the way, and has not changed since it was first seen, by the local clock. */
interface Watched {
  readonly atMs: number;
  readonly sinceMs: number;
  readonly graceMs: number;
}

// This many heartbeats may get lost before a name counts as free.
const HEARTBEATS_OF_GRACE = 3;

/** @throws what `refuse` makes of it when another process has the name, or others are in the group that must not be */
export async function takeName({ clock, policy, lastAtMs, send, refuse, signal }: TakeNameOptions): Promise<void> {
  const { name, leaseMs, heartbeatMs } = policy;
  const freshMs = HEARTBEATS_OF_GRACE * heartbeatMs;
  const watched = new Map<string, Watched>();
  if (lastAtMs !== null) watched.set(name, { atMs: lastAtMs, sinceMs: Number.NEGATIVE_INFINITY, graceMs: freshMs });
  for (;;) {
    const stopped = new Map<string, number>();
    for (const [consumer, { atMs, sinceMs, graceMs }] of watched) {
      if (clock.nowMs() - sinceMs >= graceMs) stopped.set(consumer, atMs);
    }
    const answer = await send({ freshMs, seenAtMs: stopped.get(name), othersSeenAtMs: stopped });
    if (answer.kind === "ok") return;
    if (answer.kind === "replaced") throw refuse(answer);
    const inTheWay = answer.kind === "in-use" ? [{ consumer: name, atMs: answer.atMs, leaseMs }] : answer.by;
    for (const one of inTheWay) {
      const known = watched.get(one.consumer);
      const graceMs = HEARTBEATS_OF_GRACE * heartbeatMsOf(one.leaseMs);
      // It changed while it was watched, so its process is alive.
      if (known !== undefined && known.atMs !== one.atMs) throw refuse(answer);
      if (known === undefined) watched.set(one.consumer, { atMs: one.atMs, sinceMs: clock.nowMs(), graceMs });
      else if (clock.nowMs() - known.sinceMs >= 2 * (graceMs + heartbeatMs)) throw refuse(answer);
    }
    if (signal.aborted) throw refuse(answer);
    await pause(clock, heartbeatMs, signal);
  }
}

/** Why another process has a consumer's name. */
export function describeNameInUse(answer: { readonly kind: "in-use" | "replaced" }): string {
  const why =
    answer.kind === "replaced" ? "another process has taken it over" : "another process sends heartbeats under it";
  return `is in use: ${why}; give each process its own, or leave the name out`;
}
