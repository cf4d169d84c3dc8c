/** A worker of the closed loop: each message takes the same time, and is entered in a ledger before it is acknowledged. */
import { setTimeout as wait } from "node:timers/promises";
import { Consumer } from "@redis-batch/consumer";
import { Redis } from "ioredis";

const { REDIS_URL = "", STREAM = "", GROUP = "", COST_MS = "0", BATCH_SIZE = "1" } = process.env;
const ledger = new Redis(REDIS_URL);
const stop = new AbortController();
process.once("SIGTERM", () => stop.abort());
const consumer = new Consumer({
  ...{ redis: REDIS_URL, stream: STREAM, group: GROUP },
  ...{ batchSize: Number(BATCH_SIZE), maxWaitMs: 50, blockMs: 500 },
  // What one that leaves had read ahead and releases is taken up again soon.
  ...{ leaseMs: 5_000, recoverEveryMs: 1_000 },
});
await consumer.run(
  async (batch) => {
    await wait(Number(COST_MS) * batch.size);
    const entries = ledger.pipeline();
    const nowMs = Date.now();
    for (const { id, addedAt } of batch) {
      entries.hincrby(`${STREAM}:times`, id, 1).hset(`${STREAM}:took`, id, nowMs - (addedAt?.getTime() ?? nowMs));
    }
    await entries.exec();
    batch.ack();
  },
  { signal: stop.signal },
);
await ledger.quit();
