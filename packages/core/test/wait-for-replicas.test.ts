/**
 * `waitForReplicas`: an add is confirmed when replicas have it. WAIT answers for what its own connection has written, so
 * three ways of sending it confirm what no replica has: on another connection, by `cluster.wait()`, and after a reconnect.
 */
import {
  EventRecorder,
  eventually,
  FaultProxy,
  fairNowMs,
  type RedisServer,
  startCluster,
  startSentinel,
  uniqueName,
  useServers,
} from "@redis-batch/test-support";
import { Cluster, Redis } from "ioredis";
import { Cluster as ClusterV5 } from "ioredis-v5";
import { afterEach, describe, expect, onTestFinished, test } from "vitest";
import { Producer, type ProducerEvent, type ProducerOptions } from "../src/index.ts";
import { nameOn } from "./conformance/server-setting.ts";
import { connected, useClients } from "./use-clients.ts";

const sentinel = useServers((source) => startSentinel({ source, replicas: 2 }));
const openClient = useClients();

const frozen = new Set<RedisServer>();

async function freeze(...servers: readonly RedisServer[]): Promise<void> {
  for (const server of servers) {
    frozen.add(server);
    await server.freeze();
  }
}

async function thaw(): Promise<void> {
  for (const server of frozen) await server.thaw();
  frozen.clear();
}

afterEach(thaw);

function open(options: Partial<ProducerOptions> & Pick<ProducerOptions, "redis">) {
  const events = new EventRecorder<ProducerEvent>();
  const producer = new Producer({
    ...{ stream: uniqueName("orders"), observer: events.observe, closeTimeoutMs: 0 },
    ...options,
  });
  onTestFinished(() => producer.close());
  return { producer, events };
}

const errorOf = (adding: Promise<unknown>): Promise<unknown> => adding.catch((error: unknown) => error);

/** Whether the server makes this many clients wait for replicas. */
async function untilWaiting(server: RedisServer): Promise<void> {
  await eventually("WAIT waits", async () => (await server.info("clients"))["blocked_clients"] !== "0");
}

/** A client that says nothing when it connects, as after a reconnect without a ready check. */
function silentClient({ options }: RedisServer): Redis {
  const client = new Redis({ ...options, enableReadyCheck: false, disableClientInfo: true, protocol: 2 });
  onTestFinished(() => client.disconnect());
  return client;
}

/** How many messages a replica has, also one of a Cluster. */
async function lengthAt({ options }: RedisServer, stream: string): Promise<number> {
  const client = new Redis({ ...options, readOnly: true });
  try {
    return await client.xlen(stream);
  } finally {
    client.disconnect();
  }
}

