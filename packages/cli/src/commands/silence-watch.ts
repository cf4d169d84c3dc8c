/** Notices a server that has stopped answering. */
import { type Clock, systemClock } from "@redis-batch/core/internal/service";
import { renderDuration } from "../render/report.ts";

// A pass takes a moment, and the machine may be busy.
const LEAST_LATE_MS = 3_000;

/** How long after the last answer the shown data counts as outdated. */
export const lateAfterMs = (intervalMs: number): number => intervalMs + Math.max(intervalMs, LEAST_LATE_MS);

/**
 * Warns, once per silence, that the server has not answered for longer than expected: otherwise a server that hangs looks
 * like one at which nothing happens.
 */
export class SilenceWatch {
  readonly #lateMs: number;
  readonly #warn: (sentence: string) => void;
  readonly #clock: Clock;
  #cancel = (): void => {};

  constructor(intervalMs: number, warn: (sentence: string) => void, clock: Clock = systemClock) {
    this.#lateMs = lateAfterMs(intervalMs);
    this.#warn = warn;
    this.#clock = clock;
    this.answered();
  }

  /** The server has answered. */
  answered(): void {
    this.#cancel();
    this.#cancel = this.#clock.setTimer(this.#lateMs, () => {
      this.#warn(`the last answer was ${renderDuration(this.#lateMs)} ago: the server does not answer`);
    });
  }

  end(): void {
    this.#cancel();
  }
}
