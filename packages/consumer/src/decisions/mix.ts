/** What a batch is made of: messages that come again, and new ones. */

export interface Candidates {
  /** Redelivered messages whose waiting time is over. */
  readonly ripe: number;
  /** Redelivered messages that were returned so recently that they may only accompany new ones. */
  readonly unripe: number;
  readonly fresh: number;
  /** Whether more new messages wait, or may wait, in the stream. */
  readonly moreFresh: boolean;
}

export interface Mix {
  /** Redelivered messages, ripe ones before unripe ones. */
  readonly redelivered: number;
  readonly fresh: number;
}

/**
 * Says how many of each kind the next batch takes. Redelivered messages go first, but take at most `retryShare` of
 * the batch while new ones wait, so that neither starves the other; without new ones they may fill it.
 */
export function decideMix(candidates: Candidates, batchSize: number, retryShare: number): Mix {
  const { ripe, unripe, fresh, moreFresh } = candidates;
  // What was just returned does not make a batch by itself: that would be a hot loop.
  const again = fresh > 0 ? ripe + unripe : ripe;
  const share = Math.max(1, Math.floor(batchSize * retryShare));
  const guaranteed = Math.min(again, share, batchSize);
  const freshTaken = Math.min(fresh, batchSize - guaranteed);
  const room = batchSize - guaranteed - freshTaken;
  const redelivered = moreFresh ? guaranteed : guaranteed + Math.min(again - guaranteed, room);
  return { redelivered, fresh: freshTaken };
}
