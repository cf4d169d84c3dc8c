/**
 * Move a BullMQ queue: a bridge from its jobs to a stream
 *
 * Runs in the place of the old workers, while producers are changed from `queue.add` to `producer.add` one by one. If it
 * dies between the add and the end of a job, BullMQ gives the job to the next bridge: the idempotency key makes that one
 * message.
 */
import { Producer } from "@redis-batch/consumer";
import { Worker } from "bullmq";
import { Redis } from "ioredis";
import { settings } from "./settings.ts";

const QUEUE = "emails";
const producer = new Producer({ redis: settings.redis, stream: QUEUE, rememberKeysMs: 86_400_000 });
// BullMQ wants a connection that never gives up.
const connection = new Redis(settings.redis, { maxRetriesPerRequest: null });

const bridge = new Worker<Record<string, string>>(
  QUEUE,
  async (job) => {
    await producer.add({ ...job.data, name: job.name }, { idempotencyKey: `${QUEUE}/${job.id}` });
  },
  {
    ...{ connection, concurrency: 50, lockDuration: settings.leaseMs, stalledInterval: settings.leaseMs },
    // That a bridge died says nothing of its jobs.
    maxStalledCount: 1_000,
  },
);
bridge.on("completed", (job) => console.log(`moved ${job.id}`));
bridge.on("error", (error) => console.error(error.message));
process.once("SIGTERM", () => {
  void bridge.close().then(() => Promise.all([producer.close(), connection.quit()]));
});
