/** The number of waiting messages, even if the server does not know it. */

export interface BacklogMemory {
  /** The last number that was certain, and the counters at that moment. */
  readonly known: { readonly waiting: number; readonly added: number; readonly delivered: number } | null;
}

export interface Backlog {
  /** Messages that have not been delivered yet. */
  readonly waiting: number;
  /** Those, plus messages that a live consumer may claim from a dead one, plus released messages. */
  readonly total: number;
  /** Whether it is an estimate. */
  readonly isEstimated: boolean;
}

export const UNKNOWN_BACKLOG: BacklogMemory = { known: null };

interface Counts {
  /** `null`: the server does not know. */
  readonly waiting: number | null;
  /** Whether there may be more. */
  readonly isWaitingAtLeast: boolean;
  /** Delivered messages that no consumer processes, and that any consumer may claim. */
  readonly reclaimable: number;
  readonly added: number;
  /** Messages that were ever delivered. */
  readonly delivered: number;
}

/**
 * Adds a count. An unknown number is estimated from the last known one and the messages that were added and delivered
 * since; `null`: it was never known. It is never taken as 0.
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
