/** Acknowledgements go over the connection that reads, in one write with the next read, but never behind one that waits. */
import { addEntry, eventually, FaultProxy, fairNowMs, uniqueName, useServer } from "@redis-batch/test-support";
import { Redis } from "ioredis";
import { Redis as RedisV5 } from "ioredis-v5";
import { describe, expect, test } from "vitest";
import type { RedisSource } from "../src/redis/open-client.ts";
import { connected, useClients } from "./use-clients.ts";

const redis = useServer();
const makeClient = useClients();
const group = "g";
const own = { group, consumer: "c" };

async function open(source: RedisSource, messages: number) {
  const stream = uniqueName("stream");
  const { client } = await connected(makeClient({ redis: source, blockMs: 60_000 }));
  await client.xgroupCreate({ stream, group, position: "start" });
  const ids: string[] = [];
  for (let n = 0; n < messages; n++) ids.push(await addEntry(client, { stream, fields: ["n", n] }));
  return { client, stream, ids };
}

/** The commands for a stream as the server gets them, and over which connection. */
async function monitor(stream: string) {
  const client = await new Redis({ ...redis.server.options, protocol: 2, lazyConnect: true }).monitor();
  const seen: { readonly command: string; readonly from: string }[] = [];
  client.on("monitor", (_time: string, [command = "", ...args]: readonly string[], from: string) => {
    if (args.includes(stream)) seen.push({ command: command.toLowerCase(), from });
  });
  return {
    seen,
    from: (command: string) => seen.filter((one) => one.command === command).map(({ from }) => from),
    [Symbol.dispose]: () => client.disconnect(),
  };
}

const SOURCES: readonly [string, () => RedisSource][] = [
  ["ioredis 6", () => redis.server.url],
  ["ioredis 5", () => new RedisV5({ ...redis.server.options, lazyConnect: true })],
];

describe.each(SOURCES)("over %s", (_, source) => {
  test("they share the connection of reads that do not wait", async () => {
    const { client, stream, ids } = await open(source(), 2);
    using commands = await monitor(stream);
    await client.xreadgroup({ stream, ...own, count: 1 });
    const [acknowledged, entries] = await Promise.all([
      client.xack({ stream, group, ids: ids.slice(0, 1) }),
      client.xreadgroup({ stream, ...own, count: 1 }),
    ]);
    expect(acknowledged).toBe(1);
    expect(entries.map(({ id }) => id)).toEqual(ids.slice(1));
    await eventually("the server has told", async () => commands.seen.length === 3);
    expect(commands.seen.map(({ command }) => command)).toEqual(["xreadgroup", "xack", "xreadgroup"]);
    expect(new Set(commands.seen.map(({ from }) => from)).size).toBe(1);
  });

  test("they are not held up by a read that waits at the server", async () => {
    const { client, stream, ids } = await open(source(), 1);
    await client.xreadgroup({ stream, ...own, count: 1 });
    const stopped = new AbortController();
    // From then on the client knows how to end a wait, so that the next read waits at once.
    const waiting = client.xreadgroup({ stream, ...own, count: 1, blockMs: 60_000 }, stopped.signal);
    await eventually("it waits", async () =>
      /cmd=xreadgroup/.test(String(await redis.server.command("CLIENT", "LIST"))),
    );
    const startedMs = fairNowMs();
    expect(await client.xack({ stream, group, ids })).toBe(1);
    expect(fairNowMs() - startedMs).toBeLessThan(5_000);
    stopped.abort();
    expect(await waiting).toEqual([]);
  });

  test("more than a command takes are all acknowledged, and counted", async () => {
    const { client, stream, ids } = await open(source(), 1);
    await client.xreadgroup({ stream, ...own, count: 1 });
    const many = [...Array.from({ length: 2_500 }, (__, n) => `1-${n}`), ...ids];
    expect(await client.xack({ stream, group, ids: many })).toBe(1);
  });
});

test("one whose reply is lost with the connection has an unknown outcome, and the next one goes over the other connection", async () => {
  await using proxy = await FaultProxy.start(redis.server);
  const { client, stream, ids } = await open(proxy.url, 2);
  await client.xreadgroup({ stream, ...own, count: 2 });
  const acknowledging = client.xack({ stream, group, ids: ids.slice(0, 1) });
  const cut = proxy.cut("reply", 0);
  await expect(acknowledging).rejects.toMatchObject({ code: "CONNECTION", outcome: "unknown" });
  await cut;
  await client.connect(["commands"], { timeoutMs: 10_000 });
  expect(await client.xack({ stream, group, ids })).toBeGreaterThanOrEqual(1);
});
