/** A process of its own with one consumer that takes messages and never finishes them, until it is killed. */
import { Consumer } from "@redis-batch/consumer";

const [, , redis = "", stream = "", group = "", name = "", leaseMs = ""] = process.argv;
const consumer = new Consumer({
  ...{ redis, stream, group, name, leaseMs: Number(leaseMs), batchSize: 200, maxWaitMs: 50 },
  observer: () => {},
});
await consumer.run((batch) => {
  console.log(`holds ${batch.size}`);
  return new Promise(() => {});
});
