/**
 * Whether a consumer makes progress from one pass to the next, by its own counters of finished work. Neither its
 * heartbeat nor the server's idle times count, because lease renewals of a hanging consumer change them as well.
 * (A handler that hangs is seen sooner, in `hung-handlers.ts`.)
 */
import type { Registration } from "@redis-batch/core/internal/groups";

export interface ConsumerMarks {
  readonly atMs: number;
  readonly incarnation: string | null;
  /** Messages acknowledged by its own count; `null` if it does not report it. */
  readonly acked: number | null;
  /** Batches finished; `null` if it does not report it. */
  readonly batches: number | null;
  /** Messages moved to the dead letters; `null` if it does not report it. */
  readonly deadLettered: number | null;
  /** Total working time of its handlers, by its own count; `null` if it does not report it. */
  readonly busyMs: number | null;
  /** When it reported this. */
  readonly saidAtMs: number | null;
  /** Whether there was work for it: in progress, or waiting while it had a handler for it. */
  readonly hasWork: boolean;
}

export interface Progress {
  readonly marks: ConsumerMarks;
  /** Since when there has been work without progress. */
  readonly stillSinceMs: number;
  /** Over how many passes. */
  readonly stillPasses: number;
  /** Whether its heartbeat has changed. */
  readonly wasHeard: boolean;
}

/** What it has to do, as far as is known. */
export interface Workload {
  /** Whether messages wait for the group; `null` if unknown. */
  readonly isWaiting: boolean | null;
  readonly pending: number;
  /** What its last heartbeat said; `undefined` for a consumer without one. */
  readonly details:
    | Pick<Registration["details"], "inFlight" | "batchesElsewhere" | "freePlaces" | "intake">
    | undefined;
}

/** What keeps a consumer from its work on purpose. */
const RESTS: readonly string[] = ["paused", "group-paused", "rate-limited"];

/**
 * Whether it has work in progress, or could take what waits: one whose handlers all work on other streams cannot, nor one that
 * is paused.
 */
export function decideHasWork({ isWaiting, pending, details }: Workload): boolean {
  const { inFlight = null, batchesElsewhere = null, freePlaces = null, intake = null } = details ?? {};
  const isPaused = intake !== null && RESTS.includes(intake);
  const isElsewhere = batchesElsewhere !== null && batchesElsewhere > 0 && freePlaces === 0;
  return (isWaiting === true && !isElsewhere && !isPaused) || (inFlight === null ? pending > 0 : inFlight > 0);
}

/** Compares a snapshot with the one before. Finished work counts as progress, and so does having none to do. */
export function followProgress(before: Progress | undefined, now: ConsumerMarks): Progress {
  if (before === undefined) return { marks: now, stillSinceMs: now.atMs, stillPasses: 1, wasHeard: false };
  const wasHeard = before.wasHeard || before.marks.saidAtMs !== now.saidAtMs;
  if (hasMoved(before.marks, now)) return { marks: now, stillSinceMs: now.atMs, stillPasses: 1, wasHeard };
  return { marks: now, stillSinceMs: before.stillSinceMs, stillPasses: before.stillPasses + 1, wasHeard };
}

function hasMoved(before: ConsumerMarks, now: ConsumerMarks): boolean {
  return (
    !before.hasWork ||
    !now.hasWork ||
    before.incarnation !== now.incarnation ||
    before.acked !== now.acked ||
    before.batches !== now.batches ||
    before.deadLettered !== now.deadLettered
  );
}

/**
 * The share of the time between two heartbeats in which its handlers worked, 0 to 1; `null` if it does not report it, or
 * has not reported anything new.
 */
export function decideBusyShare(
  before: ConsumerMarks | undefined,
  now: ConsumerMarks,
  concurrency: number | null,
): number | null {
  if (before === undefined || before.incarnation !== now.incarnation) return null;
  if (before.busyMs === null || now.busyMs === null || before.saidAtMs === null || now.saidAtMs === null) return null;
  const spanMs = (now.saidAtMs - before.saidAtMs) * Math.max(concurrency ?? 1, 1);
  if (spanMs <= 0 || now.busyMs < before.busyMs) return null;
  return Math.min((now.busyMs - before.busyMs) / spanMs, 1);
}
