import type { Clock } from "./clock.ts";

/** Lets one loop wait until something changes. A notification while it is busy is kept for its next wait. */
export class WakeSignal {
  readonly #clock: Clock;
  #isNotified = false;
  #wake: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Something changed. */
  notify(): void {
    this.#isNotified = true;
    this.#wake?.();
  }

  /** Resolves at the next notification, or after `atMostMs`; `null`: only at a notification. */
  wait(atMostMs: number | null): Promise<void> {
    return new Promise((resolve) => {
      let cancelTimer = (): void => {};
      const wake = (): void => {
        this.#isNotified = false;
        this.#wake = undefined;
        cancelTimer();
        resolve();
      };
      if (this.#isNotified) return wake();
      this.#wake = wake;
      if (atMostMs !== null) cancelTimer = this.#clock.setTimer(atMostMs, wake);
    });
  }
}
