/** `producer-add-many` with an instrumentation. */
import { Producer } from "@redis-batch/consumer";
import { contend } from "../contending.ts";
import { ordersAsObjects } from "../orders.ts";
import { startTracing } from "../tracing-sdk.ts";

await contend(async ({ redis, stream, warmUp, messages }, meter) => {
  await using producer = new Producer({ redis, stream, instrumentation: startTracing() });
  for (const count of [warmUp, messages - warmUp]) {
    const { added } = await producer.addMany(ordersAsObjects(count));
    meter.saw(added);
  }
  return undefined;
});
