/**
 * Whether adding consumers helps. Where something downstream is what limits them, more of them only press on it: then
 * they are taken back and their number is capped, and tried again later with a few.
 */

import { ratePerSecond, type Sample } from "./samples.ts";

/** Consumers that were ordered, and what came of it. */
interface Trial {
  readonly atMs: number;
  readonly from: number;
  readonly to: number;
  readonly isProbe: boolean;
  /** The last moment at which none of the new ones worked. */
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
  /** Whether the next order is a small one, to see whether more help by now. */
  readonly isProbing: boolean;
  readonly trustUntilMs: number;
}

export const ALL_EFFECTIVE: EffectivenessMemory = { trial: null, cap: null, isProbing: false, trustUntilMs: 0 };

export interface Effort {
  readonly ready: number;
  readonly isStarting: boolean;
  readonly lost: number;
  /** Whether there is more to do than all consumers can take at once. */
  readonly isSaturated: boolean;
  /** How many messages were ever delivered, over time. */
  readonly deliveries: readonly Sample[];
}

// Less than so much of what more consumers should have brought is nothing.
const LEAST_GAIN = 0.25;
const CAP_MS = 600_000;
const PROBE_SHARE = 0.25;
// New consumers get so long to run in, and are then watched for as long.
const SETTLE_MS = 20_000;
const WATCH_MS = 20_000;
const BASELINE_MS = 15_000;
const SHORTEST_BASELINE_MS = 4_000;
const RECOVERED = 1.5;
const WORSE = 0.8;
const WORSE_AFTER_MS = 60_000;
// A cap that turned out wrong is not tried again for so long.
const TRUST_MS = 1_800_000;

/** The most consumers that help, and whether `wanted` had to be reduced to it. */
export function effectiveTarget(
  { cap, trial, isProbing }: EffectivenessMemory,
  wanted: number,
  current: number,
): number {
  const capped = cap === null ? wanted : Math.min(wanted, cap.consumers);
  if (!isProbing) return capped;
  return Math.min(capped, trial?.isProbe ? current : Math.ceil(current * (1 + PROBE_SHARE)));
}

/** Remembers an order, to judge it later. One that is made while another is on trial extends it. */
export function recordOrder(
  memory: EffectivenessMemory,
  { ready, lost }: Effort,
  current: number,
  ordered: number,
  nowMs: number,
): EffectivenessMemory {
  if (memory.trial !== null) return { ...memory, trial: { ...memory.trial, to: ordered } };
  // While some are missing anyway nothing can be concluded.
  if (lost > 0 || ready < current) return memory;
  const trial = { atMs: nowMs, from: ready, to: ordered, isProbe: memory.isProbing };
  return { ...memory, trial: { ...trial, alikeUntilMs: null, completeAtMs: null } };
}

/** Looks at how the order on trial turned out, and whether a cap still holds. */
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
  { ready, isStarting, lost, isSaturated, deliveries }: Effort,
  minConsumers: number,
  nowMs: number,
): EffectivenessMemory {
  const { trial } = memory;
  if (trial === null || nowMs < memory.trustUntilMs) return memory;
  if (lost > 0) return { ...memory, trial: null };
  if (ready <= trial.from) return { ...memory, trial: { ...trial, alikeUntilMs: nowMs } };
  if (ready < trial.to || isStarting) return memory;
  // All that was waiting is worked off: they helped.
  if (!isSaturated) return { ...memory, trial: null, isProbing: false };
  const completeAtMs = trial.completeAtMs ?? nowMs;
  if (nowMs < completeAtMs + SETTLE_MS + WATCH_MS) return { ...memory, trial: { ...trial, completeAtMs } };
  const before = baseline(trial, deliveries);
  const after = ratePerSecond(deliveries, nowMs - WATCH_MS, nowMs);
  const expectedGain = (before ?? 0) * (trial.to / Math.max(1, trial.from) - 1);
  if (before === null || after === null || expectedGain <= 0 || after - before >= LEAST_GAIN * expectedGain) {
    return { ...memory, trial: null, isProbing: false };
  }
  const consumers = Math.max(1, minConsumers, trial.from);
  return {
    ...memory,
    trial: null,
    cap: { consumers, sinceMs: nowMs, beforePerSecond: before, afterPerSecond: after },
  };
}

/** What was delivered per second before the order showed. */
function baseline({ atMs, alikeUntilMs }: Trial, deliveries: readonly Sample[]): number | null {
  return alikeUntilMs !== null && alikeUntilMs - atMs >= SHORTEST_BASELINE_MS
    ? ratePerSecond(deliveries, atMs, alikeUntilMs)
    : ratePerSecond(deliveries, atMs - BASELINE_MS, atMs);
}
