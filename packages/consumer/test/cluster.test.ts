import { startCluster, uniqueName, useServers } from "@redis-batch/test-support";
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
