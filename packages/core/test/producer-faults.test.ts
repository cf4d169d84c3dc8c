import { setImmediate as nextTurn } from "node:timers/promises";
import { inspect } from "node:util";
import { EventRecorder, eventually, FaultProxy, RedisServer, uniqueName, useServer } from "@redis-batch/test-support";
import { describe, expect, onTestFinished, test } from "vitest";
import { fieldsCodec, jsonCodec, Producer, type ProducerEvent, type ProducerOptions } from "../src/index.ts";

const redis = useServer({ own: true, persistence: "aof" });

/** A producer behind a proxy, on a stream of its own. */
async function setUp(options: Partial<ProducerOptions> = {}) {
  const proxy = await FaultProxy.start(redis.server);
  const events = new EventRecorder<ProducerEvent>();
  const stream = uniqueName("orders");
  const producer = new Producer({
    ...{ redis: proxy.url, stream, observer: events.observe, closeTimeoutMs: 0 },
    ...options,
  });
  onTestFinished(async () => {
    await producer.close();
    await proxy.stop();
  });
  const length = async () => Number(await redis.server.command("XLEN", stream));
  const values = async () => {
    const entries = (await redis.server.command("XRANGE", stream, "-", "+")) as [string, string[]][];
    return entries.map(([, fields]) => fields[1]);
  };
  return { proxy, producer, events, stream, length, values };
}

/** How promises ended: the id, or the error's outcome. */
async function ends(promises: readonly Promise<string>[]): Promise<unknown[]> {
  const settled = await Promise.allSettled(promises);
  return settled.map((end) => (end.status === "fulfilled" ? end.value : (end.reason as { outcome: unknown }).outcome));
}

const isConnected = (event: ProducerEvent): boolean => event.type === "connected";

describe("a reply that is lost after the server executed the add", () => {
  test("makes the outcome unknown; nothing is sent again, and the error says how to do better", async () => {
    const { proxy, producer, events, length } = await setUp();
    await producer.connect();
    const cut = proxy.cut("reply", 0);
    const error: unknown = await producer.add({ n: 1 }).catch((caught: unknown) => caught);
    await cut;
    expect(error).toMatchObject({ code: "CONNECTION", outcome: "unknown" });
    expect(String(error)).toContain("an add with an idempotencyKey can be repeated safely");
    await events.waitFor(isConnected, { count: 2 });
    await producer.add({ n: 2 });
    expect(await length()).toBe(2);
  });

  test("is made up for when there is an idempotency key: one entry, and its id", async () => {
    const { proxy, producer, events, stream, length } = await setUp();
    await producer.connect();
    const cut = proxy.cut("reply", 0);
    const id = await producer.add({ n: 1 }, { idempotencyKey: "k" });
    await cut;
    expect(await length()).toBe(1);
    expect(await redis.server.command("XRANGE", stream, "-", "+")).toEqual([[id, ["n", "1"]]]);
    expect(events.all("retrying")).toMatchObject([{ attempt: 1, code: "CONNECTION" }]);
    expect(events.all("duplicate")).toMatchObject([{ id, attempt: 2 }]);
  });

  test("of many adds at once leaves each of them in doubt, and adds none twice", async () => {
    const { proxy, producer, events, values } = await setUp();
    await producer.connect();
    const cut = proxy.cut("reply", 0);
    const first = await ends(Array.from({ length: 100 }, (_, n) => producer.add({ n })));
    await cut;
    expect(first).toEqual(Array.from({ length: 100 }, () => "unknown"));
    await events.waitFor(isConnected, { count: 2 });
    await producer.add({ n: "last" });
    const there = await values();
    expect(new Set(there).size).toBe(there.length);
    expect(there.at(-1)).toBe("last");
  });
});

test("a request that is cut in the middle is in doubt, and was not executed", async () => {
  const { proxy, producer, events, length } = await setUp();
  await producer.connect();
  const cut = proxy.cut("request", 10);
  expect(await ends([producer.add({ n: 1 })])).toEqual(["unknown"]);
  await cut;
  await events.waitFor(isConnected, { count: 2 });
  expect(await length()).toBe(0);
});

