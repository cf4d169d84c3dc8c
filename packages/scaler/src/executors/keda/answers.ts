/**
 * The answers to KEDA. It makes the HorizontalPodAutoscaler aim at a total of `desired` with a target of one per replica,
 * so that ⌈desired ÷ 1⌉ replicas are exactly the decision. KEDA itself switches 0 ↔ 1, by whether the trigger is active.
 */
import type { Decision } from "../../decisions/decision.ts";

/** The only metric. */
export const METRIC_NAME = "desired_consumers";

/** The wanted number, and when it was last confirmed. */
export interface Standing {
  readonly desired: number;
  readonly atMs: number;
}

/**
 * The wanted number after a decision. One that changes nothing repeats the earlier order: the autoscaler may still be
 * scaling to it, and would otherwise stop halfway.
 */
export function heedDecision(before: Standing | null, { direction, desired }: Decision, nowMs: number): Standing {
  return { desired: direction === "NO_SCALE" && before !== null ? before.desired : desired, atMs: nowMs };
}

/** Whether it is still valid. Unknown must not be taken as zero. */
export function isFresh(standing: Standing | null, staleAfterMs: number, nowMs: number): standing is Standing {
  return standing !== null && nowMs - standing.atMs <= staleAfterMs;
}

export const isActive = ({ desired }: Standing): boolean => desired > 0;

export interface MetricSpec {
  readonly metricName: string;
  readonly targetSize: number;
  readonly targetSizeFloat: number;
}

export const METRIC_SPEC: MetricSpec = { metricName: METRIC_NAME, targetSize: 1, targetSizeFloat: 1 };

export interface MetricValue {
  readonly metricName: string;
  readonly metricValue: number;
  readonly metricValueFloat: number;
}

/** In both fields: KEDA before 2.17 reads only the whole number; later versions read it if the other is 0. */
export function metricValue({ desired }: Standing): MetricValue {
  return { metricName: METRIC_NAME, metricValue: desired, metricValueFloat: desired };
}
