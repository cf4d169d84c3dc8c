import { setImmediate as nextTurn } from "node:timers/promises";
import { checkLeaks, EventRecorder, RedisServer, uniqueName, useServer } from "@redis-batch/test-support";
import { Redis } from "ioredis";
import { describe, expect, expectTypeOf, onTestFinished, test } from "vitest";
import { z } from "zod";
import {
  type Encoder,
  fieldsCodec,
  jsonCodec,
  Producer,
  type ProducerEvent,
  type ProducerOptions,
  rawCodec,
} from "../src/index.ts";
import { createRedisStreamClient } from "../src/redis/redis-stream-client.ts";

const redis = useServer();
checkLeaks(redis);

/** A producer on a stream of its own, closed after the test, and what it did. */
function setUp<Value>(options: Partial<ProducerOptions<Value>> & { readonly codec: Encoder<Value> }) {
  const events = new EventRecorder<ProducerEvent>();
  const stream = uniqueName("orders");
  const producer = new Producer({ redis: redis.server.url, stream, observer: events.observe, ...options });
  onTestFinished(() => producer.close());
  const entries = async () => (await redis.server.command("XRANGE", stream, "-", "+")) as [string, string[]][];
  return { stream, producer, events, entries };
}

/** The raw entries of a stream, as a consumer would get them. */
async function readRaw(stream: string) {
  const client = createRedisStreamClient({ redis: redis.server.url, blockMs: 0 });
  await client.connect(["commands"], { timeoutMs: 5_000 });
  try {
    return await client.xrange({ stream, from: "-", to: "+", count: 100 });
  } finally {
    await client.close();
  }
}

describe("add", () => {
  test("gives the id of the new entry, whose fields are text", async () => {
    const { producer, entries } = setUp({ codec: fieldsCodec });
    const id = await producer.add({ orderId: "A-17", cents: 1999, paid: true, big: 2n ** 60n, note: "Zoë" });
    expect(await entries()).toEqual([
      [id, ["orderId", "A-17", "cents", "1999", "paid", "true", "big", "1152921504606846976", "note", "Zoë"]],
    ]);
  });

  test("enters the stream in the order of the calls, keyed or not, and calls of one turn go out together", async () => {
    const { producer, events, entries } = setUp({ codec: fieldsCodec });
    await producer.connect();
    const ids = await Promise.all(
      Array.from({ length: 300 }, (_, n) => producer.add({ n }, n % 100 === 50 ? { idempotencyKey: `k${n}` } : {})),
    );
    expect((await entries()).map(([id]) => id)).toEqual(ids);
    const together = Promise.all(Array.from({ length: 50 }, (_, n) => producer.add({ n })));
    expect(await events.waitFor((event) => event.type === "added" && event.added === 50)).toMatchObject({ failed: 0 });
    await together;
  });

  test("takes any number of fields, but with an idempotency key 3,990: more are refused, and nothing is added", async () => {
    const { producer, entries } = setUp({ codec: fieldsCodec });
    const wide = (fields: number) => Object.fromEntries(Array.from({ length: fields }, (_, n) => [`f${n}`, n]));
    await producer.add(wide(3_990), { idempotencyKey: "as wide as can be" });
    await expect(producer.add(wide(4_000), { idempotencyKey: "wider" })).rejects.toMatchObject({ code: "COMMAND" });
    await producer.add(wide(4_000));
    expect((await entries()).map(([, fields]) => fields.length)).toEqual([7_980, 8_000]);
  });

  test("connects on first use only, and closes what it opened", async () => {
    const before = await clientCount();
    const { producer, events } = setUp({ codec: fieldsCodec });
    await nextTurn();
    expect(await clientCount()).toBe(before);
    await producer.add({ n: 1 });
    expect(await clientCount()).toBe(before + 1);
    await producer.close();
    expect(events.events.map(({ type }) => type)).toEqual(["connected", "added", "closed"]);
  });

  test("is refused for a key of another type", async () => {
    const { stream, producer } = setUp({ codec: fieldsCodec });
    await redis.server.command("SET", stream, "a text");
    await expect(producer.add({ n: 1 })).rejects.toMatchObject({ code: "WRONG_TYPE" });
    await expect(producer.add({ n: 1 }, { idempotencyKey: "k" })).rejects.toMatchObject({ code: "WRONG_TYPE" });
  });

  test("reads the value before it returns", async () => {
    const { producer, entries } = setUp({ codec: fieldsCodec });
    const bytes = Buffer.from("before");
    const adding = producer.add({ bytes });
    bytes.fill("x");
    await adding;
    expect((await entries())[0]?.[1]).toEqual(["bytes", "before"]);
  });
});

async function clientCount(): Promise<number> {
  return String(await redis.server.command("CLIENT", "LIST", "TYPE", "normal"))
    .trim()
    .split("\n").length;
}

