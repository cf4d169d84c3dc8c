/**
 * When the streams of a consumer look for released messages, and for deferred messages that are due: about once a second, all at
 * the same time. Ten streams then wake the process no more often than one. The exact time is random, so that consumers
 * do not all ask the server at once.
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

  /** The time until the next look, in milliseconds, for a stream that has just looked. */
  get nextInMs(): number {
    const nowMs = this.#clock.nowMs();
    if (this.#nextAtMs - nowMs < SAME_LOOK_MS) {
      this.#nextAtMs = nowMs + LOOK_EVERY_MS * (0.75 + 0.25 * this.#random());
    }
    return this.#nextAtMs - nowMs;
  }
}
