/** What becomes of a message that was not acknowledged. */
import { type BackoffPolicy, backoffDelayMs, type Random } from "@redis-batch/core/internal";

/** `fetch`: the caller sets the pace · `loop`: `run` and `for await`, which would otherwise spin. */
export type PullMode = "fetch" | "loop";

// Under `fetch()` nothing is given up: so it was in the Python original, whose users decide by themselves.
const LOOP_MAX_DELIVERIES = 16;

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
  | { readonly kind: "bury" }
  | {
      readonly kind: "defer";
      /** How long the message stays out of memory, in milliseconds. */
      readonly dueInMs: number;
      /** How long it may only accompany new messages, in milliseconds. */
      readonly ripeInMs: number;
    };

/**
 * Under `fetch()` the message is due at once, but does not make a batch by itself for the base delay. In a loop the
 * delay grows with each delivery, with jitter, up to the cap. A delay that was asked for is kept.
 */
export function decideRedelivery(
  { mode, deliveries, isCounted, delayMs }: ReturnedMessage,
  maxDeliveries: number,
  policy: BackoffPolicy,
  random: Random,
): Redelivery {
  if (isCounted && deliveries >= maxDeliveries) return { kind: "bury" };
  if (delayMs !== undefined) return { kind: "defer", dueInMs: delayMs, ripeInMs: delayMs };
  if (mode === "fetch") return { kind: "defer", dueInMs: 0, ripeInMs: policy.baseMs };
  const growingMs = backoffDelayMs(deliveries, policy, random);
  return { kind: "defer", dueInMs: growingMs, ripeInMs: growingMs };
}
