/**
 * Whether a consumer's work moves, from one look to the next: by its own counters of work that is done. Neither its
 * heartbeat nor the server's idle times count, because the renewals of a consumer that hangs move them too.
 */

export interface ConsumerMarks {
  readonly atMs: number;
  readonly incarnation: string | null;
  /** Messages it has acknowledged by its own count; `null` when it does not say. */
  readonly acked: number | null;
  /** Batches it has worked on to the end; `null` when it does not say. */
  readonly batches: number | null;
  /** Messages it has moved to the dead letters; `null` when it does not say. */
  readonly deadLettered: number | null;
  /** How long its handlers were at work, by its own count; `null` when it does not say. */
  readonly busyMs: number | null;
  /** When it said so. */
  readonly saidAtMs: number | null;
  /** Whether there was anything to do for it: at work, or waiting. */
  readonly hasWork: boolean;
}

export interface Progress {
  readonly marks: ConsumerMarks;
  /** Since when there was work, and none of it was done. */
  readonly stillSinceMs: number;
  /** How many looks have found it so. */
  readonly stillLooks: number;
  /** Whether its heartbeat was seen to move. */
  readonly wasHeard: boolean;
}

/** Compares a look with the one before. Work that is done is progress, and so is that there was none to do. */
export function followProgress(before: Progress | undefined, now: ConsumerMarks): Progress {
  if (before === undefined) return { marks: now, stillSinceMs: now.atMs, stillLooks: 1, wasHeard: false };
  const wasHeard = before.wasHeard || before.marks.saidAtMs !== now.saidAtMs;
  if (hasMoved(before.marks, now)) return { marks: now, stillSinceMs: now.atMs, stillLooks: 1, wasHeard };
  return { marks: now, stillSinceMs: before.stillSinceMs, stillLooks: before.stillLooks + 1, wasHeard };
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
