/** Tries an operation again after errors that may pass, until the time is up. */

import { NoGroupError, RedisBatchError } from "@redis-batch/core";
import { type BackoffPolicy, backoffDelayMs, type Clock, pause, type Random } from "@redis-batch/core/internal/service";
import { isServerAway, RETRY_AWAY } from "../server-away.ts";

const RESTART: BackoffPolicy = { baseMs: 100, capMs: 2_000 };
// How often a group may be missing that was just created.
const START_WITHOUT_GROUP = 3;

export interface RetryUntilOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/**
 * @param start gets the time left, in milliseconds
 * @throws the last error of `start`, when it cannot pass, the time is up, or `signal` has aborted
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
      const retryInMs = backoffDelayMs(attempt, isServerAway(error) ? RETRY_AWAY : RESTART, random);
      const isTimeUp = clock.nowMs() + retryInMs >= giveUpAtMs;
      if (!mayPass(error, attempt) || isTimeUp || signal.aborted) throw error;
      await pause(clock, retryInMs, signal);
    }
  }
}

function mayPass(error: unknown, attempt: number): boolean {
  // A group may be deleted right after it was created. If it keeps missing, it cannot be created.
  if (NoGroupError.is(error)) return attempt < START_WITHOUT_GROUP;
  // A connection may break, or a server go away, in the middle of a start.
  return RedisBatchError.is(error) && error.retryable;
}
