/**
 * Whether adding consumers helps. If a downstream system is the bottleneck, more consumers only put more load on it: then
 * they are removed, their number is capped, and a few are tried again later.
 */

import { ratePerSecond, type Sample } from "./samples.ts";

/** An order of consumers, and its effect. */
interface Trial {
  readonly atMs: number;
  readonly from: number;
  readonly to: number;
  readonly isProbe: boolean;
  /** The last moment at which none of the new consumers worked. */
  readonly alikeUntilMs: number | null;
  /** When all of them worked. */
  readonly completeAtMs: number | null;
}

interface Cap {
  readonly consumers: number;
  readonly sinceMs: number;
  /** Messages delivered per second before the order that did not help, and after it. */
  readonly beforePerSecond: number;
  readonly afterPerSecond: number;
}

export interface EffectivenessMemory {
  readonly trial: Trial | null;
  readonly cap: Cap | null;
  /** Whether the next order is small, to test whether more consumers help by now. */
  readonly isProbing: boolean;
  readonly trustUntilMs: number;
}

export const ALL_EFFECTIVE: EffectivenessMemory = { trial: null, cap: null, isProbing: false, trustUntilMs: 0 };

export interface Effort {
  readonly ready: number;
  readonly isStarting: boolean;
  /** Whether consumers are missing or have other work, so that nothing can be concluded. */
  readonly isDisturbed: boolean;
  /** Whether there is more work than all consumers can take at once. */
  readonly isSaturated: boolean;
  /** Messages that arrive per second. */
  readonly arrivingPerSecond: number;
  /** The total number of delivered messages over time. */
  readonly deliveries: readonly Sample[];
}

// Less than this share of the expected increase counts as no increase.
const LEAST_GAIN = 0.25;
const CAP_MS = 600_000;
const PROBE_SHARE = 0.25;
// New consumers get this long to warm up, and are then measured for as long.
const SETTLE_MS = 20_000;
const WATCH_MS = 20_000;
const BASELINE_MS = 15_000;
const SHORTEST_BASELINE_MS = 4_000;
const RECOVERED = 1.5;
const WORSE = 0.8;
const WORSE_AFTER_MS = 60_000;
// After a cap was confirmed, it is not tested again for this long.
const TRUST_MS = 1_800_000;

/** The maximum number of consumers that helps, and whether `wanted` was reduced to it. */
export function effectiveTarget(
  { cap, trial, isProbing }: EffectivenessMemory,
  wanted: number,
  current: number,
): number {
  const capped = cap === null ? wanted : Math.min(wanted, cap.consumers);
  if (!isProbing) return capped;
  return Math.min(capped, trial?.isProbe ? current : Math.ceil(current * (1 + PROBE_SHARE)));
}

/** Remembers an order, to judge it later. An order during the trial of another one extends the trial. */
export function recordOrder(
  memory: EffectivenessMemory,
  { ready, isDisturbed }: Effort,
  current: number,
  ordered: number,
  nowMs: number,
): EffectivenessMemory {
  if (memory.trial !== null) return { ...memory, trial: { ...memory.trial, to: ordered } };
  if (isDisturbed || ready < current) return memory;
  const trial = { atMs: nowMs, from: ready, to: ordered, isProbe: memory.isProbing };
  return { ...memory, trial: { ...trial, alikeUntilMs: null, completeAtMs: null } };
}

/** Judges the order on trial, and whether a cap still holds. */
export function judgeEffect(
  memory: EffectivenessMemory,
  effort: Effort,
  minConsumers: number,
  nowMs: number,
): EffectivenessMemory {
  return judgeTrial(judgeCap(memory, effort, nowMs), effort, minConsumers, nowMs);
}

function judgeCap(memory: EffectivenessMemory, effort: Effort, nowMs: number): EffectivenessMemory {
  const { cap } = memory;
  if (cap === null) return memory;
  if (!effort.isSaturated) return { ...memory, cap: null, isProbing: false };
  if (nowMs >= cap.sinceMs + CAP_MS) return { ...memory, cap: null, isProbing: true, trial: null };
  const perSecond = ratePerSecond(effort.deliveries, nowMs - WATCH_MS, nowMs);
  if (perSecond === null || effort.ready > cap.consumers) return memory;
  if (perSecond > RECOVERED * cap.beforePerSecond) return { ...memory, cap: null, isProbing: false };
  if (nowMs - cap.sinceMs > WORSE_AFTER_MS && perSecond < WORSE * cap.afterPerSecond) {
    return { ...memory, cap: null, trustUntilMs: nowMs + TRUST_MS };
  }
  return memory;
}

function judgeTrial(
  memory: EffectivenessMemory,
  { ready, isStarting, isDisturbed, isSaturated, arrivingPerSecond, deliveries }: Effort,
  minConsumers: number,
  nowMs: number,
): EffectivenessMemory {
  const { trial } = memory;
  if (trial === null || nowMs < memory.trustUntilMs) return memory;
  if (isDisturbed) return { ...memory, trial: null };
  if (ready <= trial.from) return { ...memory, trial: { ...trial, alikeUntilMs: nowMs } };
  if (ready < trial.to || isStarting) return memory;
  // The backlog is cleared: they helped.
  if (!isSaturated) return { ...memory, trial: null, isProbing: false };
  const completeAtMs = trial.completeAtMs ?? nowMs;
  if (nowMs < completeAtMs + SETTLE_MS + WATCH_MS) return { ...memory, trial: { ...trial, completeAtMs } };
  const before = baseline(trial, deliveries);
  const after = ratePerSecond(deliveries, nowMs - WATCH_MS, nowMs);
  const expectedGain = (before ?? 0) * (trial.to / Math.max(1, trial.from) - 1);
  const isUnknown = before === null || after === null || expectedGain <= 0;
  // Where the backlog shrinks, they help enough, whatever else makes the work longer meanwhile.
  if (isUnknown || after > arrivingPerSecond || after - before >= LEAST_GAIN * expectedGain) {
    return { ...memory, trial: null, isProbing: false };
  }
  const consumers = Math.max(1, minConsumers, trial.from);
  return {
    ...memory,
    trial: null,
    cap: { consumers, sinceMs: nowMs, beforePerSecond: before, afterPerSecond: after },
  };
}

/** Messages delivered per second before the order took effect. */
function baseline({ atMs, alikeUntilMs }: Trial, deliveries: readonly Sample[]): number | null {
  return alikeUntilMs !== null && alikeUntilMs - atMs >= SHORTEST_BASELINE_MS
    ? ratePerSecond(deliveries, atMs, alikeUntilMs)
    : ratePerSecond(deliveries, atMs - BASELINE_MS, atMs);
}
