/** Limits of one move. */

export interface Bounds {
  readonly minConsumers: number;
  readonly maxConsumers: number;
}

// Limits the effect of a wrong estimate; a group that really needs more gets it in the next steps.
const STEP_CONSUMERS = 8;
const STEP_FACTOR = 4;

/** Maximum number of consumers that one move may order. */
export function largestStep(current: number): number {
  return Math.max(current + STEP_CONSUMERS, current * STEP_FACTOR);
}

/** The nearest number within the bounds. */
export function withinBounds(consumers: number, { minConsumers, maxConsumers }: Bounds): number {
  return Math.max(minConsumers, Math.min(maxConsumers, consumers));
}
