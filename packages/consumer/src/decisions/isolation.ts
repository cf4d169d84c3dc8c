/**
 * How far a suspect is kept apart: a message that may be the reason why its batches fail. So it soon shares no batch with others.
 *
 * `maxDeliveries` is how often a message is offered at most; `Infinity`: it is never given up, and never isolated.
 */

/**
 * Whether a message on its n-th delivery is a suspect: in the last half of its deliveries. Only one suspect is offered at a time,
 * whatever the concurrency. A batch of one is not enough: if two messages are at work when the process dies, nobody can tell
 * which one killed it.
 */
export function isIsolated(deliveries: number, maxDeliveries: number): boolean {
  return deliveries > 1 && deliveries * 2 > maxDeliveries;
}

/** The largest batch that a message on its n-th delivery may be part of: half as large each time, and alone when isolated. */
export function decideLargestBatch(deliveries: number, batchSize: number, maxDeliveries: number): number {
  if (deliveries <= 1 || maxDeliveries === Number.POSITIVE_INFINITY) return batchSize;
  if (isIsolated(deliveries, maxDeliveries)) return 1;
  return Math.max(1, Math.floor(batchSize / 2 ** (deliveries - 1)));
}

/** The first delivery on which a message is isolated; infinite if it never is. */
export function firstIsolated(maxDeliveries: number): number {
  return maxDeliveries === Number.POSITIVE_INFINITY ? maxDeliveries : Math.max(2, Math.floor(maxDeliveries / 2) + 1);
}
