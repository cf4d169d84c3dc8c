/** What the scaler makes of consumers that read several streams, and of one that keeps messages in order for its group. */
import { Consumer, type ConsumerOptions, Producer } from "@redis-batch/consumer";
import { deferred, eventually, uniqueName, useServer } from "@redis-batch/test-support";
import { expect, it } from "vitest";
import { type Executor, Scaler, type ScalerEvent } from "../src/index.ts";

const redis = useServer();
const QUICK = { leaseMs: 600, batchSize: 1, maxWaitMs: 10 } satisfies Partial<ConsumerOptions>;
const RATIO = { strategy: "ratio", scaleInRate: 60, scaleOutRate: 90 } as const;

it("does not take a consumer away that is busy on its other stream, and does when that is over", async () => {
  const [busy, quiet] = [uniqueName("busy"), uniqueName("quiet")] as const;
  const where = { redis: redis.server.options, group: "group" };
  const work = deferred<void>();
  const handler = async ({ ack, stream }: { ack: () => void; stream: string | null }): Promise<void> => {
    if (stream === busy) await work.promise;
    ack();
  };
  await using first = new Consumer({ ...where, streams: [busy, quiet], ...QUICK });
  await using second = new Consumer({ ...where, streams: [busy, quiet], ...QUICK });
  const runs = [first, second].map((consumer) =>
    consumer.run((batch) => handler({ ack: () => batch.ack(), stream: batch.stream })),
  );
  await using scaler = new Scaler({ ...where, stream: quiet, ...RATIO });
  await using producer = new Producer({ redis: where.redis, stream: busy });
  const looks = async (elsewhere: number) => {
    await eventually(`${elsewhere} consumers are busy elsewhere`, async () => {
      const seen = await scaler.collect();
      return seen.ready === 2 && seen.elsewhere === elsewhere;
    });
    // Of this stream little waits, and much is at work: by itself it could do with one consumer less.
    return scaler.decide({ ...(await scaler.collect()), waiting: 1, pending: 10 });
  };
  expect(await looks(0)).toMatchObject({ direction: "IN", desired: 1 });
  await producer.add({ n: 1 });
  await producer.add({ n: 2 });
  const decision = await looks(2);
  expect(decision).toMatchObject({ direction: "NO_SCALE", desired: 2, binding: "elsewhere", inputs: { elsewhere: 2 } });
  expect(decision.reason).toContain("other streams keep 2.0 consumers busy");
  work.resolve();
  expect(await looks(0)).toMatchObject({ direction: "IN", desired: 1 });
  await Promise.all([first.close(), second.close()]);
  await Promise.all(runs);
});

it("never orders a second consumer for a group whose consumer keeps messages in order, also when that has crashed", async () => {
  const where = { redis: redis.server.options, stream: uniqueName("ordered"), group: "group" };
  const asked: (number | undefined)[] = [];
  const executor: Executor = {
    name: "three",
    // The operator has three, of which two cannot join.
    status: async (_, context) => {
      asked.push(context?.maxConsumers);
      return { desired: 3, ready: 1, startingMs: [], startUpsMs: [] };
    },
    scale: async () => {},
  };
  await using producer = new Producer({ redis: where.redis, stream: where.stream });
  await using consumer = new Consumer({ ...where, ...QUICK, orderBy: "customer" });
  const run = consumer.run((batch) => batch.ack());
  await producer.add({ customer: "ada" });
  const scaled = deferred<ScalerEvent>();
  const reasons: string[] = [];
  await using scaler = new Scaler({
    ...where,
    ...RATIO,
    minConsumers: 3,
    observer: (event) => {
      if (event.type === "decided") reasons.push(event.decision.reason);
      if (event.type === "scaled") scaled.resolve(event);
    },
  });
  await eventually("it is registered", async () => (await scaler.collect()).isAlone === true);
  const stop = new AbortController();
  const scaling = scaler.run({ executor, intervalMs: 100, signal: stop.signal });
  expect(await scaled.promise).toMatchObject({ from: 3, to: 1 });
  expect(asked[0]).toBe(1);
  expect(reasons[0]).toContain("keeps messages in order for the whole group (orderBy), so there can be only one");
  stop.abort();
  await scaling;
  await consumer.close();
  await run;
  // It has left, and took its entry in the registry along.
  expect(await scaler.collect()).toMatchObject({ isAlone: null });
  expect(await scaler.decide({ ...(await scaler.collect()), waiting: 50, current: 1 })).toMatchObject({ desired: 1 });
});

it("counts the consumers of all partitions once, and wants no more of them than there are partitions", async () => {
  const where = { redis: redis.server.options, stream: uniqueName("parted"), partitions: 2 };
  const work = deferred<void>();
  await using producer = new Producer(where);
  await using first = new Consumer({ ...where, group: "group", ...QUICK, rebalanceGraceMs: 0 });
  await using second = new Consumer({ ...where, group: "group", ...QUICK, rebalanceGraceMs: 0 });
  const runs = [first, second].map((consumer) =>
    consumer.run(async (batch) => {
      await work.promise;
      batch.ack();
    }),
  );
  await Promise.all(Array.from({ length: 40 }, (_, n) => producer.add({ n }, { key: `k${n}` })));
  await using scaler = new Scaler({ redis: where.redis, stream: where.stream, group: "group", ...RATIO });
  await eventually("both are at work, each on its partition", async () => {
    const { ready, partitions, pending, added } = await scaler.collect();
    return ready === 2 && partitions === 2 && pending >= 2 && added === 40;
  });
  const decision = await scaler.decide(await scaler.collect());
  expect(decision).toMatchObject({ direction: "NO_SCALE", desired: 2, binding: "partitions" });
  expect(decision.reason).toContain("the stream has 2 partitions, each with one owner");
  work.resolve();
  await eventually("all of it is done", async () => {
    const { waiting, pending } = await scaler.collect();
    return waiting === 0 && pending === 0;
  });
  const { binding } = await scaler.decide(await scaler.collect());
  expect(binding).not.toBe("partitions");
  await Promise.all([first.close(), second.close()]);
  await Promise.all(runs);
});
