import { backoffDelayMs } from "../decisions/backoff.ts";
import { type Clock, pause } from "./clock.ts";
import { Loop } from "./loop.ts";
import type { Random } from "./random.ts";
import { onAbort } from "./signals.ts";

export interface RepeatOptions {
  /** The time between the beginnings of two passes, in milliseconds; one that takes longer is followed at once. */
  readonly intervalMs: number;
  /**
   * Called with the error of a failed pass, and the time until the next one in milliseconds. Throws errors that a retry
   * fix.
   */
  readonly onFailure: (error: unknown, retryInMs: number) => void;
  readonly clock: Clock;
  readonly random: Random;
}

const RETRY_BASE_MS = 500;

/**
 * Makes one pass after the other until `signal` aborts. After a failure the next one follows with back-off:
 * from half a second to the interval.
 */
export async function repeatPasses(
  signal: AbortSignal,
  pass: () => Promise<void>,
  { intervalMs, onFailure, clock, random }: RepeatOptions,
): Promise<void> {
  const backoff = { baseMs: RETRY_BASE_MS, capMs: Math.max(intervalMs, RETRY_BASE_MS) };
  let beganAtMs = 0;
  let failures = 0;
  const leftMs = (delayMs: number): number => Math.max(beganAtMs + delayMs - clock.nowMs(), 0);
  const loop = new Loop(clock, {
    async pass() {
      beganAtMs = clock.nowMs();
      await pass();
      failures = 0;
      const restMs = leftMs(intervalMs);
      // Others get their turn all the same.
      if (restMs === 0) await pause(clock, 0);
      return restMs;
    },
    onError(error) {
      const retryInMs = backoffDelayMs(++failures, backoff, random);
      onFailure(error, retryInMs);
      return leftMs(retryInMs);
    },
  });
  const forget = onAbort(signal, () => void loop.stop().catch(() => {}));
  try {
    loop.start();
    await loop.ended;
  } finally {
    forget();
  }
}
