import { setImmediate as nextTurn } from "node:timers/promises";
import {
  checkLeaks,
  EventRecorder,
  eventually,
  FaultProxy,
  RedisServer,
  uniqueName,
  useServer,
} from "@redis-batch/test-support";
import { describe, expect, onTestFinished, test } from "vitest";
import {
  type AddManyProgress,
  type AddResult,
  Producer,
  type ProducerEvent,
  type ProducerOptions,
} from "../src/index.ts";
import { compareEntryIds } from "../src/names/entry-id.ts";
import { WINDOW } from "../src/producer/add-each.ts";

const redis = useServer({ own: true });
checkLeaks(redis);

/** A producer on a stream of its own. */
function setUp(options: Partial<ProducerOptions> = {}) {
  const events = new EventRecorder<ProducerEvent>();
  const stream = uniqueName("orders");
  const producer = new Producer({ redis: redis.server.url, stream, observer: events.observe, ...options });
  onTestFinished(() => producer.close());
  const length = async () => Number(await redis.server.command("XLEN", stream));
  const values = async () => {
    const entries = (await redis.server.command("XRANGE", stream, "-", "+")) as [string, string[]][];
    return entries.map(([, fields]) => Number(fields[1]));
  };
  return { producer, events, stream, length, values };
}

function* numbers(count: number): Generator<{ n: number }> {
  for (let n = 0; n < count; n++) yield { n };
}

async function* asyncNumbers(count: number): AsyncGenerator<{ n: number }> {
  yield* numbers(count);
}

