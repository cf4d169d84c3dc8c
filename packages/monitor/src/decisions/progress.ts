/** Whether a consumer's work moves, from one look to the next. */
import type { EntryId } from "@redis-batch/core/internal";

export interface ConsumerMarks {
  readonly atMs: number;
  readonly incarnation: string | null;
  readonly pending: number;
  readonly oldestPendingId: EntryId | null;
  /** Messages it has acknowledged by its own count; `null` when it does not say. */
  readonly acked: number | null;
  /** When it was last given messages; `null` when the server does not tell, or it never was. */
  readonly gotAtMs: number | null;
  /** How long its handlers were at work, by its own count; `null` when it does not say. */
  readonly busyMs: number | null;
  /** When it said so. */
  readonly saidAtMs: number | null;
}

export interface Progress {
  readonly marks: ConsumerMarks;
  /** Since when nothing about its work has changed. */
  readonly stillSinceMs: number;
  /** How many looks have found it so. */
  readonly stillLooks: number;
}

/** Compares a look with the one before. Any sign of work is progress. */
export function followProgress(before: Progress | undefined, now: ConsumerMarks): Progress {
  if (before === undefined || hasMoved(before.marks, now)) {
    return { marks: now, stillSinceMs: now.atMs, stillLooks: 1 };
  }
  return { marks: now, stillSinceMs: before.stillSinceMs, stillLooks: before.stillLooks + 1 };
}

function hasMoved(before: ConsumerMarks, now: ConsumerMarks): boolean {
  return (
    before.incarnation !== now.incarnation ||
    before.pending !== now.pending ||
    before.oldestPendingId !== now.oldestPendingId ||
    before.acked !== now.acked ||
    (now.gotAtMs !== null && now.gotAtMs > before.atMs)
  );
}

/**
 * How much of the time between two heartbeats its handlers were at work, 0 to 1; `null` when it does not say, or has
 * said nothing new.
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
