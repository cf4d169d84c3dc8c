/** When a message without an outcome is offered again. */
import { type BackoffPolicy, backoffDelayMs, type Random } from "@redis-batch/core/internal";

/** `fetch`: the caller sets the pace · `loop`: `run` and `for await`, which would otherwise spin. */
export type PullMode = "fetch" | "loop";

export interface Redelivery {
  /** How long the message stays out of memory, in milliseconds. */
  readonly dueInMs: number;
  /** How long it may only accompany new messages, in milliseconds. */
  readonly ripeInMs: number;
}

/**
 * Under `fetch()` the message is due at once, but does not make a batch by itself for the base delay. In a loop the
 * delay grows with each delivery, with jitter, up to the cap.
 */
export function decideRedelivery(
  mode: PullMode,
  deliveries: number,
  policy: BackoffPolicy,
  random: Random,
): Redelivery {
  if (mode === "fetch") return { dueInMs: 0, ripeInMs: policy.baseMs };
  const delayMs = backoffDelayMs(deliveries, policy, random);
  return { dueInMs: delayMs, ripeInMs: delayMs };
}
