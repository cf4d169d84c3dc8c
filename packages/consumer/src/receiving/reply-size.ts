/**
 * How large replies may be: the recent mean size of a message, and how many messages one reply may have. If a connection
 * broke during a reply, the reply may have been too large, so the next read asks for half as many messages, down to one.
 */

// How much a reply with many messages changes the mean; small replies change it less.
const LARGEST_SHARE = 0.5;
const MESSAGES_OF_FULL_SHARE = 50;

export class ReplySize {
  #meanBytes = 0;
  #limit = Number.POSITIVE_INFINITY;

  /** Recent mean size of a message, in bytes; 0 before the first. */
  get meanBytes(): number {
    return this.#meanBytes;
  }

  /** How many messages one reply may have. */
  get limit(): number {
    return this.#limit;
  }

  /** A reply with this many messages has arrived. */
  arrived(messages: number, bytes: number): void {
    if (messages === 0) return;
    this.#limit *= 2;
    const mean = bytes / messages;
    if (mean > this.#meanBytes) {
      // More large messages may follow. It is better to ask for too few once.
      this.#meanBytes = mean;
      return;
    }
    const share = LARGEST_SHARE * Math.min(1, messages / MESSAGES_OF_FULL_SHARE);
    this.#meanBytes += (mean - this.#meanBytes) * share;
  }

  /** A reply was lost that may have had this many messages. */
  wasCut(messages: number): void {
    this.#limit = Math.max(1, Math.floor(Math.min(this.#limit, messages) / 2));
  }
}
