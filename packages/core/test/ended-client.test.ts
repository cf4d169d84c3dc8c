/** Whatever ends a client of ioredis for good, its connection comes back. */
import {
  addEntry,
  beginSlotMove,
  checkLeaks,
  EventRecorder,
  eventually,
  FaultProxy,
  type RedisServer,
  startCluster,
  useServer,
  useServers,
} from "@redis-batch/test-support";
import { Cluster, Redis } from "ioredis";
import { Cluster as ClusterV5, Redis as RedisV5 } from "ioredis-v5";
import { describe, expect, onTestFinished, test } from "vitest";
import { Connection } from "../src/redis/connection.ts";
import { type LentClient, openClient, type ServerSource } from "../src/redis/open-client.ts";
import { systemClock } from "../src/service/clock.ts";
import { systemRandom } from "../src/service/random.ts";
import type { ConnectionEvent } from "../src/stream-client.ts";
import { PackedEntry } from "../src/wire/packed-entry.ts";
import { nameOn } from "./conformance/server-setting.ts";
import { connected, useClients } from "./use-clients.ts";

const single = useServer({ own: true });
checkLeaks(single);
const cluster = useServers((source) => startCluster({ source, primaries: 2 }));

const sources: readonly (readonly [string, () => ServerSource])[] = [
  ["a URL", () => single.server.url],
  ["options", () => ({ ...single.server.options })],
  ["a lent client of ioredis 6", () => new Redis({ ...single.server.options, lazyConnect: true })],
  ["a lent client of ioredis 5", () => new RedisV5({ ...single.server.options, lazyConnect: true })],
  ["a lent Cluster of ioredis 6", () => new Cluster(cluster.servers.startupNodes, { lazyConnect: true })],
  ["a lent Cluster of ioredis 5", () => new ClusterV5(cluster.servers.startupNodes, { lazyConnect: true })],
];

interface Opened {
  readonly connection: Connection;
  readonly events: EventRecorder<ConnectionEvent>;
  /** The clients it has made, the current one last. */
  readonly made: (Redis | Cluster)[];
  readonly server: RedisServer;
  /** A key that this server holds. */
  readonly key: string;
}

async function make(source: ServerSource): Promise<Opened> {
  const events = new EventRecorder<ConnectionEvent>();
  const made: (Redis | Cluster)[] = [];
  const connection = new Connection({
    create: () => {
      const client = openClient(source, { role: "commands", blockMs: 20_000 });
      made.push(client as Redis | Cluster);
      return client;
    },
    ...{ role: "commands", clock: systemClock, random: systemRandom, report: events.observe },
  });
  onTestFinished(() => connection.close());
  const [node] = made[0]?.isCluster ? cluster.servers.primaries : [single.server];
  if (node === undefined) throw new Error("no server");
  return { connection, events, made, server: node, key: await nameOn(node) };
}

async function open(source: ServerSource): Promise<Opened> {
  const opened = await make(source);
  await opened.connection.ready(10_000);
  // A Cluster connects to a node with the first command for it.
  await opened.connection.call("exists", [opened.key]);
  return opened;
}

/** Begins a command that the server does not answer, and waits until it has got there. */
async function callInFlight({ connection, server, key }: Opened): Promise<{ readonly reply: Promise<unknown> }> {
  const reply = connection.call("blpop", [key, 0]);
  reply.catch(() => {});
  await eventually("the server has it", async () => (await server.info("clients"))["blocked_clients"] === "1");
  return { reply };
}

const endings: readonly (readonly [string, (client: Redis | Cluster | undefined) => void])[] = [
  ["is disconnected by somebody else", (client) => client?.disconnect()],
  ["says that it has ended", (client) => void client?.emit("end")],
];

describe.each(sources)("over %s", (_, source) => {
  describe.each(endings)("when the client %s", (__, end) => {
    test("the next commands work, on another connection", async () => {
      const { connection, events, made, key } = await open(source());
      for (let round = 1; round <= 3; round++) {
        end(made.at(-1));
        await events.waitFor("connected", { count: round + 1 });
        await connection.ready(10_000);
        expect(await connection.call("exists", [key])).toBe(0);
        expect(connection.epoch).toBe(round + 1);
        expect(made).toHaveLength(round + 1);
      }
    });

    test("a command in flight has an unknown outcome, and one that comes too early is not sent", async () => {
      const opened = await open(source());
      const { connection, events, made, key } = opened;
      const { reply } = await callInFlight(opened);
      end(made[0]);
      await events.waitFor("disconnected");
      await expect(connection.call("exists", [key])).rejects.toMatchObject({ code: "CONNECTION", outcome: "not-sent" });
      await expect(reply).rejects.toMatchObject({ code: "CONNECTION", outcome: "unknown" });
    });

    test("while it connects, the connection is made all the same", async () => {
      const { connection, made, key } = await make(source());
      const ready = connection.ready(10_000);
      end(made[0]);
      await ready;
      expect(await connection.call("exists", [key])).toBe(0);
    });
  });
});

