/** Starts again and again what fails for a reason that may pass, as long as there is time. */
import {
  type BackoffPolicy,
  backoffDelayMs,
  type Clock,
  NoGroupError,
  pause,
  type Random,
  RedisBatchError,
} from "@redis-batch/core/internal";

const RESTART: BackoffPolicy = { baseMs: 100, capMs: 2_000 };
// So often is a group looked for that was created and is not there.
const START_WITHOUT_GROUP = 3;

export interface RetryUntilOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/**
 * @param start gets the time that is left, in milliseconds
 * @throws what `start` threw last, when it cannot pass, the time is up, or `signal` has aborted
 */
export async function retryUntil<Result>(
  start: (leftMs: number) => Promise<Result>,
  { clock, random, timeoutMs, signal }: RetryUntilOptions,
): Promise<Result> {
  const giveUpAtMs = clock.nowMs() + timeoutMs;
  for (let attempt = 1; ; attempt++) {
    try {
      return await start(Math.ceil(giveUpAtMs - clock.nowMs()));
    } catch (error) {
      const retryInMs = backoffDelayMs(attempt, RESTART, random);
      const isTimeUp = clock.nowMs() + retryInMs >= giveUpAtMs;
      if (!mayPass(error, attempt) || isTimeUp || signal.aborted) throw error;
      await pause(clock, retryInMs, signal);
    }
  }
}

function mayPass(error: unknown, attempt: number): boolean {
  // A group may be deleted as soon as it was created; one that cannot be created stays away.
  if (NoGroupError.is(error)) return attempt < START_WITHOUT_GROUP;
  // A connection may break, and a server go away, between the first answer and the last of a start.
  return RedisBatchError.is(error) && error.retryable;
}
