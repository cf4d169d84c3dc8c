/** If the server is of another kind than the `redis` option says, the error comes at once and names the right form. */
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import {
  CommandProxy,
  type RedisServer,
  startCluster,
  startSentinel,
  useServer,
  useServers,
} from "@redis-batch/test-support";
import { Cluster, Redis } from "ioredis";
import { Redis as RedisV5 } from "ioredis-v5";
import { describe, expect, onTestFinished, test } from "vitest";
import type { RedisSource } from "../src/redis/open-client.ts";
import { useClients } from "./use-clients.ts";

const makeClient = useClients();
const redis = useServer();
const cluster = useServers((source) => startCluster({ source, primaries: 2 }));
const sentinel = useServers((source) => startSentinel({ source, replicas: 0 }));

const node = () => cluster.servers.nodes[0]?.address as { readonly host: string; readonly port: number };
const watcher = () => sentinel.servers.sentinels[0]?.address as { readonly host: string; readonly port: number };
const single = () => redis.server.address;
const at = ({ host, port }: { readonly host: string; readonly port: number }) => `${host}:${port}`;

/** A connection that would be tried for a minute. */
async function connectError(source: RedisSource): Promise<string> {
  const { client } = makeClient({ redis: source });
  const error: unknown = await client.connect(["commands", "reader"], { timeoutMs: 60_000 }).then(
    () => "connected",
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({ code: "CONFIG", retryable: false });
  return String(error);
}

describe("a node of a Cluster", () => {
  test.each<readonly [string, () => RedisSource]>([
    ["a URL", () => `redis://${at(node())}`],
    ["a URL with a database", () => `redis://${at(node())}/3`],
    ["options", () => node()],
    ["a lent client of ioredis 6", () => new Redis({ ...node(), lazyConnect: true })],
    ["a lent client of ioredis 5", () => new RedisV5({ ...node(), lazyConnect: true })],
  ])("at %s", async (_, source) => {
    expect(await connectError(source())).toContain(
      `${at(node())} is a node of a Redis Cluster, and was taken for a single server: connect with redis+cluster://${at(node())}`,
    );
  });

  test("at the URL of Sentinels", async () => {
    expect(await connectError(`redis+sentinel://${at(node())}/primary`)).toContain(
      `is a node of a Redis Cluster, and was taken for a Sentinel: connect with redis+cluster://${at(node())}`,
    );
  });

  test("that does not tell its kind is known by its redirections", async () => {
    const [first] = cluster.servers.nodes;
    await using proxy = await CommandProxy.start(first as RedisServer, ([name, ...args]) => [
      name === "hello" ? "no-such" : name,
      ...args,
    ]);
    const { client } = makeClient({ redis: proxy.url });
    await client.connect(["commands"], { timeoutMs: 10_000 });
    const ends = await Promise.all(
      ["a", "b", "c", "d", "e"].map((stream) => client.xlen({ stream }).catch((error: unknown) => String(error))),
    );
    expect(ends.join()).toContain("is a node of a Redis Cluster");
  });
});

describe("a Sentinel", () => {
  test("at a URL", async () => {
    expect(await connectError(`redis://${at(watcher())}`)).toContain(
      `${at(watcher())} is a Sentinel, and was taken for a single server: connect with redis+sentinel://${at(watcher())}/primary`,
    );
  });

  test("at the URL of a Cluster", async () => {
    expect(await connectError(`redis+cluster://${at(watcher())}`)).toContain(
      `is a Sentinel, and was taken for a node of a Cluster: connect with redis+sentinel://${at(watcher())}/primary`,
    );
  });

  test("that does not know the master", async () => {
    expect(await connectError(`redis+sentinel://${at(watcher())}/mymaster`)).toContain(
      `the Sentinel ${at(watcher())} knows no master named "mymaster"; it knows: primary`,
    );
  });

  test("reaches the master by its URL", async () => {
    const { client } = makeClient({ redis: `redis+sentinel://127.0.0.1:1,${at(watcher())}/primary` });
    await client.connect(["commands"], { timeoutMs: 10_000 });
    expect(await client.time()).toBeGreaterThan(0);
  });
});

describe("a single server", () => {
  test.each<readonly [string, () => RedisSource]>([
    ["a URL", () => `redis+cluster://${at(single())}`],
    ["a lent Cluster", () => new Cluster([single()], { lazyConnect: true })],
  ])("at %s of a Cluster", async (_, source) => {
    expect(await connectError(source())).toContain(
      `${at(single())} is not part of a Cluster, but a single Redis server: connect with redis://${at(single())}`,
    );
  });

  test("at the URL of Sentinels", async () => {
    expect(await connectError(`redis+sentinel://${at(single())}/primary`)).toContain(
      `${at(single())} is no Sentinel, but a single Redis server: connect with redis://${at(single())}`,
    );
  });
});

test("a Cluster is reached by a URL of several hosts, of which one answers", async () => {
  const { client } = makeClient({ redis: `redis+cluster://127.0.0.1:1,${at(node())}` });
  await client.connect(["commands", "reader"], { timeoutMs: 10_000 });
  expect(await Promise.all(["a", "b", "c", "d"].map((stream) => client.xlen({ stream })))).toEqual([0, 0, 0, 0]);
});

test("a host that is down may be the right one, so it is tried again", async () => {
  const { client, events } = makeClient({ redis: `redis+cluster://127.0.0.1:1,${at(single())}` });
  const connecting = client.connect(["commands"], { timeoutMs: 60_000 }).catch((error: unknown) => String(error));
  const { reason } = await events.waitFor("connectFailed");
  expect(reason).toMatch(
    /^no node of the cluster can be reached: .*ECONNREFUSED 127\.0\.0\.1:1.*; .* is not part of a Cluster/,
  );
  await client.close();
  expect(await connecting).toContain("it was closed");
});

test("what answers is no Redis server at all", async () => {
  const web = createServer((socket) => {
    // The other side resets the connection when it has seen enough.
    socket.on("error", () => socket.destroy());
    socket.once("data", () => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
  });
  await once(web.listen(0, "127.0.0.1"), "listening");
  onTestFinished(() => void web.close());
  const { port } = web.address() as AddressInfo;
  const { client, events } = makeClient({ redis: `redis://127.0.0.1:${port}` });
  const connecting = client.connect(["commands"], { timeoutMs: 60_000 }).catch(() => "given up");
  const { reason } = await events.waitFor("connectFailed");
  expect(reason).toBe(`what answers at 127.0.0.1:${port} is no Redis server`);
  await client.close();
  await connecting;
});
