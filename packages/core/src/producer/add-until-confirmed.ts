import { ConnectionError, RedisBatchError } from "../errors/errors.ts";
import { isAway } from "../errors/is-away.ts";
import { type Clock, pause } from "../service/clock.ts";
import type { Random } from "../service/random.ts";
import { onAbort } from "../service/signals.ts";
import type { AddOnceResult } from "../wire/atomic/add-once.ts";
import type { ProducerEvent } from "./events.ts";
import { notAdded } from "./not-added.ts";
import { decideRetry } from "./retry.ts";

export interface AddUntilConfirmedOptions {
  /** One attempt, which may wait `waitMs` for a connection. Rejects with the signal's reason if it was cancelled. */
  readonly attempt: (waitMs: number, signal: AbortSignal | undefined) => Promise<AddOnceResult>;
  /** How long the first attempt may wait for a connection. */
  readonly waitMs: number;
  /** How long to retry after the first failed attempt. */
  readonly retryForMs: number;
  readonly signal: AbortSignal | undefined;
  /** Ends the wait between two attempts: the producer is closing. */
  readonly closing: AbortSignal;
  readonly clock: Clock;
  readonly random: Random;
  readonly notify: (event: ProducerEvent) => void;
}

/**
 * Adds a message that has an idempotency key, and retries until the server has confirmed or refused it.
 *
 * @throws {ConnectionError} with the outcome `unknown` when any attempt may have been executed, whatever the last
 * attempt's error; otherwise the last attempt's error, or the signal's reason: then the message was certainly not added.
 */
export async function addUntilConfirmed(
  options: AddUntilConfirmedOptions,
): Promise<AddOnceResult & { readonly attempt: number }> {
  let attempt = 0;
  let mayBeThere = false;
  const attemptOnce = async (waitMs: number): Promise<AddOnceResult> => {
    attempt++;
    try {
      return await options.attempt(waitMs, options.signal);
    } catch (error) {
      mayBeThere ||= ConnectionError.is(error) && error.outcome === "unknown";
      throw error;
    }
  };
  try {
    return { ...(await repeat(attemptOnce, options)), attempt };
  } catch (error) {
    if (mayBeThere) throw stillUnknown(attempt, error);
    throw isAway(error) ? notAdded(error) : error;
  }
}

async function repeat(
  attemptOnce: (waitMs: number) => Promise<AddOnceResult>,
  { waitMs, retryForMs, signal, closing, clock, random, notify }: AddUntilConfirmedOptions,
): Promise<AddOnceResult> {
  let mayWaitMs = waitMs;
  let firstFailureMs: number | undefined;
  for (let failures = 1; ; failures++) {
    try {
      return await attemptOnce(mayWaitMs);
    } catch (error) {
      // The first attempt has already waited for a connection as long as a message may.
      if (failures === 1 && ConnectionError.is(error) && error.outcome === "not-sent") throw error;
      firstFailureMs ??= clock.nowMs();
      const decision = decideRetry(error, failures, clock.nowMs() - firstFailureMs, retryForMs, random);
      if (decision.kind === "give-up" || !RedisBatchError.is(error)) throw error;
      notify({ type: "retrying", attempt: failures, delayMs: decision.delayMs, code: error.code });
      await pauseUnless(clock, decision.delayMs, [signal, closing]);
      signal?.throwIfAborted();
      if (closing.aborted) throw error;
      mayWaitMs = Math.max(0, firstFailureMs + retryForMs - clock.nowMs());
    }
  }
}

async function pauseUnless(
  clock: Clock,
  delayMs: number,
  signals: readonly (AbortSignal | undefined)[],
): Promise<void> {
  const end = new AbortController();
  const stops = signals.map((signal) => onAbort(signal, () => end.abort()));
  await pause(clock, delayMs, end.signal);
  for (const stop of stops) stop();
}

function stillUnknown(attempts: number, last: unknown): ConnectionError {
  return new ConnectionError(
    `add: not confirmed after ${attempts} ${attempts === 1 ? "attempt" : "attempts"}, at least one of which may have ` +
      "been executed; add it again with the same idempotencyKey: it will be in the stream only once. " +
      (RedisBatchError.is(last) ? `Last error: ${last.message}` : "It was aborted."),
    { outcome: "unknown", cause: last },
  );
}
