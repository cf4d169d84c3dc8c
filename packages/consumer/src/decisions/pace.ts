/** How long the next read waits, so that messages that trickle in are read in few reads. */

export interface Trickle {
  /** New messages that wait in memory for their batch to fill. */
  readonly entries: number;
  /** How many more fill it. */
  readonly missing: number;
  /** How long the first of them had been waiting at the last read. */
  readonly openMs: number;
  /** How much longer it may wait after that. */
  readonly leftMs: number;
}

// Timers are not more precise than this.
const SHORTEST_MS = 1;
// How much longer the batch may be open after the pause than before it.
const GROWTH = 2;

/**
 * How long after a read that emptied the stream the next one begins; 0: at once, and it waits at the server.
 *
 * Each message that comes alone would cost a read of its own. So the reader waits for more: as long as the batch takes to fill
 * at the rate so far, but no longer than twice the time it has been open, because the rate may rise, and no longer than half of
 * the time left, so that nothing is left unread at the end of the wait. With each read the time open triples at most, so a batch
 * takes few reads, and at most three times as long as it would without the wait.
 */
export function decidePace({ entries, missing, openMs, leftMs }: Trickle): number {
  if (entries === 0 || missing <= 0) return 0;
  const fullInMs = (openMs * missing) / entries;
  const pauseMs = Math.min(Math.max(GROWTH * openMs, SHORTEST_MS), fullInMs, leftMs / 2);
  return pauseMs < SHORTEST_MS ? 0 : pauseMs;
}

/** The longest pause between two reads if a proxy does not let them wait at the server. It is documented. */
export const LONGEST_FLOOR_MS = 250;

/**
 * The shortest pause between an empty answer and the next read, by how many empty answers in a row came too early. They come too
 * early if a proxy drops `BLOCK`; without a pause the consumer would then read in a hot loop.
 */
export function decideFloor(earlyAnswers: number): number {
  return earlyAnswers === 0 ? 0 : Math.min(SHORTEST_MS * 2 ** earlyAnswers, LONGEST_FLOOR_MS);
}

/** Whether an empty answer came long before the read's own wait was over. */
export function isEarly(tookMs: number, blockMs: number | undefined): boolean {
  return blockMs !== undefined && tookMs < blockMs / 2;
}

// On top of the wait of a read that is already waiting at the server and cannot be ended.
const ANSWER_MS = 1_000;

/** How long an answer may take that a caller waits for, in milliseconds: an earlier read may be waiting at the server. */
export function longestAnswerMs({ blockMs }: { readonly blockMs: number }): number {
  return blockMs + ANSWER_MS;
}
