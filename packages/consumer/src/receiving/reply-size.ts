/**
 * How large replies may be: the mean size of a message lately, and how many messages one reply may have. A reply that the
 * connection did not survive may have been too large for it, so the next one is asked for half as many, down to one.
 */

// How much a reply of many messages moves the mean; small ones move it less.
const LARGEST_SHARE = 0.5;
const MESSAGES_OF_FULL_SHARE = 50;

export class ReplySize {
  #meanBytes = 0;
  #limit = Number.POSITIVE_INFINITY;

  /** Mean size of a message lately, in bytes; 0 before the first. */
  get meanBytes(): number {
    return this.#meanBytes;
  }

  /** How many messages one reply may have. */
  get limit(): number {
    return this.#limit;
  }

  /** A reply has arrived with so many messages. */
  arrived(messages: number, bytes: number): void {
    if (messages === 0) return;
    this.#limit *= 2;
    const mean = bytes / messages;
    if (mean > this.#meanBytes) {
      // More large ones may follow: better to ask for few once too often.
      this.#meanBytes = mean;
      return;
    }
    const share = LARGEST_SHARE * Math.min(1, messages / MESSAGES_OF_FULL_SHARE);
    this.#meanBytes += (mean - this.#meanBytes) * share;
  }

  /** A reply was lost that may have had so many messages. */
  wasCut(messages: number): void {
    this.#limit = Math.max(1, Math.floor(Math.min(this.#limit, messages) / 2));
  }
}
