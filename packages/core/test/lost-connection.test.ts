import {
  addEntry,
  checkLeaks,
  eventually,
  FaultProxy,
  startCluster,
  useServer,
  useServers,
} from "@redis-batch/test-support";
import { Cluster } from "ioredis";
import { Cluster as ClusterV5, Redis as RedisV5 } from "ioredis-v5";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ConnectionError } from "../src/errors/errors.ts";
import type { RedisSource } from "../src/redis/open-client.ts";
import { nameOn } from "./conformance/server-setting.ts";
import { connected, useClients } from "./use-clients.ts";

const single = useServer({ own: true });
checkLeaks(single);
const cluster = useServers((source) => startCluster({ source, primaries: 2 }));

/** The cluster's nodes tell their own addresses; the first is to be reached by way of the proxy. */
function clusterOptions(proxy: FaultProxy) {
  const [node] = cluster.servers.primaries;
  const natMap = { [`${node?.host}:${node?.port}`]: { host: proxy.address.host, port: proxy.address.port } };
  return { natMap, lazyConnect: true };
}

const setups: readonly (readonly [string, boolean, (proxy: FaultProxy) => RedisSource])[] = [
  ["ioredis 6", false, (proxy) => proxy.url],
  ["ioredis 5", false, (proxy) => new RedisV5({ ...proxy.options, lazyConnect: true })],
  ["a Cluster of ioredis 6", true, (proxy) => new Cluster([proxy.address], clusterOptions(proxy))],
  ["a Cluster of ioredis 5", true, (proxy) => new ClusterV5([proxy.address], clusterOptions(proxy))],
];

describe.each(setups)("over %s", (_, isCluster, source) => {
  const makeClient = useClients();
  let proxy: FaultProxy;
  let stream: string;
  const server = () => {
    const [node] = isCluster ? cluster.servers.primaries : [single.server];
    if (node === undefined) throw new Error("no node");
    return node;
  };
  const length = () => server().command("XLEN", stream);
  const open = async (options = {}) => {
    const recorded = await connected(makeClient({ redis: source(proxy), ...options }));
    // A Cluster opens the connection to a node with the first command for it.
    await recorded.client.xlen({ stream });
    return recorded;
  };

  beforeEach(async () => {
    proxy = await FaultProxy.start(server());
    stream = await nameOn(server());
  });
  afterEach(async () => {
    await proxy.stop();
  });

  describe("a command whose reply is lost", () => {
    test("has an unknown outcome and is not sent again", async () => {
      const { client, events } = await open();
      const add = addEntry(client, { stream, fields: ["n", 1] });
      add.catch(() => {});
      await proxy.cut("reply", 0);
      await expect(add).rejects.toMatchObject({ code: "CONNECTION", outcome: "unknown", retryable: true });
      await client.connect(["commands"], { timeoutMs: 10_000 });
      await addEntry(client, { stream, fields: ["n", 2] });
      expect(await length()).toBe(2);
      expect(events.all("connected").length).toBeGreaterThanOrEqual(2);
    });

    test("that is a script has an unknown outcome and is not run again", async () => {
      const { client } = await open();
      const options = { stream, fields: ["n", 1], rememberMs: 60_000 };
      // The script is known from now on.
      await client.addOnce({ ...options, idempotencyKey: "first" });
      const add = client.addOnce({ ...options, idempotencyKey: "second" });
      add.catch(() => {});
      await proxy.cut("reply", 0);
      await expect(add).rejects.toMatchObject({ code: "CONNECTION", outcome: "unknown" });
      await client.connect(["commands"], { timeoutMs: 10_000 });
      expect(await client.addOnce({ ...options, idempotencyKey: "second" })).toMatchObject({ added: false });
      expect(await length()).toBe(2);
    });

    test("among many has an unknown outcome each, and none is sent again", async () => {
      const { client } = await open();
      const adds = client.xaddMany([1, 2, 3].map((n) => ({ stream, fields: ["n", n] })));
      await proxy.cut("reply", 0);
      for (const outcome of await adds) expect(outcome).toMatchObject({ code: "CONNECTION", outcome: "unknown" });
      await client.connect(["commands"], { timeoutMs: 10_000 });
      await addEntry(client, { stream, fields: ["n", 4] });
      expect(await length()).toBe(4);
    });

    test("in the middle is as lost as a whole one", async () => {
      const { client } = await open();
      const add = addEntry(client, { stream, fields: ["n", 1] });
      add.catch(() => {});
      await proxy.cut("reply", 5);
      await expect(add).rejects.toMatchObject({ code: "CONNECTION", outcome: "unknown" });
      await client.connect(["commands"], { timeoutMs: 10_000 });
      expect(await length()).toBe(1);
    });
  });

  test("a command cut on its way there is not sent again either", async () => {
    const { client } = await open();
    const cut = proxy.cut("request", 10);
    await expect(addEntry(client, { stream, fields: ["n", 1] })).rejects.toMatchObject({ code: "CONNECTION" });
    await cut;
    await client.connect(["commands"], { timeoutMs: 10_000 });
    expect(await client.xlen({ stream })).toBe(0);
    expect(await length()).toBe(0);
  });

  test("while the server is away a command fails at once and is never sent", async () => {
    const { client } = await open();
    proxy.set({ refuse: true });
    proxy.reset();
    const outcomeOfAdd = async () => {
      const error: unknown = await addEntry(client, { stream, fields: ["n", 1] }).catch((reason: unknown) => reason);
      return ConnectionError.is(error) ? error.outcome : "none";
    };
    await eventually("the loss is noticed", async () => (await outcomeOfAdd()) === "not-sent");
    expect(await outcomeOfAdd()).toBe("not-sent");
    const many = [1, 2, 3].map((n) => ({ stream, fields: ["n", n] }));
    const notSent = { code: "CONNECTION", outcome: "not-sent" };
    expect(await client.xaddMany(many)).toMatchObject([notSent, notSent, notSent]);
    proxy.heal();
    await eventually("commands work again", () => client.xlen({ stream }).then(() => true));
    expect(await length()).toBe(0);
  });

  test("the connections come back by themselves", async () => {
    const { client } = await open();
    await server().command("XGROUP", "CREATE", stream, "g", "0", "MKSTREAM");
    proxy.set({ refuse: true });
    proxy.reset();
    await eventually("the loss is noticed", () =>
      client.xlen({ stream }).then(
        () => false,
        () => true,
      ),
    );
    proxy.heal();
    await eventually("commands work again", () => client.xlen({ stream }).then(() => true));
    const read = () => client.xreadgroup({ stream, group: "g", consumer: "c", count: 1 });
    expect(await eventually("reads work again", () => read().then(() => true))).toBe(true);
  });

  test("a read that is cut rejects with an unknown outcome, and reads work again afterwards", async () => {
    const { client } = await open();
    await server().command("XGROUP", "CREATE", stream, "g", "0", "MKSTREAM");
    const options = { stream, group: "g", consumer: "c", count: 10 };
    const read = client.xreadgroup({ ...options, blockMs: 5_000 });
    read.catch(() => {});
    await eventually("the read is blocked", async () => (await server().info("clients"))["blocked_clients"] === "1");
    // The entry is delivered to a connection that does not bring it.
    const cut = proxy.cut("reply", 0);
    await server().command("XADD", stream, "*", "n", 1);
    await cut;
    await expect(read).rejects.toMatchObject({ code: "CONNECTION", outcome: "unknown" });
    await client.connect(["commands", "reader"], { timeoutMs: 10_000 });
    await server().command("XADD", stream, "*", "n", 2);
    const entries = await eventually("reads work again", () => client.xreadgroup(options));
    expect(entries.map(({ fields }) => String(fields[1]))).toEqual(["2"]);
    expect(await client.xpendingRange({ ...options, from: "-", to: "+" })).toHaveLength(2);
  });

  test("a half-open connection is noticed by its silence", async () => {
    const { client } = await open({ blockMs: 100, silenceMs: 300 });
    await server().command("XGROUP", "CREATE", stream, "g", "0", "MKSTREAM");
    const own = { stream, group: "g", consumer: "c", count: 1 };
    // A Cluster opens the reader's connection to a node with the first read from it.
    await client.xreadgroup(own);
    proxy.set({ blackhole: true });
    const command = client.xlen({ stream });
    const read = client.xreadgroup({ ...own, blockMs: 100 });
    await expect(command).rejects.toMatchObject({ code: "CONNECTION", outcome: "unknown" });
    await expect(read).rejects.toMatchObject({ code: "CONNECTION", outcome: "unknown" });
    proxy.heal();
    expect(await eventually("commands work again", () => client.xlen({ stream }).then(() => true))).toBe(true);
  });
});

