/** Trims the entries of a stream that all its groups have finished, a few at a time. */
import { type EntryId, NoGroupError } from "@redis-batch/core";
import type { StreamClient } from "@redis-batch/core/internal/connection";

/** How far a stream was trimmed, or could be. Plain JSON data. */
export interface TrimReport {
  readonly stream: string;
  /** Whether nothing was deleted, and this is only the plan. */
  readonly dryRun: boolean;
  /** Entries that were deleted; 0 on a dry run. Up to about a hundred finished ones stay, because only whole nodes are deleted. */
  readonly dropped: number;
  /** All groups have finished every entry before this one; `null` without a stream or a group. */
  readonly safeId: EntryId | null;
  /** The group that needs the entries from there on; `null` without a stream or a group. */
  readonly pinnedBy: string | null;
}

export interface TrimContext {
  readonly client: StreamClient;
  readonly stream: string;
  readonly dryRun: boolean;
  /** Checked before each step. */
  readonly mayGoOn: () => Promise<boolean>;
}

/** Each step determines the safe point again, atomically with the trim. */
export async function trimStream({ client, stream, dryRun, mayGoOn }: TrimContext): Promise<TrimReport> {
  let report: TrimReport = { stream, dryRun, dropped: 0, safeId: null, pinnedBy: null };
  while (await mayGoOn()) {
    const step = await client.trimToSafePoint({ stream, dryRun }).catch((error: unknown) => {
      if (NoGroupError.is(error)) return null;
      throw error;
    });
    if (step === null) return report;
    report = { ...report, ...step, dropped: report.dropped + step.dropped };
    if (step.dropped === 0) return report;
  }
  return report;
}
