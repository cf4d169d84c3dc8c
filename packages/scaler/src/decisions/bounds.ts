/** Limits of one move. */

export interface Bounds {
  readonly minConsumers: number;
  readonly maxConsumers: number;
}

/** What bounds a group, whatever the policy allows. */
export interface Room {
  /** Whether there can be only one consumer. */
  readonly isAlone: boolean;
  /** How many partitions the stream has, each of which has one owner; `null`: none. */
  readonly partitions: number | null;
}

/** The bounds of a group. */
export type Limits<Policy extends Bounds> = Policy & Room;

/**
 * The policy with the bounds of the group: a consumer that keeps messages in order for all of it has no room for another, and more
 * consumers than partitions have nothing to do.
 */
export function limitsOf<Policy extends Bounds>(policy: Policy, { isAlone, partitions }: Room): Limits<Policy> {
  const most = isAlone ? 1 : (partitions ?? Number.POSITIVE_INFINITY);
  const [minConsumers, maxConsumers] = [Math.min(most, policy.minConsumers), Math.min(most, policy.maxConsumers)];
  return { ...policy, isAlone, partitions, minConsumers, maxConsumers };
}

/** What keeps a group from having more than the most. */
export function bindingOfMost({ isAlone, partitions, maxConsumers }: Limits<Bounds>): "order" | "partitions" | "max" {
  if (isAlone) return "order";
  return maxConsumers === partitions ? "partitions" : "max";
}

// Limits the effect of a wrong estimate; a group that really needs more gets it in the next steps.
const STEP_CONSUMERS = 8;
const STEP_FACTOR = 4;

/** Maximum number of consumers that one move may order. */
export function largestStep(current: number): number {
  return Math.max(current + STEP_CONSUMERS, current * STEP_FACTOR);
}

/**
 * The fewest consumers of a stream with partitions that are as good as this many: the one that owns the most partitions is the last to be
 * done, and with 12 partitions that is somebody with two of them for 7 consumers as it is for 6.
 */
export function asGoodAs(consumers: number, partitions: number | null): number {
  if (partitions === null || consumers < 1) return consumers;
  return partitions / Math.ceil(partitions / consumers);
}

/** The fewest consumers that are at least as good as this many when partitions are shared among them. */
export function sharedEvenly(consumers: number, partitions: number | null): number {
  if (partitions === null || consumers < 1 || consumers >= partitions) return consumers;
  return Math.ceil(partitions / Math.floor(partitions / consumers));
}

/** The nearest number within the bounds. */
export function withinBounds(consumers: number, { minConsumers, maxConsumers }: Bounds): number {
  return Math.max(minConsumers, Math.min(maxConsumers, consumers));
}
