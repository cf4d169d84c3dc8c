/** What adds and connections do while a part of a Cluster is away. */
import {
  beginSlotMove,
  EventRecorder,
  eventually,
  FaultProxy,
  fairNowMs,
  type RedisServer,
  recordUnhandled,
  startCluster,
  useServers,
} from "@redis-batch/test-support";
import { Cluster } from "ioredis";
import { Cluster as ClusterV5 } from "ioredis-v5";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { ProducerEvent } from "../src/producer/events.ts";
import type { ProducerOptions } from "../src/producer/options.ts";
import { Producer } from "../src/producer/producer.ts";
import type { LentClient } from "../src/redis/open-client.ts";
import { nameOn } from "./conformance/server-setting.ts";
import { connected, useClients } from "./use-clients.ts";

const cluster = useServers((source) => startCluster({ source, primaries: 2 }));
const notSent = { code: "CONNECTION", outcome: "not-sent", retryable: true };

function primaries(): readonly [RedisServer, RedisServer] {
  const [first, second] = cluster.servers.primaries;
  if (first === undefined || second === undefined) throw new Error("two primaries were asked for");
  return [first, second];
}

/** Has the cluster tell its clients that a node listens on this port; 0: on its own one. */
async function announce(node: RedisServer, port: number): Promise<void> {
  await node.command("CONFIG", "SET", "cluster-announce-port", port);
  const expected = port || node.port;
  await eventually("all nodes report that port", async () => {
    const told = await Promise.all(primaries().map((one) => one.command("CLUSTER", "SLOTS")));
    return told.every((slots) =>
      (slots as [number, number, [string, number]][]).some(([, , [, at]]) => at === expected),
    );
  });
}

/** How messages ended: `added`, or the outcome of the error. */
async function ends(adding: readonly Promise<string>[]): Promise<unknown[]> {
  const settled = await Promise.allSettled(adding);
  return settled.map((end) => (end.status === "fulfilled" ? "added" : (end.reason as { outcome: unknown }).outcome));
}

