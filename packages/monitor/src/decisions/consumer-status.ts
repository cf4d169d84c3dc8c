/** The status of one consumer, from the server's data and the registry. */
import { describeMessages } from "@redis-batch/core/internal/errors";
import type { Registration } from "@redis-batch/core/internal/groups";
import type { ConsumerStatus } from "../report.ts";
import { describeDuration } from "./duration.ts";
import { describeIntake } from "./held-intake.ts";
import { describeHungHandlers, patienceMsOf } from "./hung-handlers.ts";

export interface ConsumerSight {
  readonly consumer: string;
  readonly pending: number;
  /** The server's idle time, in milliseconds. */
  readonly serverIdleMs: number;
  /** What it counts from. */
  readonly idleSince: "attempt" | "success";
  readonly registered: Registration | undefined;
  /** The verdict on its heartbeat. `silent`: late, but not watched for long enough to call it dead. */
  readonly life: "alive" | "silent" | "dead";
  /** How long its heartbeat has been observed not to change, by the local clock. */
  readonly unmovedMs: number;
  /** Whether its heartbeat has changed between passes. */
  readonly wasHeard: boolean;
  /** Since when there has been work without progress, and over how many passes. */
  readonly stillSinceMs: number;
  readonly stillPasses: number;
  /** Whether messages wait for the group; `null` if unknown. */
  readonly isWorkWaiting: boolean | null;
  /** How long ago another consumer of the group last received a message; `null` if none has, or if unknown. */
  readonly othersGotAgoMs: number | null;
  /** When it closed cleanly, if it is no longer registered; otherwise `null`. */
  readonly leftAtMs: number | null;
}

export interface ConsumerRules {
  readonly batchSize: number;
  readonly idleThresholdMs: number;
  readonly foreignIdleMs: number;
}

export interface ConsumerVerdict {
  readonly status: ConsumerStatus;
  readonly reason: string;
  readonly foreign: boolean;
  readonly idleMs: number;
  readonly capacity: number;
  /** Whether its messages may be released, and its name removed. */
  readonly isDead: boolean;
}

// One pass is no trend, and two may fall on the same moment of a slow batch.
const STALLED_PASSES = 3;
// A consumer that processes nothing and takes nothing although messages wait is reported after two leases.
const IDLE_LEASES = 2;

/** Judges one consumer: a registered one by its heartbeat and its work, a foreign one by its idle time. */
export function classifyConsumer(sight: ConsumerSight, rules: ConsumerRules, serverNowMs: number): ConsumerVerdict {
  return sight.registered === undefined
    ? classifyForeign(sight, rules, serverNowMs)
    : classifyRegistered({ ...sight, registered: sight.registered }, rules, serverNowMs);
}

type RegisteredSight = ConsumerSight & { readonly registered: Registration };
type Judgement = Pick<ConsumerVerdict, "status" | "reason">;

function classifyRegistered(sight: RegisteredSight, rules: ConsumerRules, serverNowMs: number): ConsumerVerdict {
  const { registered, pending } = sight;
  const { details } = registered;
  const idleMs = Math.max(serverNowMs - registered.atMs, 0);
  const capacity = details.capacity ?? details.batchSize ?? rules.batchSize;
  const known = { foreign: false, idleMs, capacity };
  const silence = judgeSilence(sight, idleMs);
  if (silence !== null) return { ...known, ...silence, isDead: sight.life === "dead" };
  const heard = `its last heartbeat was ${describeDuration(idleMs)} ago`;
  const verdict = judgeIntake(sight) ?? judgeStillness(sight, serverNowMs) ?? judgeLoad(pending, capacity);
  if (verdict !== null) return { ...known, ...verdict, isDead: false };
  if (idleMs > rules.idleThresholdMs) {
    const reason = `${heard}; its lease has not expired yet`;
    return { ...known, status: "WARNING - idle for long time", reason, isDead: false };
  }
  return { ...known, status: "OK", reason: `${heard}, ${describeMessages(pending)} pending`, isDead: false };
}

/** Judges a late heartbeat; `null` if it is not late. */
function judgeSilence({ registered, life, unmovedMs, wasHeard }: RegisteredSight, idleMs: number): Judgement | null {
  if (life === "alive") return null;
  const lease = describeDuration(registered.leaseMs);
  const isLate = idleMs > registered.leaseMs;
  const late = isLate
    ? `its last heartbeat was ${describeDuration(idleMs)} ago, longer than its lease of ${lease}`
    : `its heartbeat has not changed for ${describeDuration(unmovedMs)}, whatever its timestamp`;
  if (life === "dead") return { status: "DEAD", reason: late };
  // A heartbeat that has been observed to change is more likely late than dead: clocks jump. For others only the timestamp counts.
  if (!wasHeard && isLate)
    return { status: "DEAD", reason: `${late}; the monitor watches it before it releases its messages` };
  return { status: "WARNING - idle for long time", reason: `${late}; the monitor watches it before it calls it dead` };
}

