import { type Clock, pause } from "@redis-batch/core/internal/service";

// Timers are coarse, so a short delay may be made up for; the delay of a slow source may not.
const CREDIT_MS = 100;

/** Limits the number of messages per second; without a rate it does not wait. */
export class Pace {
  readonly #everyMs: number;
  readonly #clock: Clock;
  #dueAtMs = Number.NEGATIVE_INFINITY;

  constructor(perSecond: number | undefined, clock: Clock) {
    this.#everyMs = perSecond === undefined ? 0 : 1_000 / perSecond;
    this.#clock = clock;
  }

  /** Resolves when the next message may be sent, or when the signal aborts. */
  async next(signal: AbortSignal): Promise<void> {
    if (this.#everyMs === 0) return;
    const nowMs = this.#clock.nowMs();
    this.#dueAtMs = Math.max(this.#dueAtMs + this.#everyMs, nowMs - CREDIT_MS);
    if (this.#dueAtMs - nowMs >= 1) await pause(this.#clock, this.#dueAtMs - nowMs, signal);
  }
}
