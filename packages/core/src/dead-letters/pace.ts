import { type Clock, pause } from "../service/clock.ts";

// A rate is spread over the second, instead of all at its beginning.
const STEPS_PER_SECOND = 4;

/** Limits how many letters are worked on per second; without a rate it never waits. */
export class Pace {
  readonly #perSecond: number | undefined;
  readonly #clock: Clock;
  #freeAtMs = Number.NEGATIVE_INFINITY;

  constructor(perSecond: number | undefined, clock: Clock) {
    this.#perSecond = perSecond;
    this.#clock = clock;
  }

  /** How many letters may be worked on together. */
  atOnce(most: number): number {
    if (this.#perSecond === undefined) return most;
    return Math.max(1, Math.min(most, Math.floor(this.#perSecond / STEPS_PER_SECOND)));
  }

  /** Waits until these letters may be worked on, or until the signal aborts. */
  async wait(letters: number, signal: AbortSignal): Promise<void> {
    if (this.#perSecond === undefined) return;
    const nowMs = this.#clock.nowMs();
    const beginMs = Math.max(this.#freeAtMs, nowMs);
    this.#freeAtMs = beginMs + (1_000 * letters) / this.#perSecond;
    if (beginMs > nowMs) await pause(this.#clock, beginMs - nowMs, signal);
  }
}