test("with keys, connections that die again and again lose nothing and add nothing twice", async () => {
  const { proxy, producer, values } = await setUp();
  const expected: string[] = [];
  const adding: Promise<string>[] = [];
  for (let round = 1; round <= 8; round++) {
    await producer.connect();
    const cut = proxy.cut("reply", round * 40);
    for (let n = 0; n < 20; n++) {
      expected.push(`${round}.${n}`);
      adding.push(producer.add({ n: `${round}.${n}` }, { idempotencyKey: `${round}.${n}` }));
    }
    await cut;
  }
  await Promise.all(adding);
  const there = await values();
  expect(there).toHaveLength(expected.length);
  expect(new Set(there)).toEqual(new Set(expected));
});

describe("while the server is away", () => {
  test("adds wait, and enter the stream in order once it is back", async () => {
    const { producer, events, values } = await setUp();
    await producer.add({ n: "first" });
    await redis.server.kill();
    await events.waitFor("disconnected");
    const adding = Array.from({ length: 200 }, (_, n) =>
      producer.add({ n }, n % 50 === 25 ? { idempotencyKey: `k${n}` } : {}),
    );
    await nextTurn();
    expect(producer.unconfirmed.messages).toBe(200);
    await redis.server.restart();
    await Promise.all(adding);
    expect(await values()).toEqual(["first", ...Array.from({ length: 200 }, (_, n) => String(n))]);
  });

  test("or was demoted, adds wait, and enter the stream in order once there is a primary", async () => {
    const { producer, values } = await setUp();
    const warnings: string[] = [];
    const keep = ({ message }: Error): number => warnings.push(message);
    process.on("warning", keep);
    onTestFinished(() => void process.off("warning", keep));
    await producer.add({ n: "first" });
    await redis.server.command("CONFIG", "RESETSTAT");
    await redis.server.command("REPLICAOF", "127.0.0.1", 1);
    const adding = Array.from({ length: 200 }, (_, n) =>
      producer.add({ n }, n % 50 === 25 ? { idempotencyKey: `k${n}` } : {}),
    );
    const refused = async () => Object.hasOwn(await redis.server.info("errorstats"), "errorstat_READONLY");
    await eventually("it has refused one", refused);
    expect(producer.unconfirmed.messages).toBe(200);
    await redis.server.command("REPLICAOF", "NO", "ONE");
    await Promise.all(adding);
    const there = (await values()).filter((n) => Number(n) % 50 !== 25);
    const expected = Array.from({ length: 200 }, (_, n) => n).filter((n) => n % 50 !== 25);
    expect(there).toEqual(["first", ...expected.map(String)]);
    expect(warnings).toEqual([]);
  });

  test("or was demoted, an add waits for queueTimeoutMs at most: not sent", async () => {
    const { producer, length } = await setUp({ queueTimeoutMs: 50, retryForMs: 50 });
    await producer.connect();
    await redis.server.command("REPLICAOF", "127.0.0.1", 1);
    onTestFinished(async () => void (await redis.server.command("REPLICAOF", "NO", "ONE")));
    const adding = [producer.add({ n: 1 }), producer.add({ n: 2 }, { idempotencyKey: "k" })];
    expect(await ends(adding)).toEqual(["not-sent", "not-sent"]);
    expect(await length()).toBe(0);
  });

  test("adds before the first connection wait as well", async () => {
    const { proxy, producer, values } = await setUp();
    proxy.set({ refuse: true });
    const adding = producer.add({ n: 1 });
    await nextTurn();
    proxy.heal();
    await adding;
    expect(await values()).toEqual(["1"]);
  });

  test("an add waits for queueTimeoutMs at most: not sent", async () => {
    const { proxy, producer, length } = await setUp({ queueTimeoutMs: 50 });
    proxy.set({ refuse: true });
    const error: unknown = await producer.add({ n: 1 }).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: "CONNECTION", outcome: "not-sent", retryable: true });
    expect(String(error)).toContain("it is safe to add it again");
    proxy.heal();
    await producer.connect();
    expect(await length()).toBe(0);
  });

  test("a full queue refuses at once, by messages or by bytes, and says so", async () => {
    const { proxy, producer, events } = await setUp({ maxQueued: 3, maxQueuedBytes: 1_024 });
    proxy.set({ refuse: true });
    const adding = [1, 2, 3].map((n) => producer.add({ n }));
    await expect(producer.add({ n: 4 })).rejects.toMatchObject({ code: "QUEUE_FULL", retryable: true });
    expect(events.all("queueFull")).toEqual([{ type: "queueFull", messages: 3, bytes: 6 }]);
    proxy.heal();
    await Promise.all(adding);
    proxy.set({ refuse: true });
    proxy.reset();
    await events.waitFor("disconnected");
    const large = producer.add({ n: "x".repeat(900) });
    await expect(producer.add({ n: "x".repeat(900) })).rejects.toMatchObject({ code: "QUEUE_FULL" });
    proxy.heal();
    await large;
  });

  test("failing fast refuses at once, but waits for the first connection", async () => {
    const { proxy, producer, events, values } = await setUp({ whileAway: "fail" });
    await producer.add({ n: "first" });
    proxy.set({ refuse: true });
    proxy.reset();
    await events.waitFor("disconnected");
    expect(await ends([producer.add({ n: 1 }), producer.add({ n: 2 }, { idempotencyKey: "k" })])).toEqual([
      "not-sent",
      "not-sent",
    ]);
    proxy.heal();
    await producer.connect();
    await producer.add({ n: "last" });
    expect(await values()).toEqual(["first", "last"]);
  });

  test("failing fast does not wait longer for the first connection than connectTimeoutMs", async () => {
    const { proxy, producer } = await setUp({ whileAway: "fail", connectTimeoutMs: 100 });
    proxy.set({ refuse: true });
    expect(await ends([producer.add({ n: 1 })])).toEqual(["not-sent"]);
    expect(await ends([producer.add({ n: 2 })])).toEqual(["not-sent"]);
  });
});

