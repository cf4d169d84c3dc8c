/** How one consumer is, from what the server and the registry know of it. */
import { isAlive, REDRIVE_CONSUMER, type Registration } from "@redis-batch/core/internal";
import type { ConsumerStatus } from "../report.ts";
import { describeDuration, describeMessages } from "./duration.ts";

export interface ConsumerSight {
  readonly consumer: string;
  readonly pending: number;
  /** The server's idle time, in milliseconds. */
  readonly serverIdleMs: number;
  /** What it counts from. */
  readonly idleSince: "attempt" | "success";
  readonly registered: Registration | undefined;
  /** Since when its work has not moved, and how many looks have found it so. */
  readonly stillSinceMs: number;
  readonly stillLooks: number;
  /** Whether messages wait for the group; `null` when that is not known. */
  readonly isWorkWaiting: boolean | null;
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
  /** Whether what it left behind may be handed over, and its name removed. */
  readonly isGone: boolean;
}

// One look is no trend, and two may fall on the same moment of a slow batch.
const STALLED_LOOKS = 3;
// A batch may well take longer than one lease; one that takes two without any sign deserves a look.
const STALLED_LEASES = 2;

/** Judges one consumer. A registered one by its heartbeat and lease, a foreign one by how long it has been idle. */
export function classifyConsumer(sight: ConsumerSight, rules: ConsumerRules, serverNowMs: number): ConsumerVerdict {
  return sight.registered === undefined
    ? classifyForeign(sight, rules)
    : classifyRegistered({ ...sight, registered: sight.registered }, rules, serverNowMs);
}

function classifyRegistered(
  sight: ConsumerSight & { readonly registered: Registration },
  rules: ConsumerRules,
  serverNowMs: number,
): ConsumerVerdict {
  const { registered, pending } = sight;
  const { details, leaseMs } = registered;
  const idleMs = Math.max(serverNowMs - registered.atMs, 0);
  const capacity = details.capacity ?? details.batchSize ?? rules.batchSize;
  const known = { foreign: false, idleMs, capacity, isGone: false };
  const heard = `its last heartbeat was ${describeDuration(idleMs)} ago`;
  if (!isAlive(registered, serverNowMs)) {
    const reason = `${heard}, longer than its lease of ${describeDuration(leaseMs)}`;
    return { ...known, status: "DEAD", reason, isGone: true };
  }
  if (details.state === "draining") {
    return { ...known, status: "DRAINING", reason: `it is stopping, with ${describeMessages(pending)} pending` };
  }
  const stillMs = serverNowMs - sight.stillSinceMs;
  const hasWork = pending > 0 || sight.isWorkWaiting === true;
  if (hasWork && sight.stillLooks >= STALLED_LOOKS && stillMs >= STALLED_LEASES * leaseMs) {
    const still = `nothing was read or acknowledged for ${describeDuration(stillMs)}`;
    const work = pending > 0 ? `${describeMessages(pending)} pending` : "messages waiting";
    return { ...known, status: "STALLED", reason: `its heartbeat is fresh, but ${still}, with ${work}` };
  }
  if (pending > capacity) return { ...known, ...tooMany(pending, capacity, "holds on purpose") };
  if (idleMs > rules.idleThresholdMs) {
    return { ...known, status: "WARNING - idle for long time", reason: `${heard}; its lease is not over yet` };
  }
  return { ...known, status: "OK", reason: `${heard}, ${describeMessages(pending)} pending` };
}

function classifyForeign(sight: ConsumerSight, rules: ConsumerRules): ConsumerVerdict {
  const { pending, serverIdleMs: idleMs, idleSince } = sight;
  if (sight.consumer === REDRIVE_CONSUMER) {
    const reason = "no consumer: dead letters that were redriven wait under this name to be taken over";
    return { status: "DEAD", reason, foreign: true, idleMs, capacity: rules.batchSize, isGone: true };
  }
  const what = idleSince === "attempt" ? "it last tried to read" : "it last got a message";
  const ago = `${what} ${describeDuration(idleMs)} ago`;
  // Redis 7.0 does not count reads that return nothing: a healthy consumer of a quiet stream looks idle.
  const isQuiet = idleSince === "success" && pending === 0 && sight.isWorkWaiting !== true;
  const isGone = idleMs > rules.foreignIdleMs && !isQuiet;
  const known = { foreign: true, idleMs, capacity: rules.batchSize, isGone };
  const fate = isGone ? ", so that what it left may be handed over" : "";
  if (pending > rules.batchSize) {
    const verdict = tooMany(pending, rules.batchSize, "takes in a batch");
    return { ...known, ...verdict, reason: `not registered: ${verdict.reason}, ${ago}${fate}` };
  }
  if (idleMs > rules.idleThresholdMs && !isQuiet) {
    return { ...known, status: "WARNING - idle for long time", reason: `not registered: ${ago}${fate}` };
  }
  const quiet = isQuiet && idleMs > rules.idleThresholdMs ? ", and none waits" : "";
  return { ...known, status: "OK", reason: `not registered: ${ago}${quiet}, ${describeMessages(pending)} pending` };
}

function tooMany(pending: number, capacity: number, why: string): Pick<ConsumerVerdict, "status" | "reason"> {
  return {
    status: "WARNING - too many pending items",
    reason: `${describeMessages(pending)} pending, more than the ${capacity} it ${why}`,
  };
}
