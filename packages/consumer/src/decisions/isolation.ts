/**
 * The largest batch in which a message is offered for the n-th time: half as large with each delivery, alone for the
 * last half of the deliveries it gets. Whoever shares a batch with a message that breaks it is soon rid of it.
 *
 * @param maxDeliveries how often a message is offered at most; `Infinity`: it is never given up, nor isolated
 */
export function decideLargestBatch(deliveries: number, batchSize: number, maxDeliveries: number): number {
  if (deliveries <= 1 || maxDeliveries === Number.POSITIVE_INFINITY) return batchSize;
  if (deliveries * 2 > maxDeliveries) return 1;
  return Math.max(1, Math.floor(batchSize / 2 ** (deliveries - 1)));
}
