import { Cluster, Redis } from "ioredis";
import { describe, expect, test } from "vitest";
import { eventually, ownServersOnly, RedisServer, startCluster, startSentinel, useServers } from "../src/index.ts";

describe("a replica", () => {
  ownServersOnly("several");

  test.each([
    ["plain", {}],
    ["with a password", { users: [{ name: "default", password: "secret", rules: "~* &* +@all" }] }],
    ["over TLS", { tls: "server" }],
  ] as const)("follows its primary (%s)", async (_case, options) => {
    await using primary = await RedisServer.start(options);
    await using replica = await RedisServer.start({ ...options, replicaOf: primary });
    await primary.command("XADD", "orders", "*", "amount", 12);
    await eventually("the entry is on the replica", () => replica.command("XLEN", "orders"));
    await expect(replica.command("XADD", "orders", "*", "amount", 13)).rejects.toMatchObject({ code: "READONLY" });
  });
});

describe("Sentinel", () => {
  const topology = useServers((source) => startSentinel({ source, replicas: 1, sentinels: 1 }));

  test("leads a client to the primary, and to the replica once the primary is dead", async () => {
    const { options, primary, replicas, name } = topology.servers;
    const client = new Redis({
      ...options,
      name,
      replyMapping: "legacy",
      maxRetriesPerRequest: null,
      sentinelRetryStrategy: () => 50,
      retryStrategy: () => 50,
    });
    client.on("error", () => undefined);
    expect(await client.xadd("orders", "*", "amount", "1")).toMatch(/-0$/);
    await eventually("the entry is on the replica", () => replicas[0]?.command("XLEN", "orders"));
    await primary.kill();
    expect(await client.xlen("orders")).toBe(1);
    await client.xadd("orders", "*", "amount", "2");
    expect(await replicas[0]?.command("XLEN", "orders")).toBe(2);
    client.disconnect();
  });
});

describe("a cluster", () => {
  const cluster = useServers((source) => startCluster({ source, primaries: 3, replicasEach: 1 }));

  test("serves every slot, and each primary has its replica", async () => {
    const { nodes, primaries, replicas } = cluster.servers;
    expect([nodes.length, primaries.length, replicas.length]).toEqual([6, 3, 3]);
    const client = new Cluster(cluster.servers.startupNodes, { redisOptions: { replyMapping: "legacy" } });
    const streams = Array.from({ length: 20 }, (_, index) => `orders-${index}`);
    for (const stream of streams) await client.xadd(stream, "*", "amount", "1");
    const sizes = await Promise.all(primaries.map(async (node) => Number(await node.command("DBSIZE"))));
    expect(sizes.every((size) => size > 0)).toBe(true);
    expect(sizes.reduce((sum, size) => sum + size)).toBe(streams.length);
    client.disconnect();
  });
});
