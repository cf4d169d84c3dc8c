import {
  addEntry,
  checkLeaks,
  eventually,
  type RedisServer,
  startCluster,
  startSentinel,
  uniqueName,
  useServer,
  useServers,
} from "@redis-batch/test-support";
import { Cluster, Redis } from "ioredis";
import { Cluster as ClusterV5, Redis as RedisV5 } from "ioredis-v5";
import { describe, expect, onTestFinished, test } from "vitest";
import type { RedisSource } from "../src/redis/open-client.ts";
import { createRedisStreamClient } from "../src/redis/redis-stream-client.ts";
import { connected, useClients } from "./use-clients.ts";

const makeClient = useClients();

/** Adds, reads and acknowledges one message, with plain commands, a script and a blocking read. */
async function roundTrip(source: RedisSource, stream = uniqueName("stream")): Promise<void> {
  const { client } = await connected(makeClient({ redis: source }));
  await client.xgroupCreate({ stream, group: "g", position: "start" });
  const id = await addEntry(client, { stream, fields: ["n", 1] });
  const own = { stream, group: "g", consumer: "c" };
  expect((await client.xreadgroup({ ...own, count: 10, blockMs: 1_000 })).map((entry) => entry.id)).toEqual([id]);
  expect(await client.ackOwned({ ...own, ids: [id] })).toEqual({ acknowledged: [id], notOwned: [] });
  await client.close();
}

/** The names of all connections to the server, but for the one that asks. */
async function connections(server: RedisServer): Promise<string[]> {
  const lines = String(await server.command("CLIENT", "LIST", "TYPE", "normal"))
    .trim()
    .split("\n");
  const others = lines.filter((line) => !line.includes("cmd=client|list"));
  return others.map((line) => / name=(\S*)/.exec(line)?.[1] ?? "");
}

describe("a server", () => {
  const redis = useServer({ own: true });
  checkLeaks(redis);

  test("is reached by a URL", async () => {
    await expect(roundTrip(redis.server.url)).resolves.toBeUndefined();
  });

  test("is reached by the options of ioredis", async () => {
    await expect(roundTrip({ ...redis.server.options })).resolves.toBeUndefined();
  });

  test("has as many databases as it says", async () => {
    const stream = uniqueName("stream");
    await roundTrip(`${redis.server.url}/3`, stream);
    expect(await redis.server.command("EXISTS", stream)).toBe(0);
  });

  test("sees connections with a name, one for each role, and none after close", async () => {
    const { client, events } = makeClient({ redis: redis.server.url });
    expect(await connections(redis.server)).toEqual([]);
    await client.connect(["commands"], { timeoutMs: 10_000 });
    expect(await connections(redis.server)).toEqual(["redis-batch"]);
    await client.connect(["commands", "reader"], { timeoutMs: 10_000 });
    expect(await connections(redis.server)).toEqual(["redis-batch", "redis-batch"]);
    await client.close();
    await eventually("the connections are gone", async () => (await connections(redis.server)).length === 0);
    await events.waitFor("disconnected", { count: 2 });
    expect(events.all("disconnected").map(({ reason }) => reason)).toEqual(["closed", "closed"]);
  });

  test("opens nothing before connect", async () => {
    makeClient({ redis: redis.server.url });
    makeClient({ redis: new Redis({ ...redis.server.options, lazyConnect: true }) });
    expect(await connections(redis.server)).toEqual([]);
  });

  test("drops a blocked read's connection with close", async () => {
    const { client } = await connected(makeClient({ redis: redis.server.url }));
    const stream = uniqueName("stream");
    await client.xgroupCreate({ stream, group: "g", position: "start" });
    const read = client.xreadgroup({ stream, group: "g", consumer: "c", count: 1, blockMs: 5_000 });
    read.catch(() => {});
    const blocked = async () => (await redis.server.info("clients"))["blocked_clients"];
    await eventually("the read is blocked", async () => (await blocked()) === "1");
    await client.close();
    await expect(read).rejects.toMatchObject({ code: "CONNECTION", outcome: "unknown" });
    await eventually("nobody is blocked", async () => (await blocked()) === "0");
  });

  describe.each([
    ["ioredis 6", (options: object) => new Redis({ ...redis.server.options, ...options })],
    ["ioredis 5", (options: object) => new RedisV5({ ...redis.server.options, ...options })],
  ] as const)("lent by a client of %s", (_, lend) => {
    const use = (options: object = {}) => {
      const lent = lend({ connectionName: "lent", maxRetriesPerRequest: 7, enableAutoPipelining: true, ...options });
      onTestFinished(() => lent.disconnect());
      return lent;
    };

    test("is reached without using or closing that client", async () => {
      const lent = use();
      expect(await lent.ping()).toBe("PONG");
      await roundTrip(lent);
      await eventually("only the lent connection is left", async () => (await connections(redis.server)).length === 1);
      expect(await connections(redis.server)).toEqual(["lent"]);
      expect(lent.status).toBe("ready");
      expect(await lent.ping()).toBe("PONG");
    });

    test("leaves that client's options and listeners as they are", async () => {
      const lent = use({ enableOfflineQueue: true });
      await lent.ping();
      const before = { ...lent.options };
      const listeners = lent.eventNames().map((name) => [name, lent.listenerCount(name)]);
      await roundTrip(lent);
      expect({ ...lent.options }).toEqual(before);
      expect(lent.options).toMatchObject({ maxRetriesPerRequest: 7, enableAutoPipelining: true });
      expect(lent.eventNames().map((name) => [name, lent.listenerCount(name)])).toEqual(listeners);
    });

    test("is reached as well when that client is not connected, or closed", async () => {
      await roundTrip(use({ lazyConnect: true }));
      const closed = use();
      await closed.ping();
      closed.disconnect();
      await expect(roundTrip(closed)).resolves.toBeUndefined();
    });

    test("keeps the guarantees whatever that client's options are", async () => {
      const lent = use({ autoResendUnfulfilledCommands: true, stringNumbers: true, readOnly: false, db: 2 });
      await expect(roundTrip(lent)).resolves.toBeUndefined();
    });

    test.each([
      ["keyPrefix", "app:"],
      ["commandTimeout", 1_000],
    ])("is refused with %s", (name, value) => {
      const lent = use({ lazyConnect: true, [name]: value });
      expect(() => createRedisStreamClient({ redis: lent, blockMs: 0 })).toThrow(new RegExp(`^redis: ${name}`));
    });
  });
});