function judgeIntake(sight: RegisteredSight): Judgement | null {
  const { registered, pending } = sight;
  const { details } = registered;
  const held = describeIntake(details.intake);
  const meaning = (what: string): string => `it is alive, and ${what}, with ${describeMessages(pending)} pending`;
  if (details.state === "draining") return { status: "DRAINING", reason: meaning("is stopping") };
  const stuck = describeHungHandlers(registered);
  if (stuck !== null) return { status: "STALLED", reason: meaning(stuck) };
  if (held !== null) return { status: held.status, reason: meaning(held.meaning) };
  if (details.isUnfit === true) {
    return { status: "FAILING", reason: meaning("fails on messages that other consumers can process") };
  }
  return null;
}

/** Whether there was work without progress over several passes, by its counters. */
function judgeStillness(sight: RegisteredSight, serverNowMs: number): Judgement | null {
  const { registered, pending, stillPasses } = sight;
  const { details, leaseMs } = registered;
  const stillMs = serverNowMs - sight.stillSinceMs;
  if (stillPasses < STALLED_PASSES || details.acked === null) return null;
  // Processing may take its time. A consumer that reports the age of its batches is judged by that.
  const isAtWork = details.inFlight !== 0;
  if (isAtWork && details.oldestInFlightMs !== null) return null;
  if (stillMs < (isAtWork ? patienceMsOf(registered) : IDLE_LEASES * leaseMs)) return null;
  const work = pending > 0 ? `${describeMessages(pending)} pending` : "messages waiting";
  return {
    status: "STALLED",
    reason: `its heartbeat is fresh, but it has finished no batch and acknowledged nothing for ${describeDuration(stillMs)}, with ${work}`,
  };
}

function classifyForeign(sight: ConsumerSight, rules: ConsumerRules, serverNowMs: number): ConsumerVerdict {
  const { pending, serverIdleMs: idleMs, idleSince, leftAtMs } = sight;
  if (leftAtMs !== null) {
    const left = `it was closed ${describeDuration(serverNowMs - leftAtMs)} ago`;
    const reason = `${left}, and ${pending === 0 ? "only its name is left" : `left ${describeMessages(pending)}`}`;
    return { status: "LEFT", reason, foreign: true, idleMs, capacity: rules.batchSize, isDead: true };
  }
  const what = idleSince === "attempt" ? "it last tried to read" : "it last received a message";
  const ago = `${what} ${describeDuration(idleMs)} ago`;
  const isQuiet = isQuietOnly(sight, rules);
  const isDead = idleMs > rules.foreignIdleMs && !isQuiet;
  const known = { foreign: true, idleMs, capacity: rules.batchSize, isDead };
  const fate = isDead ? `, so ${pending === 0 ? "its name may be removed" : "its messages may be released"}` : "";
  const load = judgeLoad(pending, rules.batchSize, "takes in a batch");
  if (load !== null) return { ...known, ...load, reason: `not registered: ${load.reason}, ${ago}${fate}` };
  if (idleMs > rules.idleThresholdMs && !isQuiet) {
    return { ...known, status: "WARNING - idle for long time", reason: `not registered: ${ago}${fate}` };
  }
  const quiet = isQuiet && idleMs > rules.idleThresholdMs ? ", and no other consumer has since" : "";
  return { ...known, status: "OK", reason: `not registered: ${ago}${quiet}, ${describeMessages(pending)} pending` };
}

/**
 * Redis 7.0 does not count reads that return nothing, so a healthy consumer of a quiet stream looks idle. It counts as
 * quiet as long as no messages wait, and no other consumer has received any much later than it has.
 */
function isQuietOnly(
  { pending, serverIdleMs, idleSince, isWorkWaiting, othersGotAgoMs }: ConsumerSight,
  { idleThresholdMs }: ConsumerRules,
): boolean {
  if (idleSince === "attempt" || pending > 0 || isWorkWaiting === true) return false;
  return othersGotAgoMs === null || serverIdleMs - othersGotAgoMs <= idleThresholdMs;
}

function judgeLoad(pending: number, capacity: number, why = "holds by design"): Judgement | null {
  if (pending <= capacity) return null;
  return {
    status: "WARNING - too many pending items",
    reason: `${describeMessages(pending)} pending, more than the ${capacity} it ${why}`,
  };
}
