/**
 * `Consumer.run` with and without order per key, with a handler that reads a field of each message. Variants: `off`; `field`, the
 * key is a field; `function`, a function returns it. With `failing`, every hundredth message fails the first time, and the handler
 * leaves those of its key that come after it in the batch.
 */
import { type Batch, Consumer, type ConsumerOptions } from "@redis-batch/consumer";
import { contend } from "../contending.ts";

const KEY = "customer";
const WAYS: Readonly<Record<string, ConsumerOptions["orderBy"]>> = {
  field: KEY,
  function: ({ value }) => value[KEY] ?? null,
};

await contend(async ({ redis, stream, group, batchSize, maxWaitMs, variant }, meter) => {
  const [way = "", isFailing] = variant.split(" ");
  const orderBy = WAYS[way];
  const consumer = new Consumer({
    ...{ redis, stream, group, batchSize, maxWaitMs },
    // What is measured is the work, not the wait.
    retry: { baseMs: 1, capMs: 1 },
    ...(orderBy === undefined ? {} : { orderBy }),
  });
  await consumer.run((batch) => {
    meter.saw(isFailing === undefined ? acknowledgeAll(batch) : acknowledgeSome(batch));
    if (meter.isDone) void consumer.close();
  });
  return undefined;
});

function acknowledgeAll(batch: Batch): number {
  for (const { value } of batch) if (value["order"] === undefined) throw new Error("a message without its field");
  batch.ack();
  return batch.size;
}

/** → how many have succeeded. */
function acknowledgeSome(batch: Batch): number {
  const failed = new Set<string | undefined>();
  let succeeded = 0;
  for (const message of batch) {
    const { [KEY]: key, order } = message.value;
    if (message.deliveries === 1 && order?.endsWith("50") === true) failed.add(key);
    if (failed.has(key)) {
      message.retry();
    } else {
      message.ack();
      succeeded++;
    }
  }
  return succeeded;
}
