/**
 * When the streams of a consumer look for released messages, and for deferred ones that are due: all at the same time, in about
 * each second. So many streams wake the process as often as one does. Consumers look at different times, by chance.
 */
import type { Clock, Random } from "@redis-batch/core/internal/service";

const LOOK_EVERY_MS = 1_000;
// A timer may be this much early, and one look has just been made.
const SAME_LOOK_MS = 10;

export class LookTimes {
  readonly #clock: Clock;
  readonly #random: Random;
  #nextAtMs = Number.NEGATIVE_INFINITY;

  constructor({ clock, random }: { readonly clock: Clock; readonly random: Random }) {
    this.#clock = clock;
    this.#random = random;
  }

  /** How long it is until the next one after a look that was made now, in milliseconds. */
  get nextInMs(): number {
    const nowMs = this.#clock.nowMs();
    if (this.#nextAtMs - nowMs < SAME_LOOK_MS) {
      this.#nextAtMs = nowMs + LOOK_EVERY_MS * (0.75 + 0.25 * this.#random());
    }
    return this.#nextAtMs - nowMs;
  }
}
