import type { Random } from "../service/random.ts";

/** How long to wait before the next attempt: exponential, capped, spread by chance. */
export interface BackoffPolicy {
  /** The longest wait before the second attempt, in milliseconds. */
  readonly baseMs: number;
  /** No wait is longer than this, in milliseconds. */
  readonly capMs: number;
}

/**
 * The wait before attempt `attempt + 1`, in milliseconds: anywhere between the base and `base × 2^(attempt-1)`, at
 * most the cap. Never below the base, so that a failure is never repeated at once; spread, so that many clients that
 * failed together do not come back together.
 */
export function backoffDelayMs(attempt: number, policy: BackoffPolicy, random: Random): number {
  // 2^30 times any base is past any cap; a larger exponent would only reach Infinity.
  const ceilingMs = Math.min(policy.capMs, policy.baseMs * 2 ** Math.min(Math.max(attempt - 1, 0), 30));
  const floorMs = Math.min(policy.baseMs, ceilingMs);
  return floorMs + random() * (ceilingMs - floorMs);
}
