import { backoffDelayMs } from "../decisions/backoff.ts";
import type { Clock } from "./clock.ts";
import { Loop } from "./loop.ts";
import type { Random } from "./random.ts";
import { onAbort } from "./signals.ts";

export interface RepeatOptions {
  /** The time between the beginnings of two passes, in milliseconds; one that takes longer is followed at once. */
  readonly intervalMs: number;
  /**
   * Is told why a pass failed, and in how many milliseconds it is followed by the next one. Throws what no repetition can
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
  const untilNextMs = (delayMs: number): number => beganAtMs + delayMs - clock.nowMs();
  const loop = new Loop({
    clock,
    async round() {
      beganAtMs = clock.nowMs();
      await pass();
      return untilNextMs(intervalMs);
    },
    onFailure(error, failures) {
      const retryInMs = backoffDelayMs(failures, backoff, random);
      onFailure(error, retryInMs);
      return untilNextMs(retryInMs);
    },
  });
  const forget = onAbort(signal, () => void loop.stop().catch(() => {}));
  try {
    await loop.start();
  } finally {
    forget();
  }
}
