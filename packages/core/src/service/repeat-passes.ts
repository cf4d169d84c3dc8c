import { backoffDelayMs } from "../decisions/backoff.ts";
import { type Clock, pause } from "./clock.ts";
import type { Random } from "./random.ts";

export interface RepeatOptions {
  /** The time between the beginnings of two passes, in milliseconds; one that takes longer is followed at once. */
  readonly intervalMs: number;
  /**
   * Is told why a pass failed, and in how many milliseconds it is followed by the next one. Throws what no repetition can
   * mend.
   */
  readonly onFailure: (error: unknown, retryInMs: number) => void;
  readonly clock: Clock;
  readonly random: Random;
}

const RETRY_BASE_MS = 500;

/**
 * Makes one pass after the other until `over` aborts. After failures the next one comes by back-off: from half a second
 * to the interval.
 */
export async function repeatPasses(
  signal: AbortSignal,
  pass: () => Promise<void>,
  { intervalMs, onFailure, clock, random }: RepeatOptions,
): Promise<void> {
  const backoff = { baseMs: RETRY_BASE_MS, capMs: Math.max(intervalMs, RETRY_BASE_MS) };
  let failures = 0;
  while (!signal.aborted) {
    const beganAtMs = clock.nowMs();
    let waitMs = intervalMs;
    try {
      await pass();
      failures = 0;
    } catch (error) {
      if (signal.aborted) return;
      failures++;
      waitMs = backoffDelayMs(failures, backoff, random);
      onFailure(error, waitMs);
    }
    await pause(clock, Math.max(beganAtMs + waitMs - clock.nowMs(), 0), signal);
  }
}
