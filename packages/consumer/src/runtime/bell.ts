import type { Clock } from "@redis-batch/core/internal";

/** Lets one loop rest until something changes. A ring while it is busy is kept for its next rest. */
export class Bell {
  readonly #clock: Clock;
  #isRung = false;
  #wake: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Something changed. */
  ring(): void {
    this.#isRung = true;
    this.#wake?.();
  }

  /** Resolves at the next ring, or after `atMostMs`; `null`: only at a ring. */
  rest(atMostMs: number | null): Promise<void> {
    return new Promise((resolve) => {
      let cancelTimer = (): void => {};
      const wake = (): void => {
        this.#isRung = false;
        this.#wake = undefined;
        cancelTimer();
        resolve();
      };
      if (this.#isRung) return wake();
      this.#wake = wake;
      if (atMostMs !== null) cancelTimer = this.#clock.setTimer(atMostMs, wake);
    });
  }
}
