/** Limits of one move. */

export interface Bounds {
  readonly minConsumers: number;
  readonly maxConsumers: number;
}

/** The bounds of a group. */
export type Limits<Policy extends Bounds> = Policy & {
  /** Whether there can be only one consumer, whatever the policy allows. */
  readonly isAlone: boolean;
};

/** The policy with the bounds of the group: a consumer that keeps messages in order for all of it has no room for another. */
export function limitsOf<Policy extends Bounds>(policy: Policy, isAlone: boolean): Limits<Policy> {
  if (!isAlone) return { ...policy, isAlone };
  return { ...policy, isAlone, minConsumers: Math.min(1, policy.minConsumers), maxConsumers: 1 };
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
