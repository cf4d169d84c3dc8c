/** How long a message may wait for a healthy consumer that has a place free: guarantee 10 of DESIGN.md. */

/**
 * `new`: never offered · `later`: the time until which it was deferred has come · `released`: nobody holds it, anybody may
 * take it · `orphaned`: the consumer that held it died, or was cut off for longer than its lease · `parked`: never offered,
 * and the messages before it of its order key have come to their end.
 */
export type WaitClass = "new" | "later" | "released" | "orphaned" | "parked";

export const WAIT_CLASSES: readonly WaitClass[] = ["new", "later", "released", "orphaned", "parked"];

/** A number for each class, zero at first. */
export function noWaits(): Record<WaitClass, number> {
  return { new: 0, later: 0, released: 0, orphaned: 0, parked: 0 };
}

/** The options of the group's consumers that the bounds follow from. */
export interface LivenessPolicy {
  readonly maxWaitMs: number;
  readonly leaseMs: number;
  /** How often a consumer sends its heartbeat. */
  readonly heartbeatMs: number;
  readonly recoverEveryMs: number;
  readonly maxHoldMs: number;
  readonly maxDeliveries: number;
  /** The longest delay that the retry policy gives, where the handler asks for none. */
  readonly retryCapMs: number;
}

/** A consumer with room looks each second, with jitter. */
const TAKE_MS = 2_000;
/** What was read ahead and not offered is released after this, while somebody else has a place free. */
const READ_AHEAD_MS = 1_000;
/** How much longer than `recoverEveryMs` the next look may be away: consumers spread their looks. */
const RECOVER_JITTER_RATIO = 0.25;

export function boundOf(waitClass: WaitClass, policy: LivenessPolicy): number {
  const { maxWaitMs, leaseMs, heartbeatMs, recoverEveryMs } = policy;
  switch (waitClass) {
    case "new":
      return maxWaitMs;
    case "later":
    case "released":
    case "parked":
      return maxWaitMs + TAKE_MS;
    case "orphaned":
      return leaseMs + 3 * heartbeatMs + recoverEveryMs * (1 + RECOVER_JITTER_RATIO) + maxWaitMs;
  }
}

/** How long it takes on top when another consumer holds the message: that one must see that it cannot offer it soon. */
export function handOverMs({ maxWaitMs, heartbeatMs }: LivenessPolicy): number {
  return Math.max(maxWaitMs, READ_AHEAD_MS) + heartbeatMs + TAKE_MS;
}

/** Whether a message on its n-th delivery is offered alone, one at a time: for the last half of its deliveries. */
export function isSuspect(deliveries: number, maxDeliveries: number): boolean {
  return deliveries > 1 && deliveries * 2 > maxDeliveries;
}
