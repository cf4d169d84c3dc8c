/** The work of a consumer since its start: as sums, so that a lost heartbeat does no harm. */
export interface WorkCounters {
  /** New messages that it has read. */
  readonly delivered: number;
  /** Batches it has finished. */
  readonly batches: number;
  /** Messages in those batches. */
  readonly processed: number;
  /** Total milliseconds that those batches took. */
  readonly busyMs: number;
  /** The sum of the squares of each batch's messages. */
  readonly sizeSquared: number;
  /** The sum of each batch's messages times its milliseconds. */
  readonly sizeTimesBusyMs: number;
  /** The sum of the squares of each batch's milliseconds. */
  readonly busyMsSquared: number;
}

/** Before the first batch. */
export const NO_WORK: WorkCounters = {
  delivered: 0,
  batches: 0,
  processed: 0,
  busyMs: 0,
  sizeSquared: 0,
  sizeTimesBusyMs: 0,
  busyMsSquared: 0,
};

/** Adds a batch of `size` messages that took `busyMs`. The sums later show how the time depends on the size. */
export function addBatch(work: WorkCounters, size: number, busyMs: number): WorkCounters {
  return {
    delivered: work.delivered,
    batches: work.batches + 1,
    processed: work.processed + size,
    busyMs: work.busyMs + busyMs,
    sizeSquared: work.sizeSquared + size * size,
    sizeTimesBusyMs: work.sizeTimesBusyMs + size * busyMs,
    busyMsSquared: work.busyMsSquared + busyMs * busyMs,
  };
}

/** Reads counters that another process wrote; `null` if one of them is missing or invalid. */
export function parseWorkCounters(value: unknown): WorkCounters | null {
  if (typeof value !== "object" || value === null) return null;
  const reported = value as Readonly<Record<string, unknown>>;
  const read: Record<keyof WorkCounters, number> = { ...NO_WORK };
  for (const name of Object.keys(NO_WORK) as (keyof WorkCounters)[]) {
    const count = reported[name];
    if (typeof count !== "number" || !(count >= 0)) return null;
    read[name] = count;
  }
  return read;
}
