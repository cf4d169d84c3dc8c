import type { Clock } from "./clock.ts";

export interface LoopOptions {
  /** One round → in how many milliseconds the next one begins; `null`: only when the loop is woken. */
  readonly round: () => Promise<number | null>;
  /**
   * Told what a round threw, and how often in a row that has happened → in how many milliseconds the next one begins. Throws
   * what no repetition can fix: that ends the loop. Not told of a failure after `stop()`, which may have caused it.
   */
  readonly onFailure: (error: unknown, failures: number) => number;
  /** In how many milliseconds the first round begins; 0, the default, is at once. */
  readonly firstInMs?: number;
  readonly clock: Clock;
}

/**
 * Does something again and again, one round after the other, until it is stopped. There is never more than one round under
 * way, and a failure is never lost: either the next round follows, or the loop's end says why.
 *
 * | state | is left by |
 * |---|---|
 * | new | `start()` → running, `stop()` → ended |
 * | running | `stop()` → ended, once the round under way is over; `onFailure` throws → ended, and the end rejects |
 * | ended | nothing |
 */
export class Loop {
  readonly #options: LoopOptions;
  #isStopped = false;
  #isWoken = false;
  #endRest: (() => void) | undefined;
  #end: Promise<void> | undefined;

  constructor(options: LoopOptions) {
    this.#options = options;
  }

  /** Whether `stop()` was called: a long round looks at it, and ends early. */
  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Starts it, once → its end, which rejects with what `onFailure` threw. */
  start(): Promise<void> {
    this.#end ??= this.#run();
    return this.#end;
  }

  /** Has the next round begin now, or as soon as the one under way is over. */
  wake(): void {
    this.#isWoken = true;
    this.#endRest?.();
  }

  /** Begins no further round → the loop's end. Idempotent. */
  stop(): Promise<void> {
    this.#isStopped = true;
    this.wake();
    return this.#end ?? Promise.resolve();
  }

  async #run(): Promise<void> {
    const { round, onFailure, firstInMs = 0 } = this.#options;
    if (firstInMs > 0) await this.#rest(firstInMs);
    this.#isWoken = false;
    for (let failures = 0; !this.#isStopped; ) {
      let nextInMs: number | null;
      try {
        nextInMs = await round();
        failures = 0;
      } catch (error) {
        if (this.#isStopped) return;
        nextInMs = onFailure(error, ++failures);
      }
      await this.#rest(nextInMs);
    }
  }

  /** Also where there is nothing to wait for, others get their turn between two rounds. */
  async #rest(delayMs: number | null): Promise<void> {
    const { clock } = this.#options;
    if (!this.#isWoken) {
      await new Promise<void>((resolve) => {
        const cancelTimer = delayMs === null ? () => {} : clock.setTimer(Math.max(delayMs, 0), resolve);
        this.#endRest = () => {
          cancelTimer();
          resolve();
        };
      });
    }
    this.#endRest = undefined;
    this.#isWoken = false;
  }
}
