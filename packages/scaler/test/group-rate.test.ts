/** What the scaler makes of a group with a rate: more consumers would only wait for it. */
import { Consumer, Producer } from "@redis-batch/consumer";
import { eventually, uniqueName, useServer } from "@redis-batch/test-support";
import { expect, it } from "vitest";
import { Scaler } from "../src/index.ts";

const redis = useServer();

it("adds no consumer while one waits for the rate, and adds them when the rate is gone", async () => {
  const where = { redis: redis.server.options, stream: uniqueName("limited"), group: "group" };
  await using producer = new Producer({ redis: where.redis, stream: where.stream });
  await producer.addMany(Array.from({ length: 500 }, (_, n) => ({ n })));
  await using consumer = new Consumer({
    ...{ ...where, leaseMs: 600, batchSize: 1, maxWaitMs: 10 },
    rateLimit: { messages: 2, perMs: 1_000 },
  });
  const running = consumer.run((batch) => batch.ack());
  await using scaler = new Scaler({ ...where, strategy: "ratio", scaleInRate: 20, scaleOutRate: 60, maxConsumers: 8 });
  await eventually("it waits for the rate", async () => (await scaler.collect()).rateLimit?.isBinding === true);
  const decision = await scaler.decide({ ...(await scaler.collect()), pending: 1 });
  expect(decision).toMatchObject({ direction: "NO_SCALE", desired: 1, binding: "rate" });
  expect(decision.reason).toContain("the group offers at most 2 messages per 1000 ms (its rate)");
  const { rateLimit: _gone, ...free } = await scaler.collect();
  expect(await scaler.decide({ ...free, pending: 1 })).toMatchObject({ direction: "OUT", desired: 2 });
  await consumer.close();
  await running;
});
