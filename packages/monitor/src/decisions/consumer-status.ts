/** How one consumer is, from what the server and the registry know of it. */
import type { Registration, RegistrationDetails } from "@redis-batch/core/internal";
import type { ConsumerStatus } from "../report.ts";
import { describeCount, describeDuration, describeMessages } from "./duration.ts";
import { describeIntake } from "./intake.ts";

export interface ConsumerSight {
  readonly consumer: string;
  readonly pending: number;
  /** The server's idle time, in milliseconds. */
  readonly serverIdleMs: number;
  /** What it counts from. */
  readonly idleSince: "attempt" | "success";
  readonly registered: Registration | undefined;
  /** What its heartbeat says: `silent`, late, and not watched for long enough to call it dead. */
  readonly life: "alive" | "silent" | "dead";
  /** How long its heartbeat has been seen unmoved, by the local clock. */
  readonly unmovedMs: number;
  /** Whether its heartbeat was seen to move between looks. */
  readonly wasHeard: boolean;
  /** Since when there was work and none of it was done, and how many looks have found it so. */
  readonly stillSinceMs: number;
  readonly stillLooks: number;
  /** Whether messages wait for the group; `null` when that is not known. */
  readonly isWorkWaiting: boolean | null;
  /** How long ago another consumer of the group was last given a message; `null` when none was, or it is not known. */
  readonly othersGotAgoMs: number | null;
  /** When it left in good order, if it did and is not registered any more; `null` otherwise. */
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
  /** Whether what it left behind may be released, and its name removed. */
  readonly isDead: boolean;
}

// One look is no trend, and two may fall on the same moment of a slow batch.
const STALLED_LOOKS = 3;
// Somebody who takes nothing up although messages wait, and is at work on nothing, deserves a look after two leases.
const IDLE_LEASES = 2;
// What a consumer holds a message for at most unless it says otherwise, and from which part of it on that is told.
const HOLD_LEASES = 10;
const STALLED_SHARE = 0.5;

/** How long a consumer may be at work on one batch before that is told, in milliseconds. */
export function patienceMsOf({ leaseMs, details }: Pick<Registration, "leaseMs" | "details">): number {
  return STALLED_SHARE * (details.holdLimitMs ?? HOLD_LEASES * leaseMs);
}

/** Judges one consumer. A registered one by its heartbeat and its work, a foreign one by how long it has been idle. */
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
    const reason = `${heard}; its lease is not over yet`;
    return { ...known, status: "WARNING - idle for long time", reason, isDead: false };
  }
  return { ...known, status: "OK", reason: `${heard}, ${describeMessages(pending)} pending`, isDead: false };
}

/** What a late heartbeat says of it; `null` when it is not late. */
function judgeSilence({ registered, life, unmovedMs, wasHeard }: RegisteredSight, idleMs: number): Judgement | null {
  if (life === "alive") return null;
  const lease = describeDuration(registered.leaseMs);
  const isLate = idleMs > registered.leaseMs;
  const late = isLate
    ? `its last heartbeat was ${describeDuration(idleMs)} ago, longer than its lease of ${lease}`
    : `its heartbeat was seen unmoved for ${describeDuration(unmovedMs)}, whatever its date says`;
  if (life === "dead") return { status: "DEAD", reason: late };
  // A heartbeat that was seen to move is more likely late than dead: clocks jump. Of any other the date is all there is.
  if (!wasHeard && isLate) return { status: "DEAD", reason: `${late}; it is watched before anything is taken from it` };
  return { status: "WARNING - idle for long time", reason: `${late}; it is watched before it is called dead` };
}

function judgeIntake(sight: RegisteredSight): Judgement | null {
  const { registered, pending } = sight;
  const { details } = registered;
  const held = describeIntake(details.intake);
  const meaning = (what: string): string => `it lives, and ${what}, with ${describeMessages(pending)} pending`;
  if (details.state === "draining") return { status: "DRAINING", reason: meaning("is stopping") };
  const stuck = judgeWork(details, patienceMsOf(registered));
  if (stuck !== null) return { status: "STALLED", reason: meaning(stuck) };
  if (held !== null) return { status: held.status, reason: meaning(held.meaning) };
  if (details.isUnfit === true) {
    return { status: "FAILING", reason: meaning("fails on what other consumers can do") };
  }
  return null;
}