describe.each([
  ["ioredis 6", Cluster],
  ["ioredis 5", ClusterV5],
] as const)("over a Cluster of %s", (_, ClusterClass) => {
  const makeClient = useClients();
  let proxy: FaultProxy;
  beforeAll(async () => {
    proxy = await FaultProxy.start(primaries()[0]);
    await announce(primaries()[0], proxy.address.port ?? 0);
  });
  afterAll(async () => {
    await announce(primaries()[0], 0);
    await proxy.stop();
  });

  /** Two producers: the master of one is reached through the proxy, the master of the other directly. */
  async function setUp(options: Partial<ProducerOptions> = {}) {
    const [node, other] = primaries();
    onTestFinished(() => proxy.heal());
    const redis = new ClusterClass([{ host: other.host, port: other.port }], { lazyConnect: true });
    const open = async (server: RedisServer) => {
      const events = new EventRecorder<ProducerEvent>();
      const stream = await nameOn(server);
      const producer = new Producer({ redis, stream, observer: events.observe, closeTimeoutMs: 0, ...options });
      onTestFinished(() => producer.close());
      await producer.connect();
      await producer.add({ n: "first" });
      const values = async () => {
        const entries = (await server.command("XRANGE", stream, "-", "+")) as [string, string[]][];
        return entries.map(([, fields]) => fields[1]);
      };
      return { producer, events, values };
    };
    return { node, ...(await open(node)), other: await open(other) };
  }
  const addMany = (producer: Producer, count: number) =>
    Array.from({ length: count }, (__, n) => producer.add({ n }, n % 50 === 25 ? { idempotencyKey: `k${n}` } : {}));

  describe("while one master cannot be reached", () => {
    test("adds to its streams wait, and get there once each; those to others go on", async () => {
      const { producer, values, other } = await setUp();
      proxy.set({ refuse: true });
      proxy.reset();
      // What was in flight has ended when this one has: from now on nothing can be written.
      await producer.add({ n: "lost" }).catch(() => {});
      const adding = addMany(producer, 200);
      expect(await ends(addMany(other.producer, 200))).toEqual(Array(200).fill("added"));
      expect(producer.unconfirmed.messages).toBe(200);
      proxy.heal();
      expect(await ends(adding)).toEqual(Array(200).fill("added"));
      const there = (await values()).filter((n) => n !== "lost" && n !== "first");
      // Not always in order: what the lost node had not taken is sent again, and comes after what was redirected meanwhile.
      expect(there.toSorted((a, b) => Number(a) - Number(b))).toEqual(
        Array.from({ length: 200 }, (__, n) => String(n)),
      );
    });

    test("adds that have waited long enough are not sent, with and without a key", async () => {
      const { producer, values, other } = await setUp({ queueTimeoutMs: 200, retryForMs: 200 });
      proxy.set({ refuse: true });
      proxy.reset();
      await producer.add({ n: "lost" }).catch(() => {});
      expect(await ends(addMany(producer, 100))).toEqual(Array(100).fill("not-sent"));
      await expect(producer.add({ n: "late" })).rejects.toMatchObject(notSent);
      expect(await ends(addMany(other.producer, 10))).toEqual(Array(10).fill("added"));
      proxy.heal();
      await eventually("it is reached again", () => producer.add({ n: "last" }).then(() => true));
      expect((await values()).filter((n) => n !== "lost")).toEqual(["first", "last"]);
    });

    test('an add is refused at once with `whileAway: "fail"`', async () => {
      const { producer } = await setUp({ whileAway: "fail" });
      proxy.set({ refuse: true });
      proxy.reset();
      await producer.add({ n: "lost" }).catch(() => {});
      for (const round of [1, 2, 3]) await expect(producer.add({ n: round })).rejects.toMatchObject(notSent);
      proxy.heal();
      await eventually("it is reached again", () => producer.add({ n: "last" }).then(() => true));
    });

    test("close() ends in time what waits for it", async () => {
      const { producer } = await setUp({ closeTimeoutMs: 200 });
      proxy.set({ refuse: true });
      proxy.reset();
      await producer.add({ n: "lost" }).catch(() => {});
      const adding = ends(addMany(producer, 100));
      const closedAtMs = fairNowMs();
      await producer.close();
      expect(fairNowMs() - closedAtMs).toBeLessThan(1_000);
      expect(await adding).toEqual(Array(100).fill("not-sent"));
    });
  });

  test("adds to a master that comes back on another port wait, and go there", async () => {
    const { node, producer } = await setUp();
    proxy.set({ refuse: true });
    proxy.reset();
    await producer.add({ n: "lost" }).catch(() => {});
    const adding = addMany(producer, 100);
    await announce(node, 0);
    onTestFinished(() => announce(node, proxy.address.port ?? 0));
    expect(await ends(adding)).toEqual(Array(100).fill("added"));
  });

  test("an add that is redirected to a master that cannot be reached waits, and leaves no uncaught error", async () => {
    const [node, other] = primaries();
    const uncaught: unknown[] = [];
    const note = (error: unknown): void => void uncaught.push(error);
    process.on("unhandledRejection", note);
    onTestFinished(() => void process.off("unhandledRejection", note));
    onTestFinished(() => proxy.heal());
    const stream = await nameOn(other);
    const redis = new ClusterClass(cluster.servers.startupNodes, { lazyConnect: true });
    await using producer = new Producer({ redis, stream, observer: () => {} });
    await producer.connect();
    const move = await beginSlotMove(stream, other, node);
    onTestFinished(() => move[Symbol.asyncDispose]());
    await other.command("CONFIG", "RESETSTAT");
    proxy.set({ refuse: true });
    proxy.reset();
    // The other master does not have the key: "ASK".
    const adding = producer.add({ n: 1 });
    await eventually("it was redirected again and again", async () =>
      /[2-9]|\d\d/.test((await other.info("errorstats"))["errorstat_ASK"] ?? ""),
    );
    proxy.heal();
    await adding;
    expect(uncaught).toEqual([]);
  });

  test("close() ends in time what was written to a master that is frozen: unknown", async () => {
    const { producer, other } = await setUp({ closeTimeoutMs: 200 });
    proxy.set({ blackhole: true });
    const adding = ends(addMany(producer, 100));
    expect(await ends(addMany(other.producer, 10))).toEqual(Array(10).fill("added"));
    const closedAtMs = fairNowMs();
    await producer.close();
    expect(fairNowMs() - closedAtMs).toBeLessThan(1_500);
    expect(await adding).toEqual(Array(100).fill("unknown"));
  });

  // To the node that a slot is being moved to, ioredis sends ASKING before each call, and never looks at how that ends.
  test.each([
    ["not-sent", "refuses connections", () => [proxy.set({ refuse: true }), proxy.reset()]],
    ["unknown", "is lost before it answers", () => proxy.cut("reply", 0)],
  ] as const)("only the call fails, %s, when the node that its slot is moved to %s", async (outcome, _how, fail) => {
    const [to, from] = primaries();
    const unhandled = recordUnhandled();
    const redis = new ClusterClass([{ host: from.host, port: from.port }], { lazyConnect: true });
    const { client } = await connected(makeClient({ redis }));
    const stream = await nameOn(from);
    const move = await beginSlotMove(stream, from, to);
    onTestFinished(() => move[Symbol.asyncDispose]());
    expect(await client.xlen({ stream })).toBe(0);
    onTestFinished(() => proxy.heal());
    void fail();
    await expect(client.xlen({ stream })).rejects.toMatchObject({ code: "CONNECTION", outcome });
    expect(await unhandled()).toEqual([]);
  });

  test("while no node serves the slot, adds wait, and get there in order", async () => {
    const { node, producer, events, values } = await setUp();
    const stream = await nameOn(node);
    const own = new Producer({ redis: new ClusterClass(cluster.servers.startupNodes, { lazyConnect: true }), stream });
    onTestFinished(() => own.close());
    await own.add({ n: "first" });
    const slot = Number(await node.command("CLUSTER", "KEYSLOT", stream));
    await node.command("CLUSTER", "DELSLOTS", slot);
    await node.command("CONFIG", "RESETSTAT");
    const adding = addMany(own, 100);
    await eventually("the node has refused one", async () =>
      Object.hasOwn(await node.info("errorstats"), "errorstat_CLUSTERDOWN"),
    );
    expect(own.unconfirmed.messages).toBe(100);
    await node.command("CLUSTER", "ADDSLOTS", slot);
    expect(await ends(adding)).toEqual(Array(100).fill("added"));
    const entries = (await node.command("XRANGE", stream, "-", "+")) as [string, string[]][];
    const unkeyed = entries.map(([, fields]) => fields[1]).filter((n) => n !== "25" && n !== "75");
    const expected = Array.from({ length: 100 }, (__, n) => String(n)).filter((n) => n !== "25" && n !== "75");
    expect(unkeyed).toEqual(["first", ...expected]);
    await eventually("the others go on", () => producer.add({ n: "last" }).then(() => true));
    expect(events.all("closed")).toEqual([]);
    expect((await values()).at(-1)).toBe("last");
  });
});