describe("the key of a message", () => {
  test("is one more field, beside those of the codec", async () => {
    const { producer, entries } = setUp({ codec: jsonCodec<{ readonly cents: number }>() });
    await producer.add({ cents: 5 }, { key: "customer-7" });
    await producer.add({ cents: 6 }, { key: "customer-7", idempotencyKey: "once" });
    await producer.addMany([{ cents: 7 }, { cents: 8 }], {
      key: ({ cents }) => (cents === 7 ? "Zoë" : undefined),
    });
    for await (const { kind } of producer.addEach([{ cents: 9 }], { key: (_value, index) => `item-${index}` })) {
      expect(kind).toBe("added");
    }
    expect((await entries()).map(([, fields]) => fields)).toEqual([
      ["data", '{"cents":5}', "key", "customer-7"],
      ["data", '{"cents":6}', "key", "customer-7"],
      ["data", '{"cents":7}', "key", "Zoë"],
      ["data", '{"cents":8}'],
      ["data", '{"cents":9}', "key", "item-0"],
    ]);
  });

  test("is written once where the value has it, and refused where the value has another", async () => {
    const { producer, entries } = setUp({ codec: rawCodec });
    await producer.add([["key", "a"]], { key: "a" });
    await producer.add([[Buffer.from("key"), Buffer.from("a")]], { key: "a" });
    const other = producer.add(
      [
        ["n", 1],
        ["key", "payload-of-mine"],
      ],
      { key: "a" },
    );
    await expect(other).rejects.toMatchObject({ code: "PAYLOAD" });
    await expect(other).rejects.toThrow('field "key"');
    await expect(other).rejects.not.toThrow(/payload-of-mine/);
    await expect(producer.add([["key", Buffer.of(0xff)]], { key: "\ufffd" })).rejects.toMatchObject({
      code: "PAYLOAD",
    });
    // Without the option it is a field like any other.
    await producer.add([["key", "b"]]);
    expect((await entries()).map(([, fields]) => fields)).toEqual([
      ["key", "a"],
      ["key", "a"],
      ["key", "b"],
    ]);
  });

  test.each(["", "\ud800", 7, null])("must be a text that says something, not %j", async (key) => {
    const { producer, entries } = setUp({ codec: fieldsCodec });
    await expect(producer.add({ n: 1 }, { key: key as string })).rejects.toMatchObject({ code: "USAGE" });
    const { failures } = await producer.addMany([{ n: 1 }], { key: () => key as string });
    expect(failures).toMatchObject([{ index: 0, error: { code: "USAGE" } }]);
    expect(await entries()).toEqual([]);
  });
});

describe("an idempotency key", () => {
  test("adds once: the repetition gets the first id, and an event says so", async () => {
    const { producer, events, entries } = setUp({ codec: fieldsCodec });
    const first = await producer.add({ n: 1 }, { idempotencyKey: "order 17" });
    const again = await producer.add({ n: 2 }, { idempotencyKey: "order 17" });
    const other = await producer.add({ n: 3 }, { idempotencyKey: "order 18" });
    expect(again).toBe(first);
    expect((await entries()).map(([id]) => id)).toEqual([first, other]);
    expect(events.all("duplicate")).toEqual([{ type: "duplicate", id: first, idempotencyKey: "order 17", attempt: 1 }]);
  });

  test("is forgotten after rememberKeysMs", async () => {
    const { stream, producer } = setUp({ codec: fieldsCodec, retryForMs: 0, rememberKeysMs: 5_000 });
    await producer.add({ n: 1 }, { idempotencyKey: "k" });
    const remainingMs = Number(await redis.server.command("PTTL", `rb:{${stream}}:idem:${stream}:k`));
    expect(remainingMs).toBeGreaterThan(0);
    expect(remainingMs).toBeLessThanOrEqual(5_000);
  });

  test("must be a text that says something", async () => {
    const { producer } = setUp({ codec: fieldsCodec });
    for (const idempotencyKey of ["", "\uD800", 5 as unknown as string]) {
      await expect(producer.add({ n: 1 }, { idempotencyKey })).rejects.toMatchObject({ code: "USAGE" });
    }
  });

  test("needs a stream whose slot can hold it; without one any name will do", async () => {
    const stream = `${uniqueName("orders")}}`;
    await using producer = new Producer({ redis: redis.server.url, stream });
    await producer.add({ n: 1 });
    await expect(producer.add({ n: 1 }, { idempotencyKey: "k" })).rejects.toMatchObject({ code: "CONFIG" });
    await redis.server.command("DEL", stream);
  });
});

