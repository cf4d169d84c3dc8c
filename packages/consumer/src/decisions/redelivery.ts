/** What becomes of a message that was not acknowledged. */
import { type BackoffPolicy, backoffDelayMs, type Random } from "@redis-batch/core/internal";

/** `fetch`: the caller sets the pace · `loop`: `run` and `for await`, which would otherwise spin. */
export type PullMode = "fetch" | "loop";

// Under `fetch()` nothing is given up: so it was in the Python original, whose users decide by themselves.
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

export interface ReturnedMessage {
  readonly mode: PullMode;
  /** How often it was delivered. */
  readonly deliveries: number;
  /** Whether its last delivery counts: not when nobody has said that it failed. */
  readonly isCounted: boolean;
  /** What the application asked for, in milliseconds. */
  readonly delayMs: number | undefined;
}

export type Redelivery =
  /** It was offered as often as it may be. */
  | { readonly kind: "dead-letter" }
  | {
      readonly kind: "defer";
      /** How long the message stays out of memory, in milliseconds. */
      readonly dueInMs: number;
      /** How long it may only accompany new messages, in milliseconds. */
      readonly ripeInMs: number;
    };

// A delay is kept in memory while it is short: a few seconds, and well within the lease that guards the message.
const LONGEST_KEPT_MS = 5_000;

/** Whether a message that is deferred for so long stays with this consumer; if not, its time is written down in Redis. */
export function isKeptHere(delayMs: number, leaseMs: number): boolean {
  return delayMs <= Math.min(LONGEST_KEPT_MS, leaseMs / 2);
}

/**
 * Under `fetch()` the message is due at once, but does not make a batch by itself for the base delay. In a loop the
 * delay grows with each delivery, up to the cap, and is spread so that what failed together does not come again
 * together: after the n-th delivery it lies between `baseMs` and `baseMs` × 2ⁿ. A delay that was asked for is kept.
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
  // One step further than the count says: from the first time on there is room to spread.
  const growingMs = backoffDelayMs(deliveries + 1, policy, random);
  return { kind: "defer", dueInMs: growingMs, ripeInMs: growingMs };
}