describe.each([
  ["ioredis 6", Cluster],
  ["ioredis 5", ClusterV5],
] as const)("a Cluster of %s all of whose start-up nodes are gone", (_, ClusterClass) => {
  const makeClient = useClients();

  test("is found again by way of the nodes that were known", async () => {
    const [node] = primaries();
    const seed = await FaultProxy.start(node);
    onTestFinished(() => seed.stop());
    const made: { disconnect(): void }[] = [];
    const template = new ClusterClass([{ host: seed.address.host, port: seed.address.port }], { lazyConnect: true });
    const redis: LentClient = {
      ...{ isCluster: true, options: template.options },
      duplicate(nodes: [], override: object) {
        const client = template.duplicate(nodes, override);
        made.push(client);
        return client;
      },
    };
    const { client, events } = await connected(makeClient({ redis }));
    const stream = await nameOn(node);
    await client.xlen({ stream });
    await seed.stop();
    // Connections that are lost, and then a client that has ended.
    for (const server of primaries()) await server.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
    await eventually("it is connected again", () => client.xlen({ stream }).then(() => true));
    const before = events.all("connected").length;
    made[0]?.disconnect();
    await events.waitFor("connected", { count: before + 1 });
    const length = await eventually("another client finds it too", () => client.xlen({ stream }).then(String));
    expect(length).toBe("0");
  });

  test("says at start that none can be reached, and why", async () => {
    const [node] = primaries();
    const seed = await FaultProxy.start(node);
    const { host, port } = seed.address;
    await seed.stop();
    const redis = new ClusterClass([{ host, port }], { lazyConnect: true });
    const producer = new Producer({ redis, stream: "orders", queueTimeoutMs: 200 });
    onTestFinished(() => producer.close());
    const error: unknown = await producer.add({ n: 1 }).catch((caught: unknown) => caught);
    expect(error).toMatchObject(notSent);
    expect(String(error)).toMatch(/no node of the cluster can be reached/);
  });
});

describe.each([
  ["ioredis 6", Cluster],
  ["ioredis 5", ClusterV5],
] as const)("while a master is frozen, a Cluster of %s", (_, ClusterClass) => {
  const makeClient = useClients();
  /** If each of them asked any master, hardly ever would none of them ask the frozen one. */
  const TRIES = 12;

  test("is connected, and answers what needs no key, within three seconds", async () => {
    const [frozen, other] = primaries();
    const stream = await nameOn(other);
    const made = Array.from({ length: TRIES }, () =>
      makeClient({ redis: new ClusterClass(cluster.servers.startupNodes, { lazyConnect: true }) }),
    );
    await frozen.freeze();
    onTestFinished(() => frozen.thaw());
    const sinceMs = fairNowMs();
    const asked = made.map(async (recorded) => {
      const { client } = await connected(recorded);
      expect(await client.xlen({ stream })).toBe(0);
      return client.time();
    });
    expect((await Promise.all(asked)).every((atMs) => atMs > 0)).toBe(true);
    expect(fairNowMs() - sinceMs).toBeLessThan(3_000);
  });
});
