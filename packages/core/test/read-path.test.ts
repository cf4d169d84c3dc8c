import { addEntry, FaultProxy, type RedisServer, runWorker, uniqueName, useServer } from "@redis-batch/test-support";
import { Redis } from "ioredis";
import { Redis as RedisV5 } from "ioredis-v5";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { EntryTap } from "../src/redis/ioredis-internals/entry-tap.ts";
import type { RedisSource } from "../src/redis/open-client.ts";
import { PackedEntry } from "../src/wire/packed-entry.ts";
import { connected, type RecordedClient, useClients } from "./use-clients.ts";

const redis = useServer({ own: true });
const tlsRedis = useServer({ tls: "server" });
const makeClient = useClients();
const own = { group: "g", consumer: "c", count: 1_000 };
const everyByte = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));

async function openWithGroup(source: RedisSource): Promise<RecordedClient & { readonly stream: string }> {
  const stream = uniqueName("stream");
  const recorded = await connected(makeClient({ redis: source, decoder: "own" }));
  await recorded.client.xgroupCreate({ stream, group: own.group, position: "start" });
  return { ...recorded, stream };
}

async function readIsOurs({ client, stream }: Awaited<ReturnType<typeof openWithGroup>>): Promise<boolean> {
  await addEntry(client, { stream, fields: ["n", 1] });
  const [entry] = await client.xreadgroup({ stream, ...own });
  return entry instanceof PackedEntry;
}

describe("entries are decoded by this package", () => {
  test("over ioredis 6", async () => {
    expect(await readIsOurs(await openWithGroup(redis.server.url))).toBe(true);
  });

  test("over a lent client of ioredis 5", async () => {
    expect(await readIsOurs(await openWithGroup(new RedisV5({ ...redis.server.options, lazyConnect: true })))).toBe(
      true,
    );
  });

  test("over TLS", async () => {
    expect(await readIsOurs(await openWithGroup({ ...tlsRedis.server.options }))).toBe(true);
  });

  test("after a reconnect", async () => {
    await using proxy = await FaultProxy.start(redis.server);
    const opened = await openWithGroup(proxy.url);
    proxy.reset();
    await opened.events.waitFor(({ type }) => type === "connected", { count: 4 });
    expect(await readIsOurs(opened)).toBe(true);
  });
});

test("a socket that another listens to is left to ioredis", async () => {
  const client = new Redis({ ...redis.server.options, lazyConnect: true, protocol: 2 });
  client.on("connect", () => client.stream.on("data", () => {}));
  const tap = new EntryTap(client);
  const stream = uniqueName("stream");
  await client.xgroup("CREATE", stream, own.group, "0", "MKSTREAM");
  await client.xadd(stream, "*", "n", "1");
  const reply = await client.xreadgroup("GROUP", own.group, own.consumer, "STREAMS", stream, ">");
  expect(tap.redeem(reply)).toBeUndefined();
  expect(reply).toEqual([[stream, [[expect.any(String), ["n", "1"]]]]]);
  client.disconnect();
});

