/** A BullMQ worker that does nothing with 100 jobs at a time, and keeps none of them. */
import { Worker } from "bullmq";
import { contend } from "../contending.ts";

await contend(async ({ redis, stream, batchSize }, meter) => {
  const worker = new Worker(stream, async () => undefined, {
    connection: redis,
    concurrency: batchSize,
    removeOnComplete: { count: 0 },
  });
  worker.on("error", (error) => console.error(error.message));
  await new Promise<void>((resolve) => {
    worker.on("completed", () => {
      meter.saw(1);
      if (meter.isDone) resolve();
    });
  });
  const figures = meter.figures();
  // What closing costs is not what a job costs.
  await worker.close();
  return figures;
});
