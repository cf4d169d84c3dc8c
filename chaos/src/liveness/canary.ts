/** What an idle process noticed about the machine: if its own timer was late, all timers may have been. */
import { coveredMs, mergeSpans, type Span } from "./spans.ts";

export interface CanaryReport {
  /** When the machine stalled, or was so busy that an idle process was not scheduled. */
  readonly stalls: readonly Span[];
  /** The time of the round that is in them, in milliseconds. */
  readonly stalledMs: number;
  /** Why the round's waits cannot be judged; `undefined`: they can. */
  readonly void: string | undefined;
  /** Why a long wait may be the machine's fault; without a long wait the round passes anyway. */
  readonly doubt: string | undefined;
}

/** A canary that stalls this much of the time would hide whatever the consumers do: stalls are subtracted from the waits. */
const MOST_STALLED_RATIO = 0.25;
/** With more stalls than this the processes were slower than even the stalls tell. */
const DOUBTFUL_STALLED_RATIO = 0.1;
/** After a pause this long no timer means anything, and leases run out without a fault. */
const DOUBTFUL_STALL_MS = 1_500;
const LEAST_SAMPLES_RATIO = 0.5;

/**
 * @param ticks when the canary's timer went off
 * @param everyMs how far apart they should be
 * @param tolerableMs by how much they may be late
 */
export function readCanary(
  ticks: readonly number[],
  round: Span,
  { everyMs, tolerableMs }: { readonly everyMs: number; readonly tolerableMs: number },
): CanaryReport {
  const stalls: Span[] = [];
  for (let index = 1; index < ticks.length; index++) {
    const [beforeMs, atMs] = [ticks[index - 1] as number, ticks[index] as number];
    if (atMs - beforeMs > everyMs + tolerableMs) stalls.push({ fromMs: beforeMs + everyMs, toMs: atMs });
  }
  const merged = mergeSpans(stalls);
  const stalledMs = coveredMs(round, merged);
  const longestMs = merged.reduce((most, { fromMs, toMs }) => Math.max(most, toMs - fromMs), 0);
  const seenMs = ticks.length < 2 ? 0 : (ticks.at(-1) as number) - (ticks[0] as number);
  const roundMs = round.toMs - round.fromMs;
  const often = `the machine stalled for ${Math.round(stalledMs)} ms of ${Math.round(roundMs)} ms`;
  return { stalls: merged, stalledMs, void: voidBecause(), doubt: doubtBecause() };

  function voidBecause(): string | undefined {
    if (seenMs < roundMs * LEAST_SAMPLES_RATIO) return "the canary did not survive the round";
    return stalledMs > roundMs * MOST_STALLED_RATIO ? often : undefined;
  }

  function doubtBecause(): string | undefined {
    if (longestMs > DOUBTFUL_STALL_MS) return `the machine stalled for ${Math.round(longestMs)} ms at once`;
    return stalledMs > roundMs * DOUBTFUL_STALLED_RATIO ? often : undefined;
  }
}