describe("over one server, found by Sentinel or by its URL", () => {
  const topology = () => sentinel.servers;

  test.each(["Sentinel", "its URL"])(
    "%s: an add is confirmed when every replica has it, and not before",
    async (how) => {
      const { primary, replicas, options } = topology();
      const stream = uniqueName("orders");
      const { producer } = open({
        ...{ redis: how === "Sentinel" ? options : primary.url, stream },
        waitForReplicas: { count: 2, timeoutMs: 10_000 },
      });
      await producer.connect();
      const [late, prompt] = replicas as [RedisServer, RedisServer];
      await freeze(late);
      let isConfirmed = false;
      const adding = producer.add({ n: 1 }).finally(() => {
        isConfirmed = true;
      });
      await untilWaiting(primary);
      await eventually("the other replica has it", async () => Number(await prompt.command("XLEN", stream)) === 1);
      expect(isConfirmed).toBe(false);
      await thaw();
      const id = await adding;
      for (const replica of replicas) {
        expect(await replica.command("XRANGE", stream, "-", "+")).toEqual([[id, ["n", "1"]]]);
      }
    },
  );

  test("an add that too few replicas confirm in time is there, and in doubt", async () => {
    const { primary, replicas } = topology();
    const stream = uniqueName("orders");
    const { producer } = open({ redis: primary.url, stream, waitForReplicas: { count: 2, timeoutMs: 30 } });
    await producer.add({ n: 1 });
    await freeze(replicas[0] as RedisServer);
    const error = await errorOf(producer.add({ n: 2 }));
    expect(error).toMatchObject({ code: "CONNECTION", outcome: "unknown" });
    expect(String(error)).toMatch(/added as \d+-\d+, but 1 of 2 replicas confirmed it within 30 ms/);
    expect(await primary.command("XLEN", stream)).toBe(2);
  });

  test("more replicas than there are: never confirmed, and the error says how many there were", async () => {
    const { producer } = open({ redis: topology().primary.url, waitForReplicas: { count: 3, timeoutMs: 30 } });
    expect(String(await errorOf(producer.add({ n: 1 })))).toContain("2 of 3 replicas");
  });

  test("WAIT on another connection confirms what no replica has; the producer does not", async () => {
    const { primary, replicas } = topology();
    const other = silentClient(primary);
    await other.set(uniqueName("key"), "1");
    const { producer } = open({ redis: primary.url, waitForReplicas: { count: 2, timeoutMs: 30 } });
    await eventually("an add is confirmed", () => producer.add({ n: 1 }));
    await freeze(...replicas);
    expect(await errorOf(producer.add({ n: 2 }))).toMatchObject({ outcome: "unknown" });
    expect(await other.wait(2, 30)).toBe(2);
  });

  test("WAIT after a reconnect would confirm what no replica has; it is not sent", async () => {
    const { primary, replicas } = topology();
    await using proxy = await FaultProxy.start(primary);
    const { client, events } = await connected(openClient({ redis: proxy.url }));
    await freeze(...replicas);
    const waitForReplicas = client.followAdds();
    const [id] = await client.xaddMany([{ stream: uniqueName("orders"), fields: ["n", "1"] }]);
    expect(id).toEqual(expect.any(String));
    proxy.reset();
    await events.waitFor(({ type, role }) => type === "connected" && role === "commands", { count: 2 });
    expect(await errorOf(waitForReplicas({ count: 1, timeoutMs: 30 }))).toMatchObject({ outcome: "not-sent" });
    expect(await silentClient(primary).wait(1, 30)).toBe(2);
  });

  test("a connection that is lost while replicas are awaited leaves the add in doubt, and added once", async () => {
    const { primary, replicas } = topology();
    await using proxy = await FaultProxy.start(primary);
    const stream = uniqueName("orders");
    const { producer } = open({ redis: proxy.url, stream, waitForReplicas: { count: 1, timeoutMs: 10_000 } });
    await producer.connect();
    await freeze(...replicas);
    const adding = errorOf(producer.add({ n: 1 }));
    await untilWaiting(primary);
    proxy.reset();
    expect(await adding).toMatchObject({ code: "CONNECTION", outcome: "unknown" });
    expect(await primary.command("XLEN", stream)).toBe(1);
  });

  test("with a key it is asked again, and confirmed only when replicas have what the first attempt added", async () => {
    const { primary, replicas } = topology();
    await using proxy = await FaultProxy.start(primary);
    const stream = uniqueName("orders");
    const { producer, events } = open({ redis: proxy.url, stream, waitForReplicas: { count: 2, timeoutMs: 10_000 } });
    await producer.connect();
    await freeze(...replicas);
    let isConfirmed = false;
    const adding = producer.add({ n: 1 }, { idempotencyKey: "k" }).finally(() => {
      isConfirmed = true;
    });
    await untilWaiting(primary);
    proxy.reset();
    await events.waitFor("retrying");
    await events.waitFor("connected", { count: 2 });
    await untilWaiting(primary);
    expect(isConfirmed).toBe(false);
    await thaw();
    const id = await adding;
    expect(await primary.command("XRANGE", stream, "-", "+")).toEqual([[id, ["n", "1"]]]);
    expect(events.all("duplicate")).toMatchObject([{ id, attempt: 2 }]);
  });

  test("a repeated add writes, whatever the connection did before: WAIT has something to wait for", async () => {
    const { primary } = topology();
    const stream = uniqueName("orders");
    const add = async () => {
      const { producer } = open({ redis: primary.url, stream });
      await producer.add({ n: 1 }, { idempotencyKey: "k" });
      return Number((await primary.info("replication"))["master_repl_offset"]);
    };
    await add();
    const key = `rb:{${stream}}:idem:${stream}:k`;
    const expiresAt = await primary.command("PEXPIRETIME", key);
    const before = await add();
    expect(await add()).toBeGreaterThan(before + 40);
    // It does not keep the key alive.
    expect(await primary.command("PEXPIRETIME", key)).toBe(expiresAt);
  });

  test("many adds share a WAIT", async () => {
    const { primary, replicas } = topology();
    const stream = uniqueName("orders");
    const { producer } = open({ redis: primary.url, stream, waitForReplicas: { count: 2, timeoutMs: 10_000 } });
    const waits = async () =>
      Number(/calls=(\d+)/.exec((await primary.info("commandstats"))["cmdstat_wait"] ?? "calls=0")?.[1]);
    const before = await waits();
    const idempotencyKey = ({ n }: { readonly n: number }) => `${n % 10 === 0 ? "" : "k"}${n}`;
    const numbers = Array.from({ length: 5_000 }, (_, n) => ({ n }));
    expect(await producer.addMany(numbers.slice(0, 4_000))).toMatchObject({ added: 4_000, failed: 0 });
    expect(await producer.addMany(numbers.slice(4_000), { idempotencyKey })).toMatchObject({ added: 1_000, failed: 0 });
    expect((await waits()) - before).toBeLessThan(100);
    for (const replica of replicas) expect(await replica.command("XLEN", stream)).toBe(5_000);
  });

  test("close() does not wait for replicas longer than closeTimeoutMs", async () => {
    const { primary, replicas } = topology();
    const { producer } = open({ redis: primary.url, waitForReplicas: { count: 2, timeoutMs: 10_000 } });
    await producer.connect();
    await freeze(...replicas);
    const adding = errorOf(producer.add({ n: 1 }));
    await untilWaiting(primary);
    const queued = errorOf(producer.add({ n: 2 }));
    await producer.close();
    expect(await Promise.all([adding, queued])).toMatchObject([{ outcome: "unknown" }, { outcome: "not-sent" }]);
  });

  test("without the right to wait, adds are refused and nothing is added", async () => {
    const { primary } = topology();
    const stream = uniqueName("orders");
    await primary.command("ACL", "SETUSER", "adder", "on", ">pw", "~orders*", "+xadd", "+info");
    onTestFinished(async () => void (await primary.command("ACL", "DELUSER", "adder")));
    const redis = { ...primary.options, username: "adder", password: "pw" };
    const { producer } = open({ redis, stream, waitForReplicas: { count: 1 } });
    expect(await errorOf(producer.connect())).toMatchObject({
      ...{ code: "PERMISSION", command: "wait", rules: ["+wait"] },
      message: expect.stringContaining("A producer needs it. Grant it: ACL SETUSER <user> +wait") as string,
    });
    expect(await errorOf(producer.add({ n: 1 }))).toMatchObject({ code: "PERMISSION" });
    expect(await primary.command("EXISTS", stream)).toBe(0);
    await primary.command("ACL", "SETUSER", "adder", "+wait");
    await producer.add({ n: 1 });
    expect(await primary.command("XLEN", stream)).toBe(1);
  });
});

