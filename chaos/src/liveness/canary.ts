/** What an idle process saw of the machine: when its own timer came late, everybody's may have. */
import { coveredMs, mergeSpans, type Span } from "./spans.ts";

export interface CanaryReport {
  /** When the machine stood still, or was so busy that an idle process did not get its turn. */
  readonly stalls: readonly Span[];
  /** The time of the round that is in them, in milliseconds. */
  readonly stalledMs: number;
  /** Why nothing can be said of the round's waits; `undefined`: enough was seen. */
  readonly void: string | undefined;
}

/** A canary that stalls this much of the time would hide whatever the consumers do. */
const MOST_STALLED_RATIO = 0.1;
/** As long as this nobody's timers mean anything, and leases run out without a fault. */
const LONGEST_STALL_MS = 1_500;
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
  return { stalls: merged, stalledMs, void: voidBecause() };

  function voidBecause(): string | undefined {
    const roundMs = round.toMs - round.fromMs;
    if (seenMs < roundMs * LEAST_SAMPLES_RATIO) return "the canary did not live through the round";
    if (longestMs > LONGEST_STALL_MS) return `the machine stood still for ${Math.round(longestMs)} ms`;
    if (stalledMs > roundMs * MOST_STALLED_RATIO) {
      return `the machine stood still for ${Math.round(stalledMs)} ms of ${Math.round(roundMs)} ms`;
    }
    return undefined;
  }
}
