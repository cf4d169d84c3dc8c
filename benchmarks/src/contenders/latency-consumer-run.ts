/** How long a message takes from just before its XADD to the handler, which gets it at once. */
import { Consumer } from "@redis-batch/consumer";
import { contend } from "../contending.ts";
import { latencies } from "../latencies.ts";

await contend(async ({ redis, stream, group, warmUp }, meter) => {
  const consumer = new Consumer({ redis, stream, group, batchSize: 1, maxWaitMs: 0 });
  const times = latencies(warmUp);
  await consumer.run((batch) => {
    for (const message of batch) times.arrived(message.fields["at"] ?? "");
    batch.ack();
    meter.saw(batch.size);
    if (meter.isDone) void consumer.close();
  });
  return times.figures();
});