describe.each([
  ["6", Cluster],
  ["5", ClusterV5],
])("over a Cluster, by ioredis %s", (_, ClusterClass) => {
  const cluster = useServers((source) => startCluster({ source, primaries: 2, replicasEach: 1 }));
  const lent = () => new ClusterClass(cluster.servers.startupNodes, { lazyConnect: true });

  /** A master with its replica. */
  const pairs = () => {
    const { primaries, replicas } = cluster.servers;
    return primaries.map((primary, index) => [primary, replicas[index]] as [RedisServer, RedisServer]);
  };

  test("an add is confirmed by the replica of its own master; cluster.wait() asks any", async () => {
    const [[primary, replica]] = pairs() as [[RedisServer, RedisServer]];
    const stream = await nameOn(primary);
    const { producer } = open({ redis: lent(), stream, waitForReplicas: { count: 1, timeoutMs: 10_000 } });
    await producer.add({ n: 1 });
    await producer.add({ n: 2 }, { idempotencyKey: "k" });
    expect(await lengthAt(replica, stream)).toBe(2);
    await freeze(replica);
    const hasty = open({ redis: lent(), stream, waitForReplicas: { count: 1, timeoutMs: 20 } });
    for (let n = 0; n < 10; n++) {
      expect(String(await errorOf(hasty.producer.add({ n })))).toContain("0 of 1 replicas");
    }
    const plain = lent();
    onTestFinished(() => plain.disconnect());
    await eventually("cluster.wait() says that a replica has it", async () => {
      await plain.xadd(stream, "*", "n", "4");
      return (await plain.wait(1, 30)) === 1;
    });
  });

  test("any master that answers shows whether the user may wait", async () => {
    const { client } = openClient({ redis: lent() });
    await client.connect(["commands"], { timeoutMs: 10_000 });
    for (const [primary] of pairs()) {
      await freeze(primary);
      const sinceMs = fairNowMs();
      await client.assertMayWait();
      // Less than the silence that ends a connection.
      expect(fairNowMs() - sinceMs).toBeLessThan(10_000);
      await thaw();
    }
  });

  test("a node's connection that was lost and came back is not asked", async () => {
    const [[primary]] = pairs() as [[RedisServer, RedisServer]];
    const stream = await nameOn(primary);
    const { client } = openClient({ redis: lent() });
    await client.connect(["commands"], { timeoutMs: 10_000 });
    const waitForReplicas = client.followAdds();
    await client.xaddMany([{ stream, fields: ["n", "1"] }]);
    await primary.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
    client.followAdds();
    await eventually("it is connected again", async () =>
      (await client.xaddMany([{ stream, fields: ["n", "2"] }])).every((end) => typeof end === "string"),
    );
    expect(await errorOf(waitForReplicas({ count: 1, timeoutMs: 300 }))).toMatchObject({ outcome: "not-sent" });
    const again = client.followAdds();
    await client.xaddMany([{ stream, fields: ["n", "3"] }]);
    expect(await again({ count: 1, timeoutMs: 5_000 })).toBe(1);
  });

  test("adds to several masters at the same time are each followed to their own", async () => {
    const [[first], [second, replica]] = pairs() as [[RedisServer, RedisServer], [RedisServer, RedisServer]];
    const { client } = openClient({ redis: lent() });
    await client.connect(["commands"], { timeoutMs: 10_000 });
    const streams = [await nameOn(second), await nameOn(first)];
    await freeze(replica);
    const added = streams.map(async (stream) => {
      const waitForReplicas = client.followAdds();
      await client.xaddMany([{ stream, fields: ["n", "1"] }]);
      return waitForReplicas({ count: 1, timeoutMs: 300 });
    });
    expect(await Promise.all(added)).toEqual([0, 1]);
  });

  test("what a master dropped while it was a replica is not confirmed, although WAIT would", async () => {
    const [[primary, replica]] = pairs() as [[RedisServer, RedisServer]];
    const [stream, filler] = [await nameOn(primary), await nameOn(primary)];
    const { client } = openClient({ redis: lent() });
    await client.connect(["commands"], { timeoutMs: 10_000 });
    const add = () => client.xaddMany([{ stream, fields: ["n", "1"] }]);
    const offset = async () => Number((await primary.info("replication"))["master_repl_offset"]);
    const takeOver = async (next: RedisServer, last: RedisServer) => {
      await next.command("CLUSTER", "FAILOVER", "TAKEOVER");
      const follows = async () => (await last.info("replication"))["master_link_status"] === "up";
      await eventually("the last master follows", follows);
      const id = String(await next.command("CLUSTER", "MYID"));
      const asMaster = new RegExp(`^${id} .*\\bmaster\\b`, "m");
      const isMasterTo = async (node: RedisServer) => asMaster.test(String(await node.command("CLUSTER", "NODES")));
      // Other tests move slots, which a node refuses that has not heard of it.
      for (const node of pairs().flat()) await eventually("every node has heard of it", () => isMasterTo(node));
    };
    const first = client.followAdds();
    await add();
    expect(await first({ count: 1, timeoutMs: 5_000 })).toBe(1);
    const waitForReplicas = client.followAdds();
    await primary.command("ACL", "SETUSER", "default", "-psync", "-sync");
    await primary.command("CLIENT", "KILL", "TYPE", "replica");
    expect(await add()).toEqual([expect.any(String)]);
    const written = await offset();
    await takeOver(replica, primary);
    await primary.command("ACL", "SETUSER", "default", "+psync", "+sync");
    await takeOver(primary, replica);
    await eventually("as much is written", async () => {
      await primary.command("XADD", filler, "*", "n", "x".repeat(1_000));
      return (await offset()) > written;
    });
    expect(await primary.command("XLEN", stream)).toBe(1);
    expect(await errorOf(waitForReplicas({ count: 1, timeoutMs: 5_000 }))).toMatchObject({ outcome: "unknown" });
    const again = client.followAdds();
    await eventually("it is connected again", async () => typeof (await add())[0] === "string");
    expect(await again({ count: 1, timeoutMs: 5_000 })).toBe(1);
  });

  test("when the stream moves to another master in between, neither is asked", async () => {
    const [[from], [to, replica]] = pairs() as [[RedisServer, RedisServer], [RedisServer, RedisServer]];
    const stream = await nameOn(from);
    const { client } = openClient({ redis: lent() });
    await client.connect(["commands"], { timeoutMs: 10_000 });
    const waitForReplicas = client.followAdds();
    await client.xaddMany([{ stream, fields: ["n", "1"] }]);
    await moveSlotOf(stream, from, to);
    onTestFinished(() => moveSlotOf(stream, to, from));
    expect(await client.xaddMany([{ stream, fields: ["n", "2"] }])).toEqual([expect.any(String)]);
    expect(await errorOf(waitForReplicas({ count: 1, timeoutMs: 300 }))).toMatchObject({ outcome: "not-sent" });
    const { producer } = open({ redis: lent(), stream, waitForReplicas: { count: 1, timeoutMs: 5_000 } });
    await producer.add({ n: 3 });
    expect(await lengthAt(replica, stream)).toBe(3);
  });
});

/** Moves a stream with its slot, as `redis-cli --cluster reshard` does. */
async function moveSlotOf(stream: string, from: RedisServer, to: RedisServer): Promise<void> {
  const slot = Number(await from.command("CLUSTER", "KEYSLOT", stream));
  const [fromId, toId] = [String(await from.command("CLUSTER", "MYID")), String(await to.command("CLUSTER", "MYID"))];
  await to.command("CLUSTER", "SETSLOT", slot, "IMPORTING", fromId);
  await from.command("CLUSTER", "SETSLOT", slot, "MIGRATING", toId);
  const keys = (await from.command("CLUSTER", "GETKEYSINSLOT", slot, 100)) as string[];
  await from.command("MIGRATE", to.host, to.port, "", 0, 5_000, "KEYS", ...keys);
  for (const node of [to, from]) await node.command("CLUSTER", "SETSLOT", slot, "NODE", toId);
}
