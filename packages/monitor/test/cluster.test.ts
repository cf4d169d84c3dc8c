import { createRedisStreamClient } from "@redis-batch/core/internal/connection";
import { RELEASED } from "@redis-batch/core/internal/names";
import { startCluster, uniqueName, useServers } from "@redis-batch/test-support";
import { Cluster } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Monitor } from "../src/index.ts";

const cluster = useServers((source) => startCluster({ source }));
const LEASE_MS = 600_000;

describe("over a lent Cluster", () => {
  let lent: Cluster;
  beforeAll(() => {
    lent = new Cluster(cluster.servers.startupNodes);
  });
  afterAll(() => lent.disconnect());

  it.each([0, 1, 2, 3])("looks, hands over, trims and leads, whichever node has the stream (%i)", async () => {
    const address = { stream: uniqueName("stream"), group: "group" };
    const client = createRedisStreamClient({ redis: lent, blockMs: 0 });
    await client.connect(["commands", "reader"], { timeoutMs: 10_000 });
    await client.xgroupCreate({ ...address, position: "start" });
    const items = Array.from({ length: 300 }, () => ({ stream: address.stream, fields: ["n", 1] }));
    const ids = (await client.xaddMany(items)).map(String);
    await client.xreadgroup({ ...address, consumer: "gone", count: 300 });
    await client.xack({ ...address, ids: ids.slice(0, 250) });
    // A heartbeat whose lease is over as soon as it is written.
    await client.heartbeat({ ...address, consumer: "gone", incarnation: "g", leaseMs: 0, details: {} });
    await client.heartbeat({ ...address, consumer: "alive", incarnation: "a", leaseMs: LEASE_MS, details: {} });
    await client.xgroupCreateConsumer({ ...address, consumer: "alive" });
    const monitor = new Monitor({ redis: lent, ...address, graceMs: 0 });
    const { groups } = await monitor.cleanUp();
    expect(groups[0]).toMatchObject({ moves: [{ from: "gone", to: RELEASED, messages: 50 }], removed: ["gone"] });
    expect((await monitor.trim()).dropped).toBeGreaterThan(0);
    const stop = new AbortController();
    const running = monitor.run({ signal: stop.signal });
    await expect.poll(() => monitor.health().leading).toBe(true);
    stop.abort();
    await running;
    await monitor.close();
    await client.close();
  });
});