describe("a server that refuses for now", () => {
  test("refuses an add, which is told; one with a key goes on until it is taken", async () => {
    await using server = await RedisServer.start({ config: ["maxmemory-policy noeviction"] });
    const events = new EventRecorder<ProducerEvent>();
    await using producer = new Producer({ redis: server.url, stream: "orders", observer: events.observe });
    await producer.connect();
    await server.command("CONFIG", "SET", "maxmemory", "1");
    await expect(producer.add({ n: 1 })).rejects.toMatchObject({ code: "SERVER_STATE", state: "OOM", retryable: true });
    const adding = producer.add({ n: 2 }, { idempotencyKey: "k" });
    await events.waitFor("retrying");
    await server.command("CONFIG", "SET", "maxmemory", "0");
    await adding;
    expect(await server.command("XLEN", "orders")).toBe(1);
  });

  test("for longer than retryForMs ends the add with its refusal", async () => {
    await using server = await RedisServer.start({ config: ["maxmemory 1", "maxmemory-policy noeviction"] });
    await using producer = new Producer({ redis: server.url, stream: "orders", retryForMs: 200 });
    await expect(producer.add({ n: 1 }, { idempotencyKey: "k" })).rejects.toMatchObject({ state: "OOM" });
  });
});

describe("aborting", () => {
  test("takes back what was not sent, which then never enters the stream", async () => {
    const { proxy, producer, events, values } = await setUp();
    await producer.connect();
    proxy.set({ refuse: true });
    proxy.reset();
    await events.waitFor("disconnected");
    const abort = new AbortController();
    const [withdrawn, kept] = [producer.add({ n: 1 }, { signal: abort.signal }), producer.add({ n: 2 })];
    await nextTurn();
    abort.abort(new Error("changed my mind"));
    await expect(withdrawn).rejects.toThrow("changed my mind");
    expect(producer.unconfirmed.messages).toBe(1);
    proxy.heal();
    await kept;
    expect(await values()).toEqual(["2"]);
  });

  test("before the call adds nothing", async () => {
    const { producer, length } = await setUp();
    await expect(producer.add({ n: 1 }, { signal: AbortSignal.abort(new Error("no")) })).rejects.toThrow("no");
    expect(await length()).toBe(0);
  });

  test("after it was sent waits for the answer", async () => {
    const { proxy, producer, values } = await setUp();
    await producer.connect();
    proxy.set({ blackhole: true });
    const abort = new AbortController();
    const adding = producer.add({ n: 1 }, { signal: abort.signal });
    await nextTurn();
    abort.abort();
    proxy.heal();
    await adding;
    expect(await values()).toEqual(["1"]);
  });
});