describe("codecs", () => {
  test("decide what add takes", () => {
    const { producer } = setUp({
      codec: jsonCodec({ schema: z.object({ id: z.string(), cents: z.int().default(0) }) }),
    });
    expectTypeOf(producer).toEqualTypeOf<Producer<{ id: string; cents?: number | undefined }>>();
    expectTypeOf(new Producer({ redis: "redis://localhost", stream: "s" })).toEqualTypeOf<Producer>();
  });

  test("JSON checked by a Zod schema comes back as its output", async () => {
    const codec = jsonCodec({ schema: z.object({ id: z.string(), at: z.iso.datetime().pipe(z.coerce.date()) }) });
    const { stream, producer } = setUp({ codec });
    const at = "2026-01-02T03:04:05Z";
    await producer.add({ id: "a", at });
    const [entry] = await readRaw(stream);
    expect(codec.decode(entry?.fields ?? [])).toEqual({ id: "a", at: new Date(at) });
  });

  test("binary names and values come back byte for byte", async () => {
    const { stream, producer } = setUp({ codec: rawCodec });
    const every = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    await producer.add([
      [every, every],
      [every, Buffer.alloc(0)],
    ]);
    const [entry] = await readRaw(stream);
    expect(rawCodec.decode(entry?.fields ?? [])).toEqual([
      [every, every],
      [every, Buffer.alloc(0)],
    ]);
  });

  test("what another client added with flat fields reads like what the producer added", async () => {
    const { stream, producer } = setUp({ codec: fieldsCodec });
    await producer.add({ name: "Zoë", age: 41 });
    await redis.server.command("XADD", stream, "*", "name", "Zoë", "age", "41");
    const [ours, theirs] = await readRaw(stream);
    expect(theirs?.fields).toEqual(ours?.fields);
    expect({ ...fieldsCodec.decode(theirs?.fields ?? []) }).toEqual({ name: "Zoë", age: "41" });
  });

  test("a value that cannot be written adds nothing", async () => {
    const { producer, entries } = setUp({ codec: fieldsCodec });
    await expect(producer.add({ total: Number.NaN })).rejects.toMatchObject({ code: "PAYLOAD" });
    expect(await entries()).toEqual([]);
    expect(producer.unconfirmed).toEqual({ messages: 0, bytes: 0 });
  });
});

describe("trimming", () => {
  test("with the flag keeps the newest, exactly when told so", async () => {
    const { producer, entries } = setUp({
      codec: fieldsCodec,
      ...{ maxLen: 3, approximate: false, allowUnreadLoss: true },
    });
    for (let n = 0; n < 10; n++) await producer.add({ n }, n % 2 === 0 ? {} : { idempotencyKey: `k${n}` });
    expect((await entries()).map(([, fields]) => fields[1])).toEqual(["7", "8", "9"]);
  });

  test("with the flag keeps what is not older than an id", async () => {
    const { stream, producer, entries } = setUp({
      ...{ codec: fieldsCodec, minId: "1000", approximate: false, allowUnreadLoss: true },
    });
    await redis.server.command("XADD", stream, "999-0", "n", "old");
    await producer.add({ n: "new" });
    expect((await entries()).map(([, fields]) => fields[1])).toEqual(["new"]);
  });

  test("approximately keeps whole nodes", async () => {
    const { producer, entries } = setUp({ ...{ codec: fieldsCodec, maxLen: 3, allowUnreadLoss: true } });
    for (let n = 0; n < 10; n++) await producer.add({ n });
    expect(await entries()).toHaveLength(10);
  });
});

test("the documented rights suffice, and are needed", async () => {
  const password = "of-this-test";
  await using server = await RedisServer.start({
    users: [
      { name: "plain", password, rules: "~orders +xadd" },
      { name: "keyed", password, rules: "~orders ~rb:{orders}:idem:* +xadd +eval +evalsha +get +set" },
    ],
  });
  await using plain = new Producer({ redis: quiet(server.as("plain").options), stream: "orders" });
  await using keyed = new Producer({ redis: quiet(server.as("keyed").options), stream: "orders" });
  await plain.add({ n: 1 });
  await expect(plain.add({ n: 2 }, { idempotencyKey: "k" })).rejects.toMatchObject({ code: "PERMISSION" });
  await keyed.add({ n: 3 }, { idempotencyKey: "k" });
  await keyed.add({ n: 4 }, { idempotencyKey: "k" });
  expect(await server.command("XLEN", "orders")).toBe(2);
});

/** Without ioredis's question for INFO, whose refusal it prints. */
const quiet = <Options extends object>(options: Options) => ({ ...options, enableReadyCheck: false });

describe("a borrowed client", () => {
  test("lends its configuration, and is neither used nor closed", async () => {
    await using borrowed = Object.assign(new Redis({ ...redis.server.options, lazyConnect: true }), {
      [Symbol.asyncDispose]: async () => borrowed.disconnect(),
    });
    const { producer } = setUp({ codec: fieldsCodec, redis: borrowed });
    await producer.add({ n: 1 });
    await producer.close();
    expect(borrowed.status).toBe("wait");
  });
});
