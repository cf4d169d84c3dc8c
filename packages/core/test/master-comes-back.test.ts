/**
 * A master of a Cluster that comes back while the others still take it to be dead: they refuse everything for twice their
 * node timeout, and only that master itself serves its streams.
 */
import { eventually, type RedisServer, startCluster, useServers } from "@redis-batch/test-support";
import { Cluster } from "ioredis";
import { Cluster as ClusterV5 } from "ioredis-v5";
import { expect, test } from "vitest";
import { nameOn } from "./conformance/server-setting.ts";
import { connected, useClients } from "./use-clients.ts";

const DEAD_AFTER_MS = 800;
/** The others take it to be dead for longer than any test. */
const FOR_EVER_MS = 60_000;

const cluster = useServers((source) => startCluster({ source, nodeTimeoutMs: DEAD_AFTER_MS }));
const makeClient = useClients();

test("is found at once, by ioredis 5 and 6", async () => {
  const [master, ...others] = cluster.servers.primaries as [RedisServer, ...RedisServer[]];
  const stream = await nameOn(master);
  const clients = await Promise.all(
    [Cluster, ClusterV5].map(async (ClusterClass) => {
      const redis = new ClusterClass(cluster.servers.startupNodes, { lazyConnect: true });
      const { client } = await connected(makeClient({ redis }));
      expect(await client.xlen({ stream })).toBe(0);
      return client;
    }),
  );
  await master.kill();
  const refusals = clients.map((client) =>
    eventually("all others refuse commands", () =>
      client.xlen({ stream }).then(
        () => false,
        (error: unknown) => String(error).includes("CLUSTERDOWN"),
      ),
    ),
  );
  for (const node of others) {
    await eventually("it takes the master to be dead", async () =>
      /\bfail\b/.test(String(await node.command("CLUSTER", "NODES"))),
    );
    await node.command("CONFIG", "SET", "cluster-node-timeout", FOR_EVER_MS);
  }
  await Promise.all(refusals);
  await master.restart();
  await eventually("it takes commands", () => master.command("XLEN", stream).then(String));
  for (const client of clients) {
    expect(await eventually("it is found", () => client.xlen({ stream }).then(String))).toBe("0");
  }
  for (const node of others) await expect(node.command("XLEN", stream)).rejects.toThrow("CLUSTERDOWN");
});
