/**
 * What a consumer's handlers are reported for: one that works on a batch for long, or hangs. Judged by what the consumer's
 * heartbeat says, so one pass is enough. A consumer whose heartbeat does not say it is judged by `finished-work.ts`.
 */
import { describeCount } from "@redis-batch/core/internal/errors";
import type { Registration } from "@redis-batch/core/internal/groups";
import { describeDuration } from "./duration.ts";

type Reported = Pick<Registration, "leaseMs" | "details">;

// The default of maxHoldMs, for consumers that do not report theirs, and the part of it after which a batch is reported.
const HOLD_LEASES = 10;
const REPORTED_SHARE = 0.5;

/** How long a consumer may process one batch before that is reported, in milliseconds. */
export function patienceMsOf({ leaseMs, details }: Reported): number {
  return REPORTED_SHARE * (details.holdLimitMs ?? HOLD_LEASES * leaseMs);
}

/** What is wrong with its handlers, as it reads after "it is alive, and"; `null` if nothing is, or it does not report any. */
export function describeHungHandlers(reported: Reported): string | null {
  const { oldestInFlightMs, handlersHung, concurrency } = reported.details;
  if (handlersHung !== null && handlersHung > 0) {
    const all = concurrency === null ? "its handlers" : `its ${describeCount(concurrency, "handler")}`;
    const hung = concurrency === 1 ? "its only handler" : `${handlersHung} of ${all}`;
    return `${hung} ${handlersHung === 1 ? "has" : "have"} been running for longer than a message may be held`;
  }
  if (oldestInFlightMs === null || oldestInFlightMs < patienceMsOf(reported)) return null;
  return `a handler has been processing one batch for ${describeDuration(oldestInFlightMs)}`;
}
