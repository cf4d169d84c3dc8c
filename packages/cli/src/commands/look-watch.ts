/** Whether looks come as they should. */
import { type Clock, systemClock } from "@redis-batch/core/internal";
import { renderDuration } from "../render/report.ts";

// A look takes a moment, and the machine may be busy.
const LEAST_LATE_MS = 3_000;

/** How long after the last look what is shown is old. */
export const lateAfterMs = (intervalMs: number): number => intervalMs + Math.max(intervalMs, LEAST_LATE_MS);

/**
 * Tells, once for each time, that the next look is long in coming: a server that does not answer looks like one at which
 * nothing happens.
 */
export class LookWatch {
  readonly #lateMs: number;
  readonly #tell: (sentence: string) => void;
  readonly #clock: Clock;
  #cancel = (): void => {};

  constructor(intervalMs: number, tell: (sentence: string) => void, clock: Clock = systemClock) {
    this.#lateMs = lateAfterMs(intervalMs);
    this.#tell = tell;
    this.#clock = clock;
    this.looked();
  }

  /** A look has come. */
  looked(): void {
    this.#cancel();
    this.#cancel = this.#clock.setTimer(this.#lateMs, () => {
      this.#tell(`the last look was ${renderDuration(this.#lateMs)} ago: the server does not answer`);
    });
  }

  end(): void {
    this.#cancel();
  }
}
