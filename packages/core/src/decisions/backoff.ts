import type { Random } from "../service/random.ts";

/** How long to wait before the next attempt: exponential, capped, with jitter. */
export interface BackoffPolicy {
  /** The longest wait before the second attempt, in milliseconds. */
  readonly baseMs: number;
  /** No wait is longer than this, in milliseconds. */
  readonly capMs: number;
}

/**
 * The wait after attempt number `attempt` has failed, in milliseconds: a random value between the base and `base × 2^(attempt-1)`,
 * at most the cap. Never below the base, so that an attempt is never repeated at once; random, so that many clients
 * that failed together do not retry together.
 */
export function backoffDelayMs(attempt: number, policy: BackoffPolicy, random: Random): number {
  // 2^30 times any base is past any cap; a larger exponent would only reach Infinity.
  const ceilingMs = Math.min(policy.capMs, policy.baseMs * 2 ** Math.min(Math.max(attempt - 1, 0), 30));
  const floorMs = Math.min(policy.baseMs, ceilingMs);
  return floorMs + random() * (ceilingMs - floorMs);
}
