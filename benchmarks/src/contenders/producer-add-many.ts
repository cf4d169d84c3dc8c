/** `Producer.addMany` over a source that makes the messages as they are asked for. */
import { Producer } from "@redis-batch/consumer";
import { contend } from "../contending.ts";
import { ordersAsObjects } from "../orders.ts";

await contend(async ({ redis, stream, warmUp, messages }, meter) => {
  await using producer = new Producer({ redis, stream });
  for (const count of [warmUp, messages - warmUp]) {
    const { added } = await producer.addMany(ordersAsObjects(count));
    meter.saw(added);
  }
  return undefined;
});
