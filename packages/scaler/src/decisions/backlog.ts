/** How many messages wait, also when the server does not know. */

export interface BacklogMemory {
  /** What was known for certain last, and the counters at that moment. */
  readonly known: { readonly waiting: number; readonly added: number; readonly delivered: number } | null;
}

export interface Backlog {
  /** Messages that were not delivered yet. */
  readonly waiting: number;
  /** Those, the ones that a live consumer may take over from a dead one, and the ones that were released. */
  readonly total: number;
  /** Whether it is a guess. */
  readonly isEstimated: boolean;
}

export const UNKNOWN_BACKLOG: BacklogMemory = { known: null };

interface Counts {
  /** `null`: the server does not know. */
  readonly waiting: number | null;
  /** Whether there may be more than that. */
  readonly isWaitingAtLeast: boolean;
  /** Delivered messages that nobody works on, and any consumer may take. */
  readonly reclaimable: number;
  readonly added: number;
  /** Messages that were ever delivered. */
  readonly delivered: number;
}

/**
 * Takes in what was counted. What is not known is carried forward with what has come and gone since it was; `null`: it
 * never was known. It is never taken for 0.
 */
export function measureBacklog(
  memory: BacklogMemory,
  { waiting, isWaitingAtLeast, reclaimable, added, delivered }: Counts,
): { readonly memory: BacklogMemory; readonly backlog: Backlog | null } {
  if (waiting !== null && !isWaitingAtLeast) {
    const backlog = { waiting, total: waiting + reclaimable, isEstimated: false };
    return { memory: { known: { waiting, added, delivered } }, backlog };
  }
  const { known } = memory;
  const carried =
    known === null ? null : Math.max(0, known.waiting + (added - known.added) - (delivered - known.delivered));
  if (waiting === null && carried === null) return { memory, backlog: null };
  const guess = Math.max(waiting ?? 0, carried ?? 0);
  return { memory, backlog: { waiting: guess, total: guess + reclaimable, isEstimated: true } };
}
