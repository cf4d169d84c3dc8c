/** The throughput strategy counts with what real consumers report of their work. */
import { setTimeout as wait } from "node:timers/promises";
import { Consumer, Producer } from "@redis-batch/consumer";
import { eventually, uniqueName, useServer } from "@redis-batch/test-support";
import { expect, it } from "vitest";
import { Scaler, type ThroughputDecision } from "../src/index.ts";

const redis = useServer();
// What a batch costs, whatever is in it.
const BATCH_MS = 100;

it("measures what a consumer does while it is busy, for each batch it works on at the same time", async () => {
  const where = { redis: redis.server.options, stream: uniqueName("stream"), group: "group" };
  await using consumer = new Consumer({ ...where, batchSize: 10, maxWaitMs: 10, leaseMs: 1_500, concurrency: 2 });
  await using producer = new Producer({ redis: where.redis, stream: where.stream });
  await using scaler = new Scaler(where);
  let done = 0;
  const run = consumer.run(async (batch) => {
    await wait(BATCH_MS);
    batch.ack();
    done += batch.size;
  });
  const work = async (messages: number): Promise<void> => {
    const before = done;
    await Promise.all(Array.from({ length: messages }, (_, index) => producer.add({ n: String(index) })));
    await eventually("all is done", () => done === before + messages);
    await eventually("the heartbeat has reported it", async () => {
      const { consumers } = await scaler.collect();
      return consumers[0]?.counters?.processed === done;
    });
  };
  await work(10);
  await scaler.decide();
  await work(200);
  const decision = (await scaler.decide()) as ThroughputDecision;
  expect(decision.inputs).toMatchObject({ rateSource: "busy-time", ready: 1, batchSize: 10 });
  expect(decision).toMatchObject({ direction: "NO_SCALE", desired: 1 });
  // Two batches of ten at a time, each a tenth of a second and what a busy machine adds to it.
  expect(decision.inputs.perConsumerPerSecond).toBeLessThan(205);
  expect(decision.inputs.perConsumerPerSecond).toBeGreaterThan(50);
  await consumer.close();
  await run;
});

it("counts all that a consumer did, also of what it did after its last heartbeat before it left", async () => {
  const where = { redis: redis.server.options, stream: uniqueName("stream"), group: "group" };
  await using producer = new Producer({ redis: where.redis, stream: where.stream });
  await using scaler = new Scaler(where);
  const consumer = new Consumer({ ...where, batchSize: 10, maxWaitMs: 10 });
  await Promise.all(Array.from({ length: 30 }, (_, index) => producer.add({ n: String(index) })));
  let done = 0;
  // It heartbeats every five seconds, and is gone long before the second heartbeat.
  await consumer.run(async (batch) => {
    batch.ack();
    done += batch.size;
    if (done === 30) void consumer.close();
  });
  const { ready, consumers } = await scaler.collect();
  expect({ ready, consumers }).toMatchObject({ ready: 0, consumers: [{ counters: { processed: 30, delivered: 30 } }] });
});
