/** `Consumer.run` with a handler that does nothing but acknowledge. */
import { Consumer } from "@redis-batch/consumer";
import { contend } from "../contender.ts";

await contend(async ({ redis, stream, group, batchSize, messages }) => {
  const consumer = new Consumer({ redis, stream, group, batchSize, maxWaitMs: 1_000 });
  let seen = 0;
  await consumer.run((batch) => {
    seen += batch.size;
    batch.ack();
    if (seen >= messages) void consumer.close();
  });
  return seen;
});
