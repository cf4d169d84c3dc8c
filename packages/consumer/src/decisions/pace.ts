/** How long the next read is deferred, so that what trickles in is read in few reads. */

export interface Trickle {
  /** New messages that wait in memory for their batch to fill. */
  readonly entries: number;
  /** How many more would fill it. */
  readonly missing: number;
  /** How long the first of them had been waiting when the stream was read last. */
  readonly openMs: number;
  /** How long, from then on, it may go on waiting. */
  readonly leftMs: number;
}

// A timer keeps no shorter time than this.
const SHORTEST_MS = 1;
// How much longer the batch may be open after the pause than before it.
const GROWTH = 2;

/**
 * Says how long after one read, which has emptied the stream, the next begins; 0: at once, to wait at the server.
 *
 * Each message that comes alone would cost a read of its own. So the reader waits for company: as long as the batch takes
 * to fill at the rate so far, but no longer than twice the time it has been open, because the rate may rise, nor than half
 * of the time that is left, so that at the end of the wait nothing is left unread. Reads thus are as many as the
 * threefoldings of the time a batch takes, and it is full at the latest after three times that time.
 */
export function decidePace({ entries, missing, openMs, leftMs }: Trickle): number {
  if (entries === 0 || missing <= 0) return 0;
  const fullInMs = (openMs * missing) / entries;
  const pauseMs = Math.min(Math.max(GROWTH * openMs, SHORTEST_MS), fullInMs, leftMs / 2);
  return pauseMs < SHORTEST_MS ? 0 : pauseMs;
}

/** The longest time between two reads where the server, or a proxy before it, does not let them wait: documented. */
export const LONGEST_FLOOR_MS = 250;

/**
 * The shortest time between an empty answer and the next read, by how many empty answers in a row came too early. They come too
 * early where a proxy drops `BLOCK`; without this pause the consumer would read again and again without a break.
 */
export function decideFloor(earlyAnswers: number): number {
  return earlyAnswers === 0 ? 0 : Math.min(SHORTEST_MS * 2 ** earlyAnswers, LONGEST_FLOOR_MS);
}

/** Whether an empty answer came long before a read's own wait was over. A read that did not ask to wait has none. */
export function isEarly(tookMs: number, blockMs: number | undefined): boolean {
  return blockMs !== undefined && tookMs < blockMs / 2;
}

// A read that waits at the server and cannot be ended answers when its own wait is over, and then some.
const ANSWER_MS = 1_000;

/** How long an answer may take that somebody waits for, in milliseconds: behind a read that waits at the server itself. */
export function longestAnswerMs({ blockMs }: { readonly blockMs: number }): number {
  return blockMs + ANSWER_MS;
}
