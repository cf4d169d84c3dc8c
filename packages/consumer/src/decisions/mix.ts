/** What a batch is made of: messages that come again, and new ones. */

/** A redelivered message that waits to be offered. */
export interface Redelivered {
  /** Whether its waiting time is over; until then it may only accompany new messages. */
  readonly isRipe: boolean;
  /** The largest batch it may be part of. */
  readonly largestBatch: number;
}

export interface Candidates {
  /** In the order in which they shall go. */
  readonly redelivered: readonly Redelivered[];
  readonly fresh: number;
  /** Whether more new messages wait, or may wait, in the stream. */
  readonly moreFresh: boolean;
  /** Whether the batch before had no new message: then it is their turn. */
  readonly isFreshTurn: boolean;
}

export interface Mix {
  /** Places in the list of redelivered messages, ascending. */
  readonly redelivered: readonly number[];
  readonly fresh: number;
  /** How many messages make this batch full. */
  readonly full: number;
}

/**
 * Says what the next batch takes. Redelivered messages go first, but take at most `retryShare` of the batch while new
 * ones wait, so that neither starves the other; without new ones they may fill it. Where a batch has no room for both,
 * because it is or must be small, they take turns. No message shares a batch larger than it may be part of.
 */
export function decideMix(candidates: Candidates, batchSize: number, retryShare: number): Mix {
  const { redelivered, fresh, moreFresh, isFreshTurn } = candidates;
  const isWaitedFor = fresh > 0 || moreFresh;
  const taken: number[] = [];
  let full = batchSize;

  /** Takes what fits beside `company` other messages, up to `share` of the batch. */
  const takeWhatFits = (company: number, share: number): void => {
    for (const [place, { isRipe, largestBatch }] of redelivered.entries()) {
      // What was just returned does not make a batch by itself: that would be a hot loop.
      if ((!isRipe && fresh === 0) || taken.includes(place)) continue;
      const size = Math.min(full, largestBatch);
      // What was just returned goes beside a new message only, and in their turn they have a place in any case.
      const kept = fresh > 0 && company === 0 && (isFreshTurn || !isRipe) ? 1 : 0;
      if (taken.length + company + kept + 1 > size) continue;
      if (taken.length + 1 > Math.max(1, Math.floor(size * share))) break;
      taken.push(place);
      full = size;
    }
  };

  takeWhatFits(0, isWaitedFor ? retryShare : 1);
  const freshTaken = Math.min(fresh, full - taken.length);
  if (!moreFresh && taken.length + freshTaken < full) takeWhatFits(freshTaken, 1);
  return { redelivered: taken.toSorted((left, right) => left - right), fresh: freshTaken, full };
}