describe("options that cannot be used", () => {
  test.each<[string, unknown]>([
    ["keyPrefix", { keyPrefix: "app:" }],
    ["commandTimeout", { commandTimeout: 1_000 }],
    ["blockingTimeout", { blockingTimeout: 1_000 }],
    ["a number", 6379],
    ["nothing", undefined],
    ["null", null],
    ["a URL that is none", "localhost:6379"],
    ["a Cluster's keyPrefix", new Cluster([{ port: 1 }], { lazyConnect: true, keyPrefix: "app:" })],
    [
      "a Cluster's nodes' keyPrefix",
      new Cluster([{ port: 1 }], { lazyConnect: true, redisOptions: { keyPrefix: "a:" } }),
    ],
    [
      "a Cluster's nodes' commandTimeout",
      new Cluster([{ port: 1 }], { lazyConnect: true, redisOptions: { commandTimeout: 5 } }),
    ],
  ])("%s is a ConfigError where the client is made", (_, redis) => {
    expect(() => createRedisStreamClient({ redis: redis as RedisSource, blockMs: 0 })).toThrow(
      expect.objectContaining({ code: "CONFIG" }),
    );
  });

  test("all of them are named at once", () => {
    expect(() =>
      createRedisStreamClient({ redis: { keyPrefix: "app:", commandTimeout: 1, blockingTimeout: 1 }, blockMs: 0 }),
    ).toThrow(expect.objectContaining({ problems: [expect.any(String), expect.any(String), expect.any(String)] }));
  });
});

describe("a server behind a unix socket", () => {
  const redis = useServer({ listen: "socket" });
  checkLeaks(redis);

  test("is reached by a URL and by options", async () => {
    await roundTrip(`unix://${redis.server.address.path}`);
    await expect(roundTrip({ ...redis.server.options })).resolves.toBeUndefined();
  });
});

describe("a server with TLS", () => {
  const redis = useServer({ tls: "server" });
  checkLeaks(redis);

  test("is reached by options", async () => {
    await expect(roundTrip({ ...redis.server.options })).resolves.toBeUndefined();
  });

  test("is reached by a URL beside a certificate of one's own", async () => {
    const { host, port, tls } = redis.server.address;
    await roundTrip(new Redis(`rediss://${host}:${port}`, { lazyConnect: true, tls: { ca: tls?.ca } }));
    await expect(roundTrip({ host: "localhost", port, tls: { ca: tls?.ca } })).resolves.toBeUndefined();
  });

  test("that is not trusted is refused, and the error says why", async () => {
    const { host, port } = redis.server.address;
    const { client } = makeClient({ redis: `rediss://${host}:${port}` });
    const connecting = client.connect(["commands"], { timeoutMs: 300 });
    await expect(connecting).rejects.toThrow(/last error: .*certificate/);
  });
});

describe("a Cluster", () => {
  const cluster = useServers((source) => startCluster({ source, primaries: 2 }));

  describe.each([
    ["ioredis 6", () => new Cluster(cluster.servers.startupNodes, { redisOptions: { connectionName: "lent" } })],
    ["ioredis 5", () => new ClusterV5(cluster.servers.startupNodes, { redisOptions: { connectionName: "lent" } })],
  ] as const)("lent by a client of %s", (_, lend) => {
    test("is reached, on every node, without using or closing that client", async () => {
      const lent = lend();
      onTestFinished(() => lent.disconnect());
      await lent.ping();
      const before = { ...lent.options };
      // Enough names that both nodes are hit.
      for (const name of ["a", "b", "c", "d", "e"]) await roundTrip(lent, `${uniqueName("stream")}-${name}`);
      expect(lent.status).toBe("ready");
      expect(await lent.ping()).toBe("PONG");
      expect({ ...lent.options }).toEqual(before);
      await eventually("only the lent connections are left", async () => {
        const names = (await Promise.all(cluster.servers.nodes.map(connections))).flat();
        return names.every((name) => name.includes("lent") || name.includes("ioredis-cluster"));
      });
    });
  });
});

describe("a server watched by Sentinels", () => {
  const sentinel = useServers((source) => startSentinel({ source, downAfterMs: 1_000 }));

  test("is reached by the options of ioredis", async () => {
    await expect(roundTrip({ ...sentinel.servers.options })).resolves.toBeUndefined();
  });

  // On a busy machine the Sentinel may take the replica for down as well, and has to begin its failover again.
  test("is followed to its successor", async () => {
    const { client } = await connected(makeClient({ redis: { ...sentinel.servers.options } }));
    const stream = uniqueName("stream");
    await addEntry(client, { stream, fields: ["n", 1] });
    await sentinel.servers.primary.kill();
    const add = () => addEntry(client, { stream, fields: ["n", 2] }).then(() => true);
    await eventually("the successor takes adds", add, { timeoutMs: 80_000 });
    const [successor] = sentinel.servers.replicas;
    expect(await successor?.command("XLEN", stream)).toBeGreaterThanOrEqual(1);
  });
});
