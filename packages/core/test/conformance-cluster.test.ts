import { addEntry, eventually, startCluster, useServers } from "@redis-batch/test-support";
import { Cluster } from "ioredis";
import { Cluster as ClusterV5 } from "ioredis-v5";
import { describe, expect, test } from "vitest";
import { PackedEntry } from "../src/wire/packed-entry.ts";
import { SENT_COMMANDS } from "../src/wire/probe-command.ts";
import { nameOn, serverSettings } from "./conformance/server-setting.ts";
import { describeStreamClient } from "./conformance/stream-client.conformance.ts";
import { connected, useClients } from "./use-clients.ts";

const cluster = useServers((source) => startCluster({ source, primaries: 2 }));

describeStreamClient(
  "a Cluster of ioredis 6, lent",
  serverSettings(
    () => {
      const [node] = cluster.servers.primaries;
      if (node === undefined) throw new Error("a cluster without nodes");
      return node;
    },
    () => new Cluster(cluster.servers.startupNodes, { lazyConnect: true }),
  ),
);

describe.each([
  ["ioredis 6", Cluster],
  ["ioredis 5", ClusterV5],
] as const)("a Cluster of %s", (_, ClusterClass) => {
  const makeClient = useClients();

  test("tells which commands are offered, also those with keys", async () => {
    const redis = new ClusterClass(cluster.servers.startupNodes, { lazyConnect: true });
    const { client } = await connected(makeClient({ redis }));
    const offered = await Promise.all(SENT_COMMANDS.map((name) => client.isOffered(name)));
    // Redis before 8.2 does not know XACKDEL.
    const refused = SENT_COMMANDS.filter((name, index) => !offered[index] && name !== "xackdel");
    expect(refused).toEqual([]);
  });

  test("is read with our own decoder on each node, also after its connections were lost", async () => {
    const redis = new ClusterClass(cluster.servers.startupNodes, { lazyConnect: true });
    const { client } = await connected(makeClient({ redis }));
    for (const node of cluster.servers.primaries) {
      const stream = await nameOn(node);
      await client.connect(["reader"], { timeoutMs: 10_000, stream });
      await client.xgroupCreate({ stream, group: "g", position: "start" });
      const read = () => client.xreadgroup({ stream, group: "g", consumer: "c", count: 10 });
      const first = await addEntry(client, { stream, fields: ["n", 1] });
      expect(await read()).toEqual([expect.any(PackedEntry)]);
      await node.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
      const second = await eventually("adds work", () => addEntry(client, { stream, fields: ["n", 2] }));
      const entries = await eventually("reads work", read);
      expect(entries).toEqual([expect.any(PackedEntry)]);
      expect([first < second, entries[0]?.id, entries[0]?.fields.map(String)]).toEqual([true, second, ["n", "2"]]);
    }
  });

  test("has a connection for the reads of each slot, so that none waits for another", async () => {
    const redis = new ClusterClass(cluster.servers.startupNodes, { lazyConnect: true });
    const { client } = await connected(makeClient({ redis }));
    // Two slots of one node, where two reads over one connection would follow each other.
    const [node] = cluster.servers.primaries;
    if (node === undefined) throw new Error("a cluster without nodes");
    const busy = await nameOn(node);
    const quiet = await nameOn(node);
    expect(client.readTogether([busy, `{${quiet}}:a`, quiet])).toEqual([[busy], [`{${quiet}}:a`, quiet]]);
    for (const stream of [busy, quiet]) {
      await client.xgroupCreate({ stream, group: "g", position: "start" });
      await client.connect(["reader"], { timeoutMs: 10_000, stream });
    }
    const read = (stream: string) =>
      client.xreadgroup({ stream, group: "g", consumer: "c", count: 1, blockMs: 60_000 });
    const waiting = read(quiet);
    const woken = read(busy);
    await addEntry(client, { stream: busy, fields: ["n", 1] });
    expect(await woken).toHaveLength(1);
    await addEntry(client, { stream: quiet, fields: ["n", 1] });
    expect(await waiting).toHaveLength(1);
  });
});
