/**
 * A primary is killed, and its clients continue with its successor: with ioredis' failover detector a
 * `+switch-master` that comes while a Sentinel is being asked ends the client for good.
 *
 * `REDIS_BATCH_FAILOVERS=50` kills that many primaries, one after another, at each of three delays of the Sentinels'
 * answers (some minutes); without it there is one.
 */
import { once } from "node:events";
import {
  eventually,
  FaultProxy,
  type RedisServer,
  recordUnhandled,
  type SentinelTopology,
  startSentinel,
  uniqueName,
  useServers,
} from "@redis-batch/test-support";
import { Redis } from "ioredis";
import { Redis as RedisV5 } from "ioredis-v5";
import { afterEach, describe, expect, onTestFinished, test } from "vitest";
import { Producer } from "../src/producer/producer.ts";
import type { RedisSource } from "../src/redis/open-client.ts";
import { createRedisStreamClient } from "../src/redis/redis-stream-client.ts";
import type { StreamClient } from "../src/stream-client.ts";

const FAILOVERS = Number(process.env["REDIS_BATCH_FAILOVERS"] ?? 0);
const RESUME_LIMIT_MS = 60_000;

interface SentinelAddresses {
  readonly name: string;
  readonly sentinels: { host: string; port: number }[];
  readonly updateSentinels: false;
}

const sources: readonly (readonly [string, (addresses: SentinelAddresses) => RedisSource])[] = [
  ["options", (addresses) => addresses],
  ["a lent client of ioredis 6", (addresses) => new Redis({ ...addresses, lazyConnect: true })],
  ["a lent client of ioredis 5", (addresses) => new RedisV5({ ...addresses, lazyConnect: true })],
];

/** A producer and a reader of one stream. */
class Flow implements AsyncDisposable {
  readonly #producer: Producer;
  readonly #client: StreamClient;
  readonly #own = { stream: uniqueName("stream"), group: "g", consumer: "c", count: 100 };
  #added = 0;

  constructor(redis: RedisSource) {
    this.#producer = new Producer({ redis, stream: this.#own.stream });
    this.#client = createRedisStreamClient({ redis, blockMs: 1_000 });
  }

  async connect(): Promise<void> {
    await this.#producer.connect();
    await this.#client.connect(["commands", "reader"], { timeoutMs: 10_000 });
  }

  /** Adds a message and reads it; rejects when either fails. */
  async pass(): Promise<boolean> {
    this.#added++;
    const id = await this.#producer.add({ n: this.#added });
    // What the successor had not received is not there any more: the group, perhaps.
    await this.#client.xgroupCreate({ ...this.#own, position: "start" });
    const entries = await this.#client.xreadgroup({ ...this.#own, blockMs: 1_000 });
    return entries.some((entry) => entry.id === id);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#producer.close(), this.#client.close()]);
  }
}

async function primaryOf(topology: SentinelTopology): Promise<RedisServer> {
  const address = await topology.sentinels[0]?.command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", topology.name);
  const [, port] = address as [string, string];
  const servers = [topology.primary, ...topology.replicas];
  const primary = servers.find((server) => server.port === Number(port));
  if (primary === undefined) throw new Error("the Sentinel names a server that is none of ours");
  return primary;
}

/** How many connections listen for `+switch-master`. */
async function listeners({ sentinels: [sentinel] }: SentinelTopology): Promise<number> {
  const list = String(await sentinel?.command("CLIENT", "LIST", "TYPE", "pubsub"));
  return [...list.matchAll(/ sub=1 /g)].length;
}

/** Has the Sentinel take one of the other servers for the primary. */
async function kill(topology: SentinelTopology): Promise<RedisServer> {
  const killed = await primaryOf(topology);
  await killed.kill();
  await eventually("there is a successor", async () => (await primaryOf(topology)) !== killed, { timeoutMs: 60_000 });
  return killed;
}

/** Brings a killed server back, as a replica that could be the next primary. */
async function bringBack(topology: SentinelTopology, server: RedisServer): Promise<void> {
  const { host, port } = await primaryOf(topology);
  await server.restart();
  await server.command("REPLICAOF", host, port);
  const follows = async () => (await server.info("replication"))["master_link_status"] === "up";
  await eventually("it follows its successor", follows, { timeoutMs: 30_000 });
  const isFit = async (): Promise<boolean> => {
    const replicas = await topology.sentinels[0]?.command("SENTINEL", "REPLICAS", topology.name);
    const told = (replicas as string[][]).map((fields) => fields.join(" "));
    return told.every((fields) => / flags slave /.test(fields) && / master-link-status ok /.test(fields));
  };
  await eventually("the Sentinel knows that it does", isFit, { timeoutMs: 60_000 });
}

const proxies: FaultProxy[] = [];
const flows: Flow[] = [];

afterEach(async () => {
  await Promise.all(flows.splice(0).map((flow) => flow[Symbol.asyncDispose]()));
  await Promise.all(proxies.splice(0).map((proxy) => proxy.stop()));
});

/** One more way to a Sentinel. */
async function wayTo(topology: SentinelTopology): Promise<FaultProxy> {
  const [sentinel] = topology.sentinels;
  if (sentinel === undefined) throw new Error("no Sentinel");
  const proxy = await FaultProxy.start(sentinel);
  proxies.push(proxy);
  return proxy;
}

