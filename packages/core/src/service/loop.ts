/** Makes one pass after the other. Each pass returns the delay until the next one; a notification ends the delay early. */
import { type Clock, pause } from "./clock.ts";
import { WakeSignal } from "./wake-signal.ts";

/** The delay until the next pass, in milliseconds; `null`: until a notification. */
export type NextPassInMs = number | null;

export interface LoopOptions {
  readonly pass: () => NextPassInMs | Promise<NextPassInMs>;
  /**
   * Called with the error of a failed pass → the delay until the retry, in milliseconds, which no notification shortens;
   * `end`: no retry. Without it, or if it throws itself, an error ends the loop: `ended` rejects with it, uncaught if nobody
   * awaits it. Not called with an error after `stop()`, which may have caused it.
   */
  readonly onError?: (error: unknown) => number | "end" | Promise<number | "end">;
}

/**
 * Makes one pass after the other until it is stopped, never two at once.
 *
 * | state | is left by |
 * |---|---|
 * | new | `start()` → running, `stop()` → ended |
 * | running | `stop()` → ended, when the current pass has ended; `onError` says `end`, or an error is not handled → ended |
 * | ended | nothing |
 */
export class Loop {
  readonly #clock: Clock;
  readonly #options: LoopOptions;
  readonly #wake: WakeSignal;
  readonly #stopped = new AbortController();
  #running: Promise<void> | undefined;

  constructor(clock: Clock, options: LoopOptions) {
    this.#clock = clock;
    this.#options = options;
    this.#wake = new WakeSignal(clock);
  }

  /** Aborts when the loop is stopped, so that a pass need not end what it is at. */
  get signal(): AbortSignal {
    return this.#stopped.signal;
  }

  get isStopped(): boolean {
    return this.#stopped.signal.aborted;
  }

  /** Whether it was started, and not stopped since. */
  get isRunning(): boolean {
    return this.#running !== undefined && !this.isStopped;
  }

  /** Resolves when the loop has ended; rejects with an error that ended it. A loop that was never started has ended. */
  get ended(): Promise<void> {
    return this.#running ?? Promise.resolve();
  }

  /** Begins with the first pass after `firstInMs`. Does nothing when it has begun. */
  start(firstInMs: NextPassInMs = 0): void {
    this.#running ??= this.#run(firstInMs);
  }

  /** Something changed: the next pass is made now, or as soon as the one under way has ended. */
  notify(): void {
    this.#wake.notify();
  }

  /** Makes no further pass; resolves when the one under way has ended. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    this.#wake.notify();
    await this.ended;
  }

  async #run(firstInMs: NextPassInMs): Promise<void> {
    let nextInMs = firstInMs;
    while (!this.isStopped) {
      if (nextInMs !== 0) await this.#wake.wait(nextInMs);
      if (this.isStopped) return;
      try {
        nextInMs = await this.#options.pass();
      } catch (error) {
        if (this.isStopped) return;
        if (this.#options.onError === undefined) throw error;
        const retryInMs = await this.#options.onError(error);
        if (retryInMs === "end") return;
        if (retryInMs > 0) await pause(this.#clock, retryInMs, this.signal);
        nextInMs = 0;
      }
    }
  }
}