/** What it says itself of handlers that do not end; `null` when all is well, or it does not say. */
function judgeWork(
  { oldestInFlightMs, handlersHung, concurrency }: RegistrationDetails,
  patienceMs: number,
): string | null {
  if (handlersHung !== null && handlersHung > 0) {
    const all = concurrency === null ? "its handlers" : `its ${describeCount(concurrency, "handler")}`;
    return `of ${all} ${handlersHung} ${handlersHung === 1 ? "hangs" : "hang"} beyond the time a message may be held`;
  }
  if (oldestInFlightMs === null || oldestInFlightMs < patienceMs) return null;
  return `a handler has been at work on one batch for ${describeDuration(oldestInFlightMs)}`;
}

/** Whether there was work and nothing of it was done over several looks, by its counters. */
function judgeStillness(sight: RegisteredSight, serverNowMs: number): Judgement | null {
  const { registered, pending, stillLooks } = sight;
  const { details, leaseMs } = registered;
  const stillMs = serverNowMs - sight.stillSinceMs;
  if (stillLooks < STALLED_LOOKS || details.acked === null) return null;
  // What is at work may take its time; one that says for how long it has been is judged by that.
  const isAtWork = details.inFlight !== 0;
  if (isAtWork && details.oldestInFlightMs !== null) return null;
  if (stillMs < (isAtWork ? patienceMsOf(registered) : IDLE_LEASES * leaseMs)) return null;
  const work = pending > 0 ? `${describeMessages(pending)} pending` : "messages waiting";
  return {
    status: "STALLED",
    reason: `its heartbeat is fresh, but no batch ended and nothing was acknowledged for ${describeDuration(stillMs)}, with ${work}`,
  };
}

function classifyForeign(sight: ConsumerSight, rules: ConsumerRules, serverNowMs: number): ConsumerVerdict {
  const { pending, serverIdleMs: idleMs, idleSince, leftAtMs } = sight;
  if (leftAtMs !== null) {
    const left = `it was closed ${describeDuration(serverNowMs - leftAtMs)} ago`;
    const reason = `${left}, and ${pending === 0 ? "only its name is left" : `left ${describeMessages(pending)}`}`;
    return { status: "LEFT", reason, foreign: true, idleMs, capacity: rules.batchSize, isDead: true };
  }
  const what = idleSince === "attempt" ? "it last tried to read" : "it last got a message";
  const ago = `${what} ${describeDuration(idleMs)} ago`;
  const isQuiet = isQuietOnly(sight, rules);
  const isDead = idleMs > rules.foreignIdleMs && !isQuiet;
  const known = { foreign: true, idleMs, capacity: rules.batchSize, isDead };
  const fate = isDead ? `, so that ${pending === 0 ? "its name may be removed" : "what it left may be released"}` : "";
  const load = judgeLoad(pending, rules.batchSize, "takes in a batch");
  if (load !== null) return { ...known, ...load, reason: `not registered: ${load.reason}, ${ago}${fate}` };
  if (idleMs > rules.idleThresholdMs && !isQuiet) {
    return { ...known, status: "WARNING - idle for long time", reason: `not registered: ${ago}${fate}` };
  }
  const quiet = isQuiet && idleMs > rules.idleThresholdMs ? ", and neither did any other since" : "";
  return { ...known, status: "OK", reason: `not registered: ${ago}${quiet}, ${describeMessages(pending)} pending` };
}

/**
 * Redis 7.0 does not count reads that return nothing, so that a healthy consumer of a quiet stream looks idle. It is
 * believed to be quiet while nothing waits, and no other consumer was given anything much later than it was.
 */
function isQuietOnly(
  { pending, serverIdleMs, idleSince, isWorkWaiting, othersGotAgoMs }: ConsumerSight,
  { idleThresholdMs }: ConsumerRules,
): boolean {
  if (idleSince === "attempt" || pending > 0 || isWorkWaiting === true) return false;
  return othersGotAgoMs === null || serverIdleMs - othersGotAgoMs <= idleThresholdMs;
}

function judgeLoad(pending: number, capacity: number, why = "holds on purpose"): Judgement | null {
  if (pending <= capacity) return null;
  return {
    status: "WARNING - too many pending items",
    reason: `${describeMessages(pending)} pending, more than the ${capacity} it ${why}`,
  };
}
