/** A worker whose messages take until a while after it was asked to stop; it takes as long to drain. */
import { setTimeout as wait } from "node:timers/promises";
import { Consumer } from "@redis-batch/consumer";

const { REDIS_URL = "", STREAM = "", GROUP = "", SLOW_MS = "0" } = process.env;
const stop = new AbortController();
const done = new Promise<void>((resolve) => {
  // Each time: after a second signal it ends at once, as many programs do.
  process.on("SIGTERM", () => {
    if (stop.signal.aborted) process.exit(9);
    stop.abort();
    void wait(Number(SLOW_MS)).then(resolve);
  });
});
const consumer = new Consumer({
  ...{ redis: REDIS_URL, stream: STREAM, group: GROUP, batchSize: 1, prefetch: 0, maxWaitMs: 10, leaseMs: 10_000 },
});
await consumer.run(
  async (batch) => {
    await done;
    batch.ack();
  },
  { signal: stop.signal },
);
