/**
 * How far a message is kept apart that may be what breaks the batches it is in. Whoever shares a batch with such a
 * message is soon rid of it.
 *
 * In both, `maxDeliveries` is how often a message is offered at most; `Infinity`: it is never given up, nor isolated.
 */

/**
 * Whether a message that is offered for the n-th time is alone among all that are kept apart like it, whatever the
 * concurrency: for the last half of the deliveries it gets. A batch of one is not enough where several are at work at
 * a time: of two messages, both dying with the process each time, nobody could tell which one it was.
 */
export function isIsolated(deliveries: number, maxDeliveries: number): boolean {
  return deliveries > 1 && deliveries * 2 > maxDeliveries;
}

/** The largest batch in which a message is offered for the n-th time: half as large each time, alone when isolated. */
export function decideLargestBatch(deliveries: number, batchSize: number, maxDeliveries: number): number {
  if (deliveries <= 1 || maxDeliveries === Number.POSITIVE_INFINITY) return batchSize;
  if (isIsolated(deliveries, maxDeliveries)) return 1;
  return Math.max(1, Math.floor(batchSize / 2 ** (deliveries - 1)));
}

/** The first delivery for which a message is isolated; infinite when it never is. */
export function firstIsolated(maxDeliveries: number): number {
  return maxDeliveries === Number.POSITIVE_INFINITY ? maxDeliveries : Math.max(2, Math.floor(maxDeliveries / 2) + 1);
}