describe.each<[string, (server: RedisServer, proxy: FaultProxy) => RedisSource]>([
  ["ioredis 6", (_, proxy) => proxy.url],
  ["ioredis 5", (_, proxy) => new RedisV5({ ...proxy.options, lazyConnect: true })],
])("over %s", (_, source) => {
  let proxy: FaultProxy;
  beforeEach(async () => {
    proxy = await FaultProxy.start(redis.server);
  });
  afterEach(async () => {
    await proxy.stop();
  });

  test.each([1, 2, 3, 7, 64, 1_000])(
    "replies that arrive in pieces of %i bytes are the same entries",
    async (sliceBytes) => {
      const { client, stream } = await openWithGroup(source(redis.server, proxy));
      const rows = [
        [everyByte, everyByte],
        ["", ""],
        ["a", "1", "a", "2"],
        ["\r\n$3\r\n", "*1\r\n"],
        ["v", "x".repeat(500)],
      ];
      await client.xaddMany(rows.map((fields) => ({ stream, fields })));
      proxy.set({ sliceBytes });
      const entries = await client.xreadgroup({ stream, ...own });
      const expected = await client.xrange({ stream, from: "-", to: "+", count: 10 });
      expect(entries.map(({ id, fields }) => ({ id, fields }))).toEqual(expected);
    },
  );

  test("a value of 48 MiB comes whole, between small ones", async () => {
    const { client, stream } = await openWithGroup(source(redis.server, proxy));
    const value = Buffer.alloc(48 * 2 ** 20, everyByte);
    for (const fields of [
      ["n", 1],
      ["v", value, "w", value.subarray(0, 70_000)],
      ["n", 3],
    ])
      await addEntry(client, { stream, fields });
    const [first, second, third] = await client.xreadgroup({ stream, ...own });
    expect(second?.fields[1]?.equals(value)).toBe(true);
    expect(second?.fields[3]?.equals(value.subarray(0, 70_000))).toBe(true);
    expect([first, third].map((entry) => String(entry?.fields[1]))).toEqual(["1", "3"]);
  });

  // Within the first header, the key, an id, a field's length, a value, and its end.
  test.each([0, 1, 6, 20, 70, 90, 1_000, 2_000])(
    "a reply cut after %i bytes brings nothing, and the next one is read whole",
    async (bytes) => {
      const { client, stream } = await openWithGroup(source(redis.server, proxy));
      await client.xaddMany(Array.from({ length: 50 }, (__, n) => ({ stream, fields: ["n", n] })));
      const read = client.xreadgroup({ stream, ...own });
      const cut = proxy.cut("reply", bytes);
      await expect(read).rejects.toMatchObject({ code: "CONNECTION", outcome: "unknown" });
      await cut;
      await client.connect(["commands", "reader"], { timeoutMs: 10_000 });
      const id = await addEntry(client, { stream, fields: ["n", "next"] });
      const entries = await client.xreadgroup({ stream, ...own });
      expect(entries.map((entry) => [entry.id, String(entry.fields[1])])).toEqual([[id, "next"]]);
    },
  );

  test("refusals, empty reads and entries take turns", async () => {
    const { client, stream } = await openWithGroup(source(redis.server, proxy));
    for (let round = 0; round < 3; round++) {
      await expect(client.xreadgroup({ stream, ...own, group: "none" })).rejects.toMatchObject({ code: "NO_GROUP" });
      expect(await client.xreadgroup({ stream, ...own })).toEqual([]);
      const id = await addEntry(client, { stream, fields: ["n", round] });
      const reads = await Promise.all([
        client.xreadgroup({ stream, ...own }),
        client.xreadgroup({ stream, ...own, group: "none" }).catch((error: unknown) => String(error)),
        client.xreadgroup({ stream, ...own }),
      ]);
      expect(reads).toEqual([[expect.objectContaining({ id })], expect.stringContaining("NOGROUP"), []]);
    }
  });
});

test("what is kept of a message keeps nothing large beside it", async () => {
  await using worker = await runWorker(new URL("read-path.worker.ts", import.meta.url));
  const line = await worker.waitForLine((text) => text.startsWith("{"), { timeoutMs: 30_000 });
  const { replies, replyBytes, kept } = JSON.parse(line) as {
    readonly replies: number;
    readonly replyBytes: number;
    readonly kept: Readonly<Record<"ids" | "texts" | "buffers" | "entries", number>>;
  };
  const mebibyte = 2 ** 20;
  // One of each reply is kept: if that kept the reply, it would be all of this.
  expect(replies * replyBytes).toBeGreaterThan(80 * mebibyte);
  expect(kept.ids).toBeLessThan(mebibyte);
  expect(kept.texts).toBeLessThan(mebibyte);
  expect(kept.buffers).toBeLessThan(2 * mebibyte);
  // An entry may keep the chunk that it came in.
  expect(kept.entries).toBeLessThan(replies * 65_536 + mebibyte);
});
