/** Waits for promises up to a limit. The work behind them continues. */
import { type Clock, onAbort } from "@redis-batch/core/internal/service";

/** What the promise resolves with, or `undefined` when the signal aborts first. */
export function untilAborted<Result>(signal: AbortSignal, promise: Promise<Result>): Promise<Result | undefined> {
  return new Promise((resolve, reject) => {
    const stopListening = onAbort(signal, () => resolve(undefined));
    void promise.then(resolve, reject).finally(stopListening);
  });
}

/** What the promise resolves with, or `undefined` when it takes longer. */
export async function withTimeout<Result>(
  clock: Clock,
  limitMs: number,
  promise: Promise<Result>,
): Promise<Result | undefined> {
  const limit = new AbortController();
  const cancelLimit = clock.setTimer(limitMs, () => limit.abort());
  try {
    return await untilAborted(limit.signal, promise);
  } finally {
    cancelLimit();
  }
}