describe.each([
  ["ioredis 6", (options: object) => new Redis(options)],
  ["ioredis 5", (options: object) => new RedisV5(options)],
] as const)("a reader of %s that has ended", (_, makeOf) => {
  const makeClient = useClients();

  test("reads through a tap again, and is told to end its wait by its new id", async () => {
    const made: { disconnect(): void }[] = [];
    const lent: LentClient = {
      isCluster: false,
      options: single.server.options,
      duplicate(override: object) {
        const client = makeOf({ ...single.server.options, ...override });
        made.push(client);
        return client;
      },
    };
    const { client, events } = await connected(makeClient({ redis: lent, blockMs: 20_000 }));
    const stream = await nameOn(single.server);
    await client.xgroupCreate({ stream, group: "g", position: "start" });
    const own = { stream, group: "g", consumer: "c", count: 10 };
    await client.xreadgroup({ ...own, blockMs: 1 }, new AbortController().signal);
    // The second that was made is the reader's.
    made[1]?.disconnect();
    await events.waitFor(({ type, role }) => type === "connected" && role === "reader", { count: 2 });
    await addEntry(client, { stream, fields: ["n", 1] });
    const [entry] = await client.xreadgroup(own);
    expect(entry).toBeInstanceOf(PackedEntry);
    const controller = new AbortController();
    const waiting = client.xreadgroup({ ...own, blockMs: 20_000 }, controller.signal);
    const blocked = async () => (await single.server.info("clients"))["blocked_clients"];
    await eventually("the read is blocked", async () => (await blocked()) === "1");
    controller.abort();
    expect(await waiting).toEqual([]);
  });
});

describe("a client of ioredis 5 without a ready check", () => {
  test("whose first connection is cut, and which then takes itself for ready, is replaced", async () => {
    await using proxy = await FaultProxy.start(single.server);
    const lent = new RedisV5({ ...proxy.options, lazyConnect: true, enableReadyCheck: false });
    const { connection, key } = await make(lent);
    const cut = proxy.cut("reply", 0);
    const ready = connection.ready(10_000);
    await cut;
    await ready;
    await eventually("commands work", () => connection.call("exists", [key]).then(() => true));
    expect(await connection.call("exists", [key])).toBe(0);
  });
});

describe.each([
  ["ioredis 6", Cluster],
  ["ioredis 5", ClusterV5],
] as const)("a Cluster of %s", (_, ClusterClass) => {
  const lend = () => new ClusterClass(cluster.servers.startupNodes, { lazyConnect: true });

  test("tells its caller at once, and repeats nothing, when only some of the keys have been moved", async () => {
    const { connection, server, key } = await open(lend());
    const [, other] = cluster.servers.primaries;
    if (other === undefined) throw new Error("no other node");
    const [here, there] = [`{${key}}1`, `{${key}}2`];
    await server.command("SET", here, "x");
    const move = await beginSlotMove(key, server, other);
    onTestFinished(async () => {
      await move[Symbol.asyncDispose]();
      await server.command("DEL", here);
    });
    await server.command("CONFIG", "RESETSTAT");
    const calls = Array.from({ length: 20 }, () => connection.call("exists", [here, there]));
    for (const end of await Promise.allSettled(calls)) {
      expect(end).toMatchObject({ status: "rejected", reason: { code: "SERVER_STATE", state: "TRYAGAIN" } });
    }
    expect((await server.info("errorstats"))["errorstat_TRYAGAIN"]).toBe("count=20");
  });

  test("says of a command that it never wrote that it was not sent", async () => {
    const [node] = cluster.servers.primaries;
    if (node === undefined) throw new Error("no node");
    await using proxy = await FaultProxy.start(node);
    const natMap = { [`${node.host}:${node.port}`]: { host: proxy.address.host, port: proxy.address.port } };
    const { connection, key } = await open(
      new ClusterClass(cluster.servers.startupNodes.slice(1), { lazyConnect: true, natMap }),
    );
    proxy.set({ refuse: true });
    const last = connection.call("blpop", [key, 0]);
    last.catch(() => {});
    proxy.reset();
    await expect(last).rejects.toMatchObject({ outcome: "unknown" });
    const calls = Array.from({ length: 50 }, () => connection.call("rpush", [key, "x"]));
    for (const end of await Promise.allSettled(calls)) {
      expect(end).toMatchObject({ status: "rejected", reason: { code: "CONNECTION", outcome: "not-sent" } });
    }
    expect(await node.command("LLEN", key)).toBe(0);
  });
});