describe("close", () => {
  test("waits for what is under way, and refuses what comes later", async () => {
    const { producer, events, length } = await setUp({ closeTimeoutMs: 5_000 });
    const adding = Array.from({ length: 500 }, (_, n) => producer.add({ n }));
    const [closing, again] = [producer.close(), producer.close()];
    expect(again).toBe(closing);
    await expect(producer.add({ n: 501 })).rejects.toMatchObject({ code: "USAGE" });
    await closing;
    await Promise.all(adding);
    expect(await length()).toBe(500);
    expect(events.events.at(-1)).toEqual({ type: "closed", unconfirmed: 0 });
    await expect(producer.add({ n: 502 })).rejects.toThrow("cannot add: the producer is closed");
    await expect(producer.connect()).rejects.toThrow("cannot connect: the producer is closed");
  });

  test("gives up after closeTimeoutMs: what is queued was not sent, what was sent is in doubt", async () => {
    const { proxy, producer, events, length } = await setUp({ closeTimeoutMs: 100 });
    await producer.connect();
    proxy.set({ blackhole: true });
    const sent = [producer.add({ n: 1 }), producer.add({ n: 2 }, { idempotencyKey: "k" })];
    await eventually("the adds are on their way", () => producer.unconfirmed.messages === 2);
    await nextTurn();
    const sentEnds = ends(sent);
    await producer.close();
    expect(await sentEnds).toEqual(["unknown", "unknown"]);
    expect(events.events.at(-1)).toEqual({ type: "closed", unconfirmed: 2 });
    expect(await length()).toBe(0);
  });

  test("gives up after closeTimeoutMs what waits for a connection", async () => {
    const { proxy, producer } = await setUp({ closeTimeoutMs: 50 });
    proxy.set({ refuse: true });
    const waiting = ends([producer.add({ n: 1 }), producer.add({ n: 2 }, { idempotencyKey: "k" })]);
    await producer.close();
    expect(await waiting).toEqual(["not-sent", "not-sent"]);
  });

  test("without a use does nothing", async () => {
    const { proxy, producer, events } = await setUp();
    await producer.close();
    expect(events.events).toEqual([{ type: "closed", unconfirmed: 0 }]);
    expect(proxy.accepted).toBe(0);
  });
});

describe("no error quotes a payload or a password", () => {
  const SECRET = "hunter2secret";

  test("whatever goes wrong", async () => {
    await using server = await RedisServer.start({
      users: [
        { name: "writer", password: SECRET, rules: "~orders +ping +info" },
        { name: "default", rules: "~* +@all" },
      ],
    });
    await using proxy = await FaultProxy.start({ address: server.as("writer").address });
    const { proxy: cutting, producer: behindCut } = await setUp();
    const { proxy: refusing, producer: away } = await setUp({ queueTimeoutMs: 20 });
    refusing.set({ refuse: true });
    const { stream, producer: wrongType } = await setUp();
    await redis.server.command("SET", stream, "text");
    await using forbidden = new Producer({ redis: proxy.url, stream: "orders" });
    await using badLogin = new Producer({
      redis: `redis://writer:${SECRET}x@${server.host}:${server.port}`,
      stream: "orders",
    });
    await using json = new Producer({ redis: redis.server.url, stream, codec: jsonCodec<unknown>() });
    await using fields = new Producer({ redis: redis.server.url, stream, codec: fieldsCodec });
    await behindCut.connect();
    void cutting.cut("reply", 0);
    const cyclic: Record<string, unknown> = { secret: SECRET };
    cyclic["self"] = cyclic;
    const value = { secret: SECRET };
    const settled = await Promise.allSettled([
      behindCut.add(value),
      away.add(value),
      wrongType.add(value),
      wrongType.add(value, { idempotencyKey: "k" }),
      forbidden.add(value),
      forbidden.add(value, { idempotencyKey: "k" }),
      badLogin.add(value),
      badLogin.connect(),
      json.add(cyclic),
      json.add({ secret: SECRET, n: 1n }),
      fields.add({ secret: [SECRET] as never }),
      fields.add({ secret: `${SECRET}\uD800` }),
    ]);
    const codes = settled.map((end) => (end.status === "rejected" ? (end.reason as { code: string }).code : "fine"));
    expect(codes).toEqual([
      ...[
        "CONNECTION",
        "CONNECTION",
        "WRONG_TYPE",
        "WRONG_TYPE",
        "PERMISSION",
        "PERMISSION",
        "PERMISSION",
        "PERMISSION",
      ],
      ...["PAYLOAD", "PAYLOAD", "PAYLOAD", "PAYLOAD"],
    ]);
    for (const end of settled) expect(inspect(end, { depth: 10, showHidden: true })).not.toContain(SECRET);
  });
});
