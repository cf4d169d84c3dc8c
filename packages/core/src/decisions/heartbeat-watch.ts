/**
 * Judges by their heartbeats which consumers live. A heartbeat carries the server's date, and a server's clock may jump,
 * or another server may take over whose clock is another one. So a date alone makes nobody dead: the heartbeat must also
 * have been seen to stand still, by the local clock, which never jumps.
 */
import type { Registration } from "../groups/consumer-registry.ts";

/** The longest time between two heartbeats. */
const LONGEST_BEAT_MS = 5_000;
/** So many heartbeats may get lost before one is late. */
const BEATS_OF_GRACE = 3;

/** How often a consumer with this lease sends its heartbeat, in milliseconds: each third of it, and each 5 s at least. */
export function heartbeatMsOf(leaseMs: number): number {
  return Math.min(LONGEST_BEAT_MS, Math.floor(leaseMs / 3));
}

/** One heartbeat as it was found, and since when it has been found unmoved, by the local clock. */
interface WatchedHeartbeat {
  readonly atMs: number;
  readonly incarnation: string;
  readonly unmovedSinceMs: number;
}

/** What was seen of a group's heartbeats so far, by consumer. */
export type HeartbeatWatch = ReadonlyMap<string, WatchedHeartbeat>;

/** Before the first look. */
export const NO_HEARTBEATS: HeartbeatWatch = new Map();

export interface HeartbeatVerdict {
  /**
   * `alive` · `silent`: its heartbeat is late, and may still come · `dead`: its heartbeat is older than its lease by the
   * server's clock and was seen unmoved for three heartbeats; or it was seen unmoved for a whole lease, whatever its date.
   */
  readonly life: "alive" | "silent" | "dead";
  /** The time in its heartbeat. A script that is to touch what a dead one left gets it, and refuses if it has moved. */
  readonly seenAtMs: number;
  /** How long it has been seen unmoved, in milliseconds of the local clock. */
  readonly unmovedMs: number;
}

export interface HeartbeatLook {
  /** The server's clock, asked after the registry was read, in milliseconds since 1970. */
  readonly serverNowMs: number;
  /** A local clock that never jumps, in milliseconds. */
  readonly localNowMs: number;
  /**
   * Since when, by that local clock, server and connection were well without a break. What was seen before does not
   * count: nobody's heartbeat could get through meanwhile.
   */
  readonly steadySinceMs: number;
}

/**
 * Takes in one look at a group's registry → the watch to give to the next call, and what is to be thought of each
 * consumer that is registered. Call it only with a registry that was read; a look that failed is no look.
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
