/** How far one move may go. */

export interface Bounds {
  readonly minConsumers: number;
  readonly maxConsumers: number;
}

// Guards against a wrong estimate; a group that really needs more gets there in the next steps.
const STEP_CONSUMERS = 8;
const STEP_FACTOR = 4;

/** The most consumers that one move may order. */
export function largestStep(current: number): number {
  return Math.max(current + STEP_CONSUMERS, current * STEP_FACTOR);
}

/** The nearest number within the bounds. */
export function withinBounds(consumers: number, { minConsumers, maxConsumers }: Bounds): number {
  return Math.max(minConsumers, Math.min(maxConsumers, consumers));
}
