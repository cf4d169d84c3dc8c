/** The Kubernetes HorizontalPodAutoscaler's algorithm (autoscaling/v2, default behaviour), written from its description. */

interface Recommendation {
  readonly atMs: number;
  readonly replicas: number;
}

const WINDOW_MS = 300_000;
const TOLERANCE = 0.1;

/** What a metric with an average target asks for. */
export function desiredReplicas(metric: number, target: number, current: number): number {
  const usage = metric / (target * current);
  return Math.abs(1 - usage) <= TOLERANCE ? current : Math.ceil(metric / target);
}

/** Up at once, by 4 pods or double at most; down to the highest recommendation of the last 5 minutes. */
export class Hpa {
  #recommendations: readonly Recommendation[] = [];

  step(wanted: number, current: number, nowMs: number): number {
    this.#recommendations = [
      ...this.#recommendations.filter(({ atMs }) => atMs >= nowMs - WINDOW_MS),
      { atMs: nowMs, replicas: wanted },
    ];
    if (wanted >= current) return Math.max(1, Math.min(wanted, Math.max(current + 4, current * 2)));
    return Math.max(1, Math.min(current, ...[Math.max(...this.#recommendations.map(({ replicas }) => replicas))]));
  }

  reset(): void {
    this.#recommendations = [];
  }
}