describe("the reader's epoch", () => {
  const makeClient = useClients();

  test("goes up with every connection of the reader, and only with those", async () => {
    await using proxy = await FaultProxy.start(single.server);
    const { client, events } = await connected(makeClient({ redis: proxy.url }));
    expect(client.readerEpoch("orders")).toBe(1);
    await client.time();
    expect(client.readerEpoch("orders")).toBe(1);
    proxy.reset();
    await events.waitFor(({ type, role }) => type === "connected" && role === "reader", { count: 2 });
    expect(client.readerEpoch("orders")).toBe(2);
  });
});

describe("connecting to a server that is away", () => {
  const makeClient = useClients();

  test("fails after its time, says where it tried and why it failed, and goes on trying", async () => {
    await using proxy = await FaultProxy.start(single.server, { faults: { refuse: true } });
    const { client } = makeClient({ redis: proxy.url });
    const error: unknown = await client.connect(["commands"], { timeoutMs: 100 }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "CONNECTION", outcome: "not-sent" });
    expect(String(error)).toContain(`127.0.0.1:${proxy.address.port}`);
    proxy.heal();
    await client.connect(["commands"], { timeoutMs: 10_000 });
    expect(await client.time()).toBeGreaterThan(0);
  });

  test("ends at once when its signal aborts", async () => {
    await using proxy = await FaultProxy.start(single.server, { faults: { refuse: true } });
    const { client } = makeClient({ redis: proxy.url });
    const controller = new AbortController();
    const connecting = client.connect(["commands"], { timeoutMs: 60_000, signal: controller.signal });
    const reason = new Error("stop");
    controller.abort(reason);
    await expect(connecting).rejects.toBe(reason);
  });

  test("ends at once when the client is closed", async () => {
    await using proxy = await FaultProxy.start(single.server, { faults: { refuse: true } });
    const { client } = makeClient({ redis: proxy.url });
    const connecting = client.connect(["commands", "reader"], { timeoutMs: 60_000 });
    connecting.catch(() => {});
    await client.close();
    await expect(connecting).rejects.toMatchObject({ code: "CONNECTION", outcome: "not-sent" });
  });
});
