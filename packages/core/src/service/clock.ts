/** Local time for loops and timeouts. Ages and leases are judged on the server's time. */
export interface Clock {
  /** Milliseconds of a clock that never jumps; only differences are meaningful. */
  nowMs(): number;
  /** Calls back once, `delayMs` from now. The returned function cancels it. The timer does not keep the process alive. */
  setTimer(delayMs: number, callback: () => void, isIdle?: boolean): () => void;
}

// setTimeout fires at once when the delay does not fit a signed 32-bit number.
const LONGEST_DELAY_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  nowMs: () => performance.now(),
  setTimer(delayMs, callback, isIdle = false) {
    const timer = setTimeout(callback, Math.min(Math.max(delayMs, 0), LONGEST_DELAY_MS));
    if (isIdle) timer.unref();
    return () => clearTimeout(timer);
  },
};

/** Resolves after `delayMs`, or as soon as `signal` aborts. Never rejects: the caller checks the signal. */
export function pause(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const finish = (): void => {
      cancelTimer();
      signal?.removeEventListener("abort", finish);
      resolve();
    };
    const cancelTimer = clock.setTimer(delayMs, finish);
    signal?.addEventListener("abort", finish);
  });
}
