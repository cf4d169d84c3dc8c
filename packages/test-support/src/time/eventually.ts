import { setTimeout as pause } from "node:timers/promises";
import { fairNowMs } from "@redis-batch/testing/time";

export interface EventuallyOptions {
  /** The hard limit on the fair clock, 10 s by default. */
  readonly timeoutMs?: number;
  /** The longest pause between two looks, 50 ms by default; the first ones are shorter. */
  readonly pauseMs?: number;
}

/** What a check yields once it holds. */
type Truthy<T> = Exclude<T, undefined | null | false | 0 | "">;

/**
 * Calls `check` repeatedly until it returns a truthy value, and returns that. A check that throws does not hold yet.
 *
 * For conditions outside this process only (a server's state, another process); what our own code does is announced,
 * and waited for with an {@link EventRecorder}.
 *
 * @throws {Error} saying `what` did not come, and what the last look gave.
 */
export async function eventually<T>(
  what: string,
  check: () => T | Promise<T>,
  { timeoutMs = 10_000, pauseMs = 50 }: EventuallyOptions = {},
): Promise<Truthy<Awaited<T>>> {
  const giveUpAtMs = fairNowMs() + timeoutMs;
  let waitMs = 2;
  for (;;) {
    const outcome = await look(check);
    if (outcome.holds) return outcome.value;
    if (fairNowMs() >= giveUpAtMs) {
      throw new Error(`not within ${timeoutMs} ms: ${what} (last look: ${outcome.seen})`, { cause: outcome.cause });
    }
    await pause(waitMs);
    waitMs = Math.min(waitMs * 2, pauseMs);
  }
}

type Look<T> = { holds: true; value: T } | { holds: false; seen: string; cause: unknown };

async function look<T>(check: () => T | Promise<T>): Promise<Look<Truthy<Awaited<T>>>> {
  try {
    const value = await check();
    if (isTruthy(value)) return { holds: true, value };
    return { holds: false, seen: String(value), cause: undefined };
  } catch (cause) {
    return { holds: false, seen: String(cause), cause };
  }
}

function isTruthy<T>(value: T): value is Truthy<T> {
  return Boolean(value);
}
