/** A connection that is refused is told at once, and why; and not after a timeout. */
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { FaultProxy, useServer } from "@redis-batch/test-support";
import { Cluster, Redis } from "ioredis";
import { Cluster as ClusterV5, Redis as RedisV5 } from "ioredis-v5";
import { expect, onTestFinished, test, vi } from "vitest";
import { DeadLetters } from "../src/dead-letters/dead-letters.ts";
import { Producer } from "../src/producer/producer.ts";
import type { RedisSource } from "../src/redis/open-client.ts";
import { useClients } from "./use-clients.ts";

const redis = useServer();
const makeClient = useClients();
const CLOSED = "the server, or a proxy in front of it, closed the connection before it could be used";

/** A port on which nobody listens. */
async function deafPort(): Promise<number> {
  const proxy = await FaultProxy.start(redis.server);
  const { port } = new URL(proxy.url);
  await proxy.stop();
  return Number(port);
}

// Of a node, or a Sentinel, that refuses a connection, ioredis only tells that it is closed.
test.each<readonly [string, (port: number) => RedisSource, string]>([
  ["a URL", (port) => `redis://127.0.0.1:${port}`, "ECONNREFUSED"],
  ["a name with several addresses", (port) => `redis://localhost:${port}`, "ECONNREFUSED"],
  ["options", (port) => ({ port }), "ECONNREFUSED"],
  ["a lent client of ioredis 6", (port) => new Redis({ port, lazyConnect: true }), "ECONNREFUSED"],
  ["a lent client of ioredis 5", (port) => new RedisV5({ port, lazyConnect: true }), "ECONNREFUSED"],
  [
    "a lent Cluster of ioredis 6",
    (port) => new Cluster([{ host: "127.0.0.1", port }], { lazyConnect: true }),
    "no node of the cluster can be reached",
  ],
  [
    "a lent Cluster of ioredis 5",
    (port) => new ClusterV5([{ host: "127.0.0.1", port }], { lazyConnect: true }),
    "no node of the cluster",
  ],
  [
    "Sentinels",
    (port) => ({ sentinels: [{ host: "127.0.0.1", port }], name: "primary" }),
    "All sentinels are unreachable",
  ],
])("is told long before the time to connect is over, over %s", async (_source, sourceOf, words) => {
  const { client, events } = makeClient({ redis: sourceOf(await deafPort()) });
  const connecting = client.connect(["commands"], { timeoutMs: 60_000 }).then(
    () => "connected",
    () => "given up",
  );
  expect(await events.waitFor("connectFailed")).toMatchObject({
    ...{ role: "commands", reason: expect.stringContaining(words) as string },
  });
  expect(events.all("connectFailed")).toHaveLength(1);
  await client.close();
  expect(await connecting).toBe("given up");
});

test("is told when a connection is let in, and closed before it can be used", async () => {
  const proxy = createServer((socket) => socket.once("data", () => socket.end()));
  await once(proxy.listen(0, "127.0.0.1"), "listening");
  onTestFinished(() => void proxy.close());
  const { client, events } = makeClient({ redis: `redis://127.0.0.1:${(proxy.address() as AddressInfo).port}` });
  const connecting = client.connect(["commands"], { timeoutMs: 60_000 }).catch((error: unknown) => String(error));
  expect(await events.waitFor("connectFailed")).toMatchObject({ reason: CLOSED });
  await client.close();
  await connecting;
  expect(events.all("connectFailed")).toHaveLength(1);
});

test("is told once, however often it is tried, until there is a connection", async () => {
  const proxy = await FaultProxy.start(redis.server);
  const { client, events } = makeClient({ redis: proxy.url });
  await client.connect(["commands"], { timeoutMs: 10_000 });
  expect(events.all("connectFailed")).toEqual([]);
  await proxy.stop();
  await events.waitFor("disconnected");
  await events.waitFor("connectFailed");
  await expect(client.connect(["commands"], { timeoutMs: 500 })).rejects.toMatchObject({ code: "CONNECTION" });
  expect(events.all("connectFailed")).toHaveLength(1);
});

test("is a process warning of a producer, and of dead letters, without an observer", async () => {
  const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  const source = `redis://user:hunter2@127.0.0.1:${await deafPort()}`;
  await using producer = new Producer({ redis: source, stream: "orders", closeTimeoutMs: 0 });
  await using letters = new DeadLetters({ redis: source, stream: "orders", group: "billing" });
  const ends = [producer.add({ n: 1 }), letters.count()].map((call) => call.catch(() => "given up"));
  await vi.waitFor(() => expect(warn).toHaveBeenCalledTimes(2), { timeout: 20_000 });
  const said = warn.mock.calls.map(([text]) => String(text)).toSorted();
  expect(said).toEqual([
    expect.stringMatching(/^dead letters of "orders", group "billing": cannot connect.*ECONNREFUSED/),
    expect.stringMatching(/^producer of "orders": cannot connect.*ECONNREFUSED/),
  ]);
  expect(said.join("")).not.toContain("hunter2");
  warn.mockRestore();
  await Promise.all([producer.close(), letters.close()]);
  expect(await Promise.all(ends)).toEqual(["given up", "given up"]);
});
