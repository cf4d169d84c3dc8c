/** Whether, how and when a message that was not acknowledged is redelivered. */
import { type BackoffPolicy, backoffDelayMs, type Random } from "@redis-batch/core/internal/service";

/** `fetch`: the caller sets the pace · `loop`: `run` and `for await`, which would otherwise spin. */
export type PullMode = "fetch" | "loop";

// Under `fetch()` no message is given up: in the Python original the users decide that themselves.
const LOOP_MAX_DELIVERIES = 16;

/** The longest delay that can be asked for, in milliseconds: a day. */
export const LONGEST_RETRY_MS = 86_400_000;

/** The longest that a message may be deferred, in milliseconds. */
export function longestDelayMs({ retry }: { readonly retry: BackoffPolicy }): number {
  return Math.max(LONGEST_RETRY_MS, retry.capMs);
}

/** How often a message is offered at most. `given`: the option, where there is one. */
export function decideMaxDeliveries(mode: PullMode, given: number | undefined): number {
  return given ?? (mode === "loop" ? LOOP_MAX_DELIVERIES : Number.POSITIVE_INFINITY);
}

/** Whether it was offered for the last time here, so that another consumer may try it once more. */
export function isLastChance(deliveries: number, maxDeliveries: number): boolean {
  return deliveries === maxDeliveries && maxDeliveries > 1;
}

export interface ReturnedMessage {
  readonly mode: PullMode;
  /** How often it has been delivered. */
  readonly deliveries: number;
  /** Whether its last delivery counts: only if the message failed. */
  readonly isCounted: boolean;
  /** The delay that the application asked for, in milliseconds. */
  readonly delayMs: number | undefined;
}

export type Redelivery =
  /** It was offered `maxDeliveries` times. */
  | { readonly kind: "dead-letter" }
  | {
      readonly kind: "defer";
      /** How long the message stays out of memory, in milliseconds. */
      readonly dueInMs: number;
      /** How long it is only offered together with new messages, in milliseconds. */
      readonly ripeInMs: number;
    };

// Only short delays are kept in memory: a few seconds, and well within the lease.
const LONGEST_KEPT_MS = 5_000;

/** Whether a message with this delay stays with this consumer. If not, the delay is kept in Redis. */
export function isKeptHere(delayMs: number, leaseMs: number): boolean {
  return delayMs <= Math.min(LONGEST_KEPT_MS, leaseMs / 2);
}

/**
 * Under `fetch()` the message is due at once, but does not form a batch by itself during the base delay. In a loop the delay grows
 * with each delivery, up to the cap: after the n-th delivery it is a random time between `baseMs` and `baseMs` × 2ⁿ, so that
 * messages that failed together are not redelivered together. A delay that the application asked for is kept.
 */
export function decideRedelivery(
  { mode, deliveries, isCounted, delayMs }: ReturnedMessage,
  maxDeliveries: number,
  policy: BackoffPolicy,
  random: Random,
): Redelivery {
  if (isCounted && deliveries >= maxDeliveries) return { kind: "dead-letter" };
  if (delayMs !== undefined) return { kind: "defer", dueInMs: delayMs, ripeInMs: delayMs };
  if (mode === "fetch") return { kind: "defer", dueInMs: 0, ripeInMs: policy.baseMs };
  // `backoffDelayMs` doubles from the second attempt on. One step further than the count, there is room for jitter from the first
  // time on: baseMs × 2ⁿ after the n-th delivery, as the README says.
  const growingMs = backoffDelayMs(deliveries + 1, policy, random);
  return { kind: "defer", dueInMs: growingMs, ripeInMs: growingMs };
}