function addressesBy(ways: readonly FaultProxy[], { name }: SentinelTopology): SentinelAddresses {
  const sentinels = ways.map(({ address: { host, port } }) => ({ host, port }));
  return { name, sentinels, updateSentinels: false };
}

/** Flows over each of the sources, once they work and listen for a failover at as many Sentinels as they know. */
async function begin(topology: SentinelTopology, ways: readonly FaultProxy[]): Promise<(readonly [string, Flow])[]> {
  const made = sources.map(([name, source]) => [name, new Flow(source(addressesBy(ways, topology)))] as const);
  flows.push(...made.map(([, flow]) => flow));
  await Promise.all(made.map(([, flow]) => flow.connect()));
  await resumed(made);
  const connections = 3 * made.length;
  const listen = async () => (await listeners(topology)) === connections * ways.length;
  await eventually("all listen for a failover", listen, { timeoutMs: RESUME_LIMIT_MS });
  return made;
}

async function resumed(made: readonly (readonly [string, Flow])[]): Promise<void> {
  const limit = { timeoutMs: RESUME_LIMIT_MS };
  await Promise.all(
    made.map(([name, flow]) => eventually(`what is added over ${name} is read`, () => flow.pass(), limit)),
  );
}

const start = (downAfterMs: number) => useServers((source) => startSentinel({ source, downAfterMs }));

describe("a primary that is killed", () => {
  const sentinel = start(500);

  test("is followed by its successor although a Sentinel is being asked when another reports it", async () => {
    const topology = sentinel.servers;
    const [asked, other] = [await wayTo(topology), await wayTo(topology)];
    const made = await begin(topology, [asked, other]);
    const listener = new Redis({ ...other.options });
    onTestFinished(() => listener.disconnect());
    await listener.subscribe("+switch-master");
    const told = once(listener, "message");
    // The first is asked, from the loss of the connection until after the other has reported the successor.
    asked.set({ blackhole: true });
    const killed = await kill(topology);
    await told;
    asked.heal();
    await expect(resumed(made)).resolves.toBeUndefined();
    await bringBack(topology, killed);
  });

  test("is followed by its successor when answers are 20 ms late", async () => {
    const topology = sentinel.servers;
    const way = await wayTo(topology);
    way.set({ latencyMs: 10 });
    const made = await begin(topology, [way]);
    const killed = await kill(topology);
    await expect(resumed(made)).resolves.toBeUndefined();
    await bringBack(topology, killed);
  });

  test("is followed by way of another Sentinel when the first one is frozen", async () => {
    const topology = sentinel.servers;
    const [frozen, other] = [await wayTo(topology), await wayTo(topology)];
    const made = await begin(topology, [frozen, other]);
    frozen.set({ blackhole: true });
    const killed = await kill(topology);
    await expect(resumed(made)).resolves.toBeUndefined();
    await bringBack(topology, killed);
  });
});

describe.each([
  ["ioredis 6", (options: object) => new Redis({ ...options, lazyConnect: true })],
  ["ioredis 5", (options: object) => new RedisV5({ ...options, lazyConnect: true })],
] as const)("a Sentinel that %s listens to", (_, lendBy) => {
  const sentinel = start(500);

  // ioredis subscribes again by itself when it has reconnected, and never looks at how that ends.
  test("may refuse that, and go", async () => {
    const topology = sentinel.servers;
    const way = await wayTo(topology);
    const unhandled = recordUnhandled();
    let losses = 0;
    const redis = lendBy({
      ...addressesBy([way], topology),
      sentinelReconnectStrategy: () => (++losses === 1 ? 0 : null),
    });
    const client = createRedisStreamClient({ redis, blockMs: 1_000 });
    onTestFinished(() => client.close());
    await client.connect(["commands"], { timeoutMs: 10_000 });
    await eventually("it listens", async () => (await listeners(topology)) === 1);
    const [server] = topology.sentinels;
    await server?.command("ACL", "SETUSER", "default", "-subscribe");
    way.reset();
    await eventually("it is refused", async () => String(await server?.command("ACL", "LOG")).includes("subscribe"));
    way.reset();
    await eventually("it is lost again", () => losses === 2);
    expect(await unhandled()).toEqual([]);
  });
});

describe.runIf(FAILOVERS > 0).each([0, 20, 300])("answers of the Sentinel are %i ms late", (delayMs) => {
  const sentinel = start(300);

  test(`${FAILOVERS} primaries are killed`, { timeout: FAILOVERS * 60_000 }, async () => {
    const topology = sentinel.servers;
    const ways = await Promise.all([wayTo(topology), wayTo(topology), wayTo(topology)]);
    for (const way of ways) way.set({ latencyMs: delayMs / 2 });
    const made = await begin(topology, ways);
    const outagesMs: number[] = [];
    while (outagesMs.length < FAILOVERS) {
      const killedAtMs = performance.now();
      const killed = await kill(topology);
      await resumed(made);
      outagesMs.push(Math.round(performance.now() - killedAtMs));
      await bringBack(topology, killed);
      await resumed(made);
    }
    const [median, longest] = [outagesMs.toSorted((a, b) => a - b)[FAILOVERS >> 1], Math.max(...outagesMs)];
    console.info(`${FAILOVERS} of ${FAILOVERS}; outage of all flows: median ${median} ms, longest ${longest} ms`);
    expect(outagesMs).toHaveLength(FAILOVERS);
  });
});