/** How often the server has read from its sockets. A read takes up to 16 KiB of whatever has come. */
async function serverReads(): Promise<number> {
  const info = String(await redis.server.command("INFO", "stats"));
  return Number(/total_reads_processed:(\d+)/.exec(info)?.[1]);
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

describe("addMany", () => {
  test("adds a hundred thousand items in order, never reading more than the window ahead", async () => {
    const { producer, length, stream } = setUp();
    let read = 0;
    let furthestAhead = 0;
    let mostUnconfirmed = 0;
    async function* source(): AsyncGenerator<{ n: number }> {
      for (const item of numbers(100_000)) {
        read++;
        yield item;
      }
    }
    let reported = 0;
    for await (const result of producer.addEach(source())) {
      furthestAhead = Math.max(furthestAhead, read - reported);
      mostUnconfirmed = Math.max(mostUnconfirmed, producer.unconfirmed.messages);
      if (result.kind === "added" && result.index === reported) reported++;
    }
    expect(reported).toBe(100_000);
    expect(await length()).toBe(100_000);
    expect(furthestAhead).toBeLessThanOrEqual(WINDOW + 1);
    expect(mostUnconfirmed).toBeLessThanOrEqual(WINDOW);
    const [last] = (await redis.server.command("XREVRANGE", stream, "+", "-", "COUNT", 1)) as [string, string[]][];
    expect(last?.[1]).toEqual(["n", "99999"]);
  });

  test("takes a plain iterable, and sums up", async () => {
    const { producer, values, stream } = setUp();
    const result = await producer.addMany(numbers(2_500));
    expect(result).toMatchObject({ added: 2_500, duplicates: 0, failed: 0, failures: [] });
    expect(await values()).toEqual(upTo(2_500));
    const [first] = (await redis.server.command("XRANGE", stream, "-", "+", "COUNT", 1)) as [string, string[]][];
    const [last] = (await redis.server.command("XREVRANGE", stream, "+", "-", "COUNT", 1)) as [string, string[]][];
    expect([result.firstId, result.lastId]).toEqual([first?.[0], last?.[0]]);
  });

  test("holds no more bytes than half of the room, and one item more", async () => {
    const { producer } = setUp({ maxQueuedBytes: 1_048_576 });
    let most = 0;
    const text = "x".repeat(100_000);
    for await (const _ of producer.addEach(Array.from({ length: 100 }, () => ({ text })))) {
      most = Math.max(most, producer.unconfirmed.bytes);
    }
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThanOrEqual(524_288 + 100_004);
  });

  test("leaves room to adds that cannot wait", async () => {
    const { producer, length } = setUp({ maxQueued: 10 });
    let adding = 0;
    const alongside: Promise<string>[] = [];
    function* source(): Generator<{ n: number }> {
      for (const item of numbers(500)) {
        if (producer.unconfirmed.messages < 7) alongside.push(producer.add({ n: `beside ${adding++}` }));
        yield item;
      }
    }
    expect(await producer.addMany(source())).toMatchObject({ added: 500, failed: 0 });
    await Promise.all(alongside);
    expect(await length()).toBe(500 + adding);
  });

  test("reports items that cannot be written by their index, and adds the others", async () => {
    const { producer, values } = setUp();
    const items = [{ n: 0 }, { n: Number.NaN }, { n: 2 }, {}, { n: 4 }];
    const result = await producer.addMany(items);
    expect(result).toMatchObject({ added: 3, failed: 2 });
    expect(result.failures).toEqual([
      { index: 1, error: expect.objectContaining({ code: "PAYLOAD" }) as unknown },
      { index: 3, error: expect.objectContaining({ code: "PAYLOAD" }) as unknown },
    ]);
    expect(await values()).toEqual([0, 2, 4]);
  });

  test("with keys can be run again without adding anything twice", async () => {
    const { producer, length } = setUp();
    const idempotencyKey = ({ n }: { readonly n: number }): string => `order ${n}`;
    const first = await producer.addMany(numbers(300), { idempotencyKey });
    const again = await producer.addMany(asyncNumbers(400), { idempotencyKey });
    expect(first).toMatchObject({ added: 300, duplicates: 0 });
    expect(again).toMatchObject({ added: 100, duplicates: 300 });
    expect(await length()).toBe(400);
  });

  test("with keys comes through a server that dies and returns, each item once", async () => {
    await using server = await RedisServer.start({ persistence: "aof" });
    const { producer, events, stream } = setUp({ redis: server.url });
    async function* source(): AsyncGenerator<{ n: number }> {
      for (const item of numbers(6_000)) {
        // Once only: a second restart replays the half transaction that a torn append-only file may end with (Redis
        // 7.0.15, 2 runs of 150: "MULTI calls can not be nested"), and so adds what the first had left out.
        if (item.n === 3_000) {
          const before = events.events.length;
          await server.kill();
          await events.waitFor("disconnected", { after: before });
          await server.restart();
        }
        yield item;
      }
    }
    const result = await producer.addMany(source(), { idempotencyKey: (_value, index) => `k${index}` });
    expect(result).toMatchObject({ failed: 0 });
    const there = (await server.command("XRANGE", stream, "-", "+")) as [string, string[]][];
    expect(there).toHaveLength(6_000);
    expect(new Set(there.map(([, fields]) => Number(fields[1])))).toEqual(new Set(upTo(6_000)));
    await producer.close();
  });

  test("reports progress, the last time with all counts", async () => {
    const { producer } = setUp();
    const seen: AddManyProgress[] = [];
    const result = await producer.addMany(numbers(3_000), { onProgress: (progress) => seen.push(progress) });
    expect(seen.at(-1)).toEqual({ added: result.added, duplicates: 0, failed: 0 });
  });

  test("that is aborted rejects with the reason once its counts are true", async () => {
    const { producer, length } = setUp();
    const abort = new AbortController();
    const seen: AddManyProgress[] = [];
    async function* source(): AsyncGenerator<{ n: number }> {
      for (const item of numbers(100_000)) {
        if (item.n === 5_000) abort.abort(new Error("enough"));
        yield item;
      }
    }
    const adding = producer.addMany(source(), { signal: abort.signal, onProgress: (progress) => seen.push(progress) });
    await expect(adding).rejects.toThrow("enough");
    expect(seen.at(-1)?.added).toBe(await length());
    expect(producer.unconfirmed.messages).toBe(0);
  });

  test("ends when the producer is closed: what was taken is added, the rest is refused", async () => {
    const { producer, length } = setUp();
    const seen: AddManyProgress[] = [];
    let closing: Promise<void> | undefined;
    async function* source(): AsyncGenerator<{ n: number }> {
      for (const item of numbers(100_000)) {
        if (item.n === 3_000) closing = producer.close();
        yield item;
      }
    }
    const adding = producer.addMany(source(), { onProgress: (progress) => seen.push(progress) });
    await expect(adding).rejects.toMatchObject({ code: "USAGE" });
    await closing;
    expect(seen.at(-1)?.added).toBe(3_000);
    expect(await length()).toBe(3_000);
  });
});

describe("addEach", () => {
  test("that is left early leaves nothing behind", async () => {
    const { producer, length } = setUp();
    const seen: AddResult[] = [];
    for await (const result of producer.addEach(asyncNumbers(50_000))) {
      seen.push(result);
      if (seen.length === 100) break;
    }
    expect(producer.unconfirmed.messages).toBe(0);
    expect(await length()).toBeGreaterThanOrEqual(100);
    expect(await length()).toBeLessThanOrEqual(100 + WINDOW);
  });

  test("says of each item whether it was added when a connection dies in the middle", async () => {
    await using proxy = await FaultProxy.start(redis.server);
    const { producer, values } = setUp({ redis: proxy.url });
    await producer.connect();
    const cut = proxy.cut("reply", 3_000);
    const added: number[] = [];
    const doubtful: number[] = [];
    for await (const result of producer.addEach(numbers(3_000))) {
      if (result.kind === "added") added.push(result.index);
      else doubtful.push(result.index);
    }
    await cut;
    const there = new Set(await values());
    expect(doubtful.length).toBeGreaterThan(0);
    expect(added.filter((n) => !there.has(n))).toEqual([]);
    expect([...there].filter((n) => !added.includes(n) && !doubtful.includes(n))).toEqual([]);
    expect(there.size).toBe((await values()).length);
    await producer.close();
  });
});

describe("what is added together travels together", () => {
  test("two thousand adds of one turn are a few reads of the server's, in order", async () => {
    const { producer, values } = setUp();
    await producer.connect();
    const before = await serverReads();
    const ids = await Promise.all(upTo(2_000).map((n) => producer.add({ n })));
    expect((await serverReads()) - before).toBeLessThan(100);
    expect(ids.toSorted(compareEntryIds)).toEqual(ids);
    expect(await values()).toEqual(upTo(2_000));
  });

  test.each([
    ["an iterable", numbers],
    ["an iterable read item by item, each a promise later", asyncNumbers],
  ])("%s of ten thousand items are some dozens", async (_, source) => {
    const { producer, values } = setUp();
    await producer.connect();
    const before = await serverReads();
    await producer.addMany(source(10_000));
    expect((await serverReads()) - before).toBeLessThan(250);
    expect(await values()).toEqual(upTo(10_000));
  });
});

describe("a source without an end", () => {
  test.each(["sync", "async"] as const)("that is %s is read no further than the server confirms", async (kind) => {
    await using proxy = await FaultProxy.start(redis.server);
    const { producer, length } = setUp({ redis: proxy.url });
    await producer.connect();
    proxy.set({ blackhole: true });
    const abort = new AbortController();
    let read = 0;
    let confirmed = 0;
    let furthestAhead = 0;
    function* source(): Generator<{ n: number }> {
      for (;;) {
        furthestAhead = Math.max(furthestAhead, ++read - confirmed);
        yield { n: read };
      }
    }
    async function* asyncSource(): AsyncGenerator<{ n: number }> {
      yield* source();
    }
    const seeEach = async (): Promise<void> => {
      const items = kind === "sync" ? source() : asyncSource();
      for await (const _ of producer.addEach(items, { signal: abort.signal })) {
        if (++confirmed === 20 * WINDOW) abort.abort(new Error("enough"));
      }
    };
    const seeing = seeEach();
    await eventually("the window is full", () => producer.unconfirmed.messages === WINDOW);
    await nextTurn();
    expect(read).toBe(WINDOW);
    proxy.heal();
    await expect(seeing).rejects.toThrow("enough");
    expect(confirmed).toBeGreaterThanOrEqual(20 * WINDOW);
    expect(furthestAhead).toBeLessThanOrEqual(WINDOW + 1);
    expect(await length()).toBe(confirmed);
    await producer.close();
  });

  test("is read no further than addMany is confirmed, either", async () => {
    await using proxy = await FaultProxy.start(redis.server);
    const { producer, length } = setUp({ redis: proxy.url });
    await producer.connect();
    proxy.set({ blackhole: true });
    const abort = new AbortController();
    let read = 0;
    let mostUnconfirmed = 0;
    function* source(): Generator<{ n: number }> {
      for (;;) {
        mostUnconfirmed = Math.max(mostUnconfirmed, producer.unconfirmed.messages);
        if (++read > 20 * WINDOW) abort.abort(new Error("enough"));
        yield { n: read };
      }
    }
    const adding = producer.addMany(source(), { signal: abort.signal });
    adding.catch(() => {});
    await eventually("the window is full", () => producer.unconfirmed.messages === WINDOW);
    await nextTurn();
    expect(read).toBe(WINDOW);
    proxy.heal();
    await expect(adding).rejects.toThrow("enough");
    expect(mostUnconfirmed).toBeLessThan(WINDOW);
    expect(await length()).toBeGreaterThanOrEqual(19 * WINDOW);
    await producer.close();
  });
});
