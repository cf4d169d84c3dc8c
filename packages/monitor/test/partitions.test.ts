/** What a monitor says of a stream with partitions: one stream, whose consumers own some of them. */
import { Consumer, type Handler, Producer } from "@redis-batch/consumer";
import { partitionStreams } from "@redis-batch/core";
import { eventually, uniqueName, useServer } from "@redis-batch/test-support";
import { afterEach, expect, it } from "vitest";
import { Monitor, toPrometheus } from "../src/index.ts";
import { consumerOf, groupOf } from "./real-group.ts";

const redis = useServer();
const closing: AsyncDisposable[] = [];
afterEach(async () => {
  await Promise.all(closing.splice(0).map((one) => one[Symbol.asyncDispose]()));
});

function open(partitions: number) {
  const where = { redis: redis.server.options, stream: uniqueName("parted"), partitions };
  const producer = new Producer(where);
  const monitor = new Monitor({ redis: where.redis, stream: where.stream, group: "group", observer: () => {} });
  closing.push(producer, monitor);
  const add = (count: number): Promise<unknown> =>
    Promise.all(Array.from({ length: count }, (_, n) => producer.add({ n }, { key: `k${n}` })));
  const start = (name: string, handler: Handler): Consumer => {
    const consumer = new Consumer({
      ...where,
      ...{ group: "group", name, leaseMs: 900, maxWaitMs: 20, batchSize: 5, rebalanceGraceMs: 0, drainMs: 100 },
      ...{ maxHoldMs: 60_000, observer: () => {} },
    });
    closing.push(consumer);
    consumer.run(handler).catch(() => {});
    return consumer;
  };
  return { ...where, monitor, add, start };
}

it("adds up what its partitions say, and has one line for each consumer, with what it owns", async () => {
  const { stream, monitor, add, start } = open(6);
  start("ada", (batch) => batch.ack());
  start("bob", (batch) => batch.ack());
  await add(60);
  await eventually("both own three, and all is done", async () => {
    const { consumers, backlog, pending } = await groupOf(monitor);
    expect(consumers.map(({ consumer }) => consumer)).toEqual(["ada", "bob"]);
    expect(consumers.map(({ partitions }) => partitions?.length)).toEqual([3, 3]);
    return backlog.messages === 0 && pending === 0;
  });
  const report = await monitor.inspect();
  expect(report).toMatchObject({ stream, length: 60 });
  expect(report.partitions?.map((one) => one.stream)).toEqual(partitionStreams(stream, 6));
  const owned = report.groups[0]?.consumers.flatMap(({ partitions }) => partitions ?? []) ?? [];
  expect(owned.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5]);
  expect(await redis.server.command("EXISTS", stream)).toBe(0);
  // The metrics are those of the whole: nobody should have to add them up.
  const lengths = toPrometheus(report).match(/^redis_batch_stream_entries\{.*$/gm) ?? [];
  expect(lengths).toHaveLength(1);
  expect(lengths[0]).toMatch(new RegExp(`stream="${stream}".* 60$`));
});

it("says that nobody works on it when its consumers have gone, with all that waits, and that it is well when one is back", async () => {
  const { monitor, add, start } = open(4);
  const consumer = start("ada", (batch) => batch.ack());
  await eventually("it owns all", async () => (await groupOf(monitor)).consumers[0]?.partitions?.length === 4);
  await consumer.close();
  await add(40);
  await eventually("it is called stopped", async () => {
    const { health, reason, backlog } = await groupOf(monitor);
    expect(backlog.messages).toBe(40);
    expect(reason).toMatch(/^partition \d: /);
    return health === "STOPPED";
  });
  start("bob", (batch) => batch.ack());
  await eventually("it is well, and all is done", async () => {
    const group = await groupOf(monitor);
    expect(consumerOf(group, "bob").partitions).toHaveLength(4);
    return group.health === "OK" && group.backlog.messages === 0 && group.pending === 0;
  });
});
