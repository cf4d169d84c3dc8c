/** `consumer-run` with an instrumentation. */
import { Consumer } from "@redis-batch/consumer";
import { contend } from "../contending.ts";
import { startTracing } from "../tracing-sdk.ts";

await contend(async ({ redis, stream, group, batchSize, maxWaitMs }, meter) => {
  const consumer = new Consumer({ redis, stream, group, batchSize, maxWaitMs, instrumentation: startTracing() });
  await consumer.run((batch) => {
    batch.ack();
    meter.saw(batch.size);
    if (meter.isDone) void consumer.close();
  });
  return undefined;
});
