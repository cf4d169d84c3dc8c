import type { Handler } from "@redis-batch/consumer";
import { applyOutcome, type RecordedBatch, type RecordedOutcome } from "@redis-batch/consumer/internal";

/**
 * Calls a handler as `consumer.run()` does: with the batch and its signal, and carries out what it returns.
 *
 * @returns the outcome of each message, in the order of the batch
 * @throws what the handler throws. The outcomes it gave before stay; the consumer would deliver the other messages again.
 * @throws {UsageError} when it returns a wrong outcome, which the consumer would report as `handlerFailed`
 *
 * @example
 * expect(await runHandler(() => ({ ack: "rest" }), makeBatch(["a"]))).toEqual([{ kind: "acknowledged" }]);
 */
export async function runHandler<Value>(
  handler: Handler<Value>,
  batch: RecordedBatch<Value>,
): Promise<readonly RecordedOutcome[]> {
  applyOutcome([...batch], await handler(batch, { signal: batch.signal }));
  return batch.outcomes;
}
