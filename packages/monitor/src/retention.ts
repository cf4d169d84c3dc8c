/** Trims a stream, a little at a time, to what every one of its groups has finished. */
import { type EntryId, NoGroupError, type StreamClient } from "@redis-batch/core/internal";

/** How far a stream was trimmed, or could be. Plain JSON data. */
export interface TrimReport {
  readonly stream: string;
  /** Whether nothing was dropped, and this is only how far it could be. */
  readonly dryRun: boolean;
  /** Entries that were dropped; 0 on a dry run. Up to about a hundred that could go are kept: whole nodes are dropped. */
  readonly dropped: number;
  /** Every entry before this one is finished in every group; `null` without a stream or a group. */
  readonly safeId: EntryId | null;
  /** The group that needs what comes from there on; `null` without a stream or a group. */
  readonly pinnedBy: string | null;
}

export interface TrimContext {
  readonly client: StreamClient;
  readonly stream: string;
  readonly dryRun: boolean;
  /** Asked before each step. */
  readonly mayGoOn: () => Promise<boolean>;
}

/** Each step looks for the safe point again, in the same moment as it trims. */
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
