import type { Clock } from "./clock.ts";

/** Lets a loop wait for a notification. One that comes while the loop is busy ends its next wait at once. */
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
