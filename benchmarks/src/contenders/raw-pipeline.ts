/** What people write by hand to add many messages: pipelines of a thousand XADDs, one after the other. */
import { Redis } from "ioredis";
import { contend } from "../contending.ts";
import { ordersAsObjects } from "../orders.ts";

const STEP = 1_000;

await contend(async ({ redis, stream, warmUp, messages }, meter) => {
  const client = new Redis(redis);
  for (const count of [warmUp, messages - warmUp]) {
    let added = 0;
    let pipeline = client.pipeline();
    const send = async (): Promise<void> => {
      const replies = (await pipeline.exec()) ?? [];
      for (const [error] of replies) if (error !== null) throw error;
      added += replies.length;
      pipeline = client.pipeline();
    };
    for (const order of ordersAsObjects(count)) {
      pipeline.xadd(stream, "*", ...Object.entries(order).flat());
      if (pipeline.length === STEP) await send();
    }
    if (pipeline.length > 0) await send();
    meter.saw(added);
  }
  client.disconnect();
  return undefined;
});
