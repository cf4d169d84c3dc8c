import { eventually, startCluster, uniqueName, useServers } from "@redis-batch/test-support";
import { Cluster } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Consumer, Producer } from "../src/index.ts";
import { numbers, range } from "./harness.ts";

const cluster = useServers((source) => startCluster({ source }));

describe("over a lent Cluster", () => {
  let lent: Cluster;
  beforeAll(() => {
    lent = new Cluster(cluster.servers.startupNodes);
  });
  afterAll(() => lent.disconnect());

  it.each(range(4))("adds, reads, retries, dead-letters and leaves, on whatever node the stream is (%i)", async () => {
    const stream = uniqueName("stream");
    await using producer = new Producer({ redis: lent, stream });
    const { added } = await producer.addMany(range(20).map((n) => ({ n })));
    expect(added).toBe(20);
    const consumer = new Consumer({
      redis: lent,
      stream,
      group: "g",
      batchSize: 5,
      maxWaitMs: 50,
      blockMs: 200,
      retry: { baseMs: 5 },
    });
    const done = new Map<number, number>();
    const report = await consumer.run((batch) => {
      for (const message of batch) {
        const [n] = numbers([message]);
        if (n === 7) message.deadLetter("unlucky");
        else if (n === 8 && message.deliveries === 1) message.retry();
        else {
          message.ack();
          done.set(n as number, message.deliveries);
        }
      }
      if (done.size === 19) void consumer.close();
    });
    expect(done.get(8)).toBe(2);
    expect(report).toEqual({ released: 0, unconfirmedAcks: 0, abandoned: 0, nameRemoved: true });
    expect(await lent.xpending(stream, "g")).toEqual([0, null, null, null]);
  });
});

describe("several streams in a Cluster", () => {
  it("are read together within a slot, and side by side over several", async () => {
    const name = uniqueName("stream");
    const streams = [...range(4).map((n) => `${name}-${n}`), `{${name}-0}:more`];
    const [first = ""] = streams;
    const redis = cluster.servers.startupNodes.map(({ host, port }) => `${host}:${port}`).join(",");
    const url = `redis+cluster://${redis}`;
    const seen = new Map<string, number[]>(streams.map((stream) => [stream, []]));
    const consumer = new Consumer({ redis: url, streams, group: "g", batchSize: 5, maxWaitMs: 50, blockMs: 10_000 });
    const running = consumer.run((batch) => {
      for (const message of batch) seen.get(message.stream)?.push(...numbers([message]));
      batch.ack();
    });
    const add = async (stream: string, values: readonly number[]): Promise<void> => {
      await using producer = new Producer({ redis: url, stream });
      await producer.addMany(values.map((n) => ({ n })));
    };
    await Promise.all(streams.map((stream) => add(stream, range(12))));
    await eventually("each is read", async () => [...seen.values()].every((values) => values.length === 12));
    // All reads wait now, each for much longer than the test may take: no stream keeps another one waiting.
    for (const stream of streams) {
      await add(stream, [12]);
      await eventually("its message is read", async () => seen.get(stream)?.length === 13);
    }
    expect(seen.get(first)).toEqual(range(13));
    expect(await consumer.close()).toEqual({ released: 0, unconfirmedAcks: 0, abandoned: 0, nameRemoved: true });
    await running;
  });
});
