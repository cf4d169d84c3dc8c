/**
 * Judges by their heartbeats which consumers are alive. A heartbeat carries the server's time, but a server's clock may
 * jump, or another server with another clock may take over. So a late timestamp alone makes no consumer dead: the
 * heartbeat must also have been observed not to change, by the local clock, which never jumps.
 */
import type { Registration } from "../groups/consumer-registry.ts";

/** The maximum time between two heartbeats. */
const LONGEST_BEAT_MS = 5_000;
/** The number of heartbeats that may get lost before one counts as late. */
const BEATS_OF_GRACE = 3;

/** Heartbeat interval of a consumer with this lease, in milliseconds: a third of the lease, at most 5 s. */
export function heartbeatMsOf(leaseMs: number): number {
  return Math.min(LONGEST_BEAT_MS, Math.floor(leaseMs / 3));
}

/** One heartbeat, and since when it has not changed, by the local clock. */
interface WatchedHeartbeat {
  readonly atMs: number;
  readonly incarnation: string;
  readonly unmovedSinceMs: number;
}

/** The heartbeats of a group observed so far, by consumer. */
export type HeartbeatWatch = ReadonlyMap<string, WatchedHeartbeat>;

/** Before the first observation. */
export const NO_HEARTBEATS: HeartbeatWatch = new Map();

export interface HeartbeatVerdict {
  /**
   * `alive` · `silent`: its heartbeat is late, but may still come · `dead`: its heartbeat is older than its lease by the
   * server's clock and has not changed for three intervals; or it has not changed for a whole lease, whatever its time.
   */
  readonly life: "alive" | "silent" | "dead";
  /** The time in its heartbeat. A script that touches a dead consumer's messages gets it, and refuses if it has changed. */
  readonly seenAtMs: number;
  /** How long it has been observed not to change, in milliseconds of the local clock. */
  readonly unmovedMs: number;
}

export interface HeartbeatLook {
  /** The server's clock, asked after the registry was read, in milliseconds since 1970. */
  readonly serverNowMs: number;
  /** A local clock that never jumps, in milliseconds. */
  readonly localNowMs: number;
  /**
   * Since when, by that local clock, server and connection have worked without a break. Earlier observations do not
   * count: during the break no heartbeat could get through.
   */
  readonly steadySinceMs: number;
}

/**
 * Takes one snapshot of a group's registry → the watch for the next call, and the verdict on each registered consumer.
 * Call it only after the registry was read successfully.
 */
export function followHeartbeats(
  before: HeartbeatWatch,
  registry: ReadonlyMap<string, Pick<Registration, "atMs" | "leaseMs" | "incarnation">>,
  { serverNowMs, localNowMs, steadySinceMs }: HeartbeatLook,
): { readonly watch: HeartbeatWatch; readonly verdicts: ReadonlyMap<string, HeartbeatVerdict> } {
  const watch = new Map<string, WatchedHeartbeat>();
  const verdicts = new Map<string, HeartbeatVerdict>();
  for (const [consumer, { atMs, leaseMs, incarnation }] of registry) {
    const known = before.get(consumer);
    const isUnmoved = known?.atMs === atMs && known.incarnation === incarnation;
    const unmovedSinceMs = isUnmoved && known.unmovedSinceMs >= steadySinceMs ? known.unmovedSinceMs : localNowMs;
    const unmovedMs = localNowMs - unmovedSinceMs;
    watch.set(consumer, { atMs, incarnation, unmovedSinceMs });
    verdicts.set(consumer, { life: judge(serverNowMs - atMs, unmovedMs, leaseMs), seenAtMs: atMs, unmovedMs });
  }
  return { watch, verdicts };
}

function judge(ageMs: number, unmovedMs: number, leaseMs: number): HeartbeatVerdict["life"] {
  const isOld = ageMs > leaseMs;
  const isLate = unmovedMs >= BEATS_OF_GRACE * heartbeatMsOf(leaseMs);
  if ((isOld && isLate) || unmovedMs >= leaseMs) return "dead";
  return isOld || isLate ? "silent" : "alive";
}
