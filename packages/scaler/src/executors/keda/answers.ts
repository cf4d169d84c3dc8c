/**
 * What KEDA is told. It has the HorizontalPodAutoscaler aim at a total of `desired` with a target of one per replica, so
 * that ⌈desired ÷ 1⌉ replicas are exactly what was decided; 0 ↔ 1 is KEDA's own business, by whether it is active.
 */
import type { Decision } from "../../decisions/decision.ts";

/** The one metric there is. */
export const METRIC_NAME = "desired_consumers";

/** What is to be, and when it was last heard that it still is. */
export interface Standing {
  readonly desired: number;
  readonly atMs: number;
}

/**
 * What is to be after a decision. One that moves nothing repeats what was ordered before: the autoscaler may be on its way
 * there, and would otherwise stop where it is.
 */
export function heedDecision(before: Standing | null, { direction, desired }: Decision, nowMs: number): Standing {
  return { desired: direction === "NO_SCALE" && before !== null ? before.desired : desired, atMs: nowMs };
}

/** Whether it is still to be believed. What is not known must not be taken for zero. */
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

/** In both fields: KEDA before 2.17 reads the whole number only, later ones read it where the other is 0. */
export function metricValue({ desired }: Standing): MetricValue {
  return { metricName: METRIC_NAME, metricValue: desired, metricValueFloat: desired };
}
