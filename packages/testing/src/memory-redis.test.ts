/** Users' tests: every service on a Redis in memory, most of them on a clock that the test moves. */
import { inspect } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Consumer, type ConsumerEvent, type ConsumerOptions, type Handler } from "@redis-batch/consumer";
import {
  ConnectionError,
  DeadLetters,
  jsonCodec,
  NoGroupError,
  Producer,
  type ProducerEvent,
  ServerStateError,
  UsageError,
} from "@redis-batch/core";
import { Monitor, type MonitorEvent } from "@redis-batch/monitor";
import { type Executor, Scaler } from "@redis-batch/scaler";
import { eventually } from "@redis-batch/test-support";
import { describe, expect, test } from "vitest";
import { EventRecorder, ManualClock, type MemoryRedisOptions, memoryRedis } from "./index.ts";

const stream = "orders";
const group = "billing";

/** A shared Redis, a clock, and a consumer whose events are recorded. */
function open(options: Partial<ConsumerOptions> = {}, more: MemoryRedisOptions = {}) {
  const clock = new ManualClock();
  const redis = memoryRedis({ clock, ...more });
  const events = new EventRecorder<ConsumerEvent>();
  const consumer = new Consumer({ redis, stream, group, name: "me", observer: events.observe, ...options });
  return { clock, redis, events, consumer };
}

describe("a consumer on a Redis in memory", () => {
  test("gets what a producer has added, and its acknowledgement is there", async () => {
    interface Order {
      readonly orderId: string;
    }
    const codec = jsonCodec<Order>();
    const redis = memoryRedis();
    const producer = new Producer({ redis, stream, codec });
    const id = await producer.add({ orderId: "A-17" });
    await producer.close();
    const consumer = new Consumer({ redis, stream, group, codec, batchSize: 1 });
    const batch = await consumer.fetch();
    expect(Array.from(batch, ({ value }) => value.orderId)).toEqual(["A-17"]);
    expect(redis.pending(stream, group)).toMatchObject([{ id, consumer: consumer.name, deliveries: 1 }]);
    batch.ack();
    expect((await batch.settled()).acknowledged).toEqual([id]);
    expect(redis.pending(stream, group)).toEqual([]);
    expect(redis.entries(stream)).toMatchObject([{ id, fields: { data: '{"orderId":"A-17"}' } }]);
    await consumer.close();
  });

  test("collects a batch for maxWaitMs by the manual clock, and no real time passes", async () => {
    const { clock, redis, consumer } = open({ maxWaitMs: 3_600_000 / 2 });
    redis.add(stream, { n: 1 });
    const startedAtMs = clock.nowMs();
    const batch = await clock.advanceUntil(consumer.fetch());
    expect(batch.reason).toBe("wait");
    expect(clock.nowMs() - startedAtMs).toBe(1_800_000);
    batch.ack();
    await clock.advanceUntil(consumer.close());
  });

  test("tries again after the delay, and gives up into the dead letters", async () => {
    const { clock, redis, events, consumer } = open({ batchSize: 1, maxDeliveries: 2 });
    const id = redis.add(stream, { n: 1 });
    const seen: (readonly [number, number])[] = [];
    const failing: Handler = ({ messages }) => {
      for (const message of messages) {
        seen.push([message.deliveries, clock.nowMs()]);
        message.retry({ delayMs: 5_000, reason: "the sink is down" });
      }
    };
    const running = consumer.run(failing);
    await clock.advanceUntil(events.waitFor("deadLettered"));
    const [first = [0, 0], second = [0, 0]] = seen;
    expect([first[0], second[0]]).toEqual([1, 2]);
    expect(second[1] - first[1]).toBeGreaterThanOrEqual(5_000);
    expect(redis.pending(stream, group)).toEqual([]);
    const deadLetters = new DeadLetters({ redis, stream, group });
    expect((await deadLetters.list()).letters).toMatchObject([{ entryId: id, error: "the sink is down" }]);
    expect(await deadLetters.redrive({ filter: "all" })).toMatchObject({ redriven: 1 });
    expect(redis.pending(stream, group)).toMatchObject([{ id, consumer: "rb:released" }]);
    await deadLetters.close();
    await clock.advanceUntil(consumer.close());
    await running;
  });

  test("acknowledges again when the reply was lost", async () => {
    const { clock, redis, events, consumer } = open({ batchSize: 1 });
    redis.add(stream, { n: 1 });
    redis.failNext("acknowledge", new ConnectionError("cut", { outcome: "unknown" }), { moment: "after" });
    const running = consumer.run(() => ({ ack: "rest" }));
    await clock.advanceUntil(events.waitFor("acknowledged"));
    expect(redis.pending(stream, group)).toEqual([]);
    await clock.advanceUntil(consumer.close());
    expect(await running).toMatchObject({ unconfirmedAcks: 0 });
  });

  test("comes back after its connections were cut", async () => {
    const { clock, redis, events, consumer } = open({ batchSize: 1 });
    const running = consumer.run(() => ({ ack: "rest" }));
    await clock.advanceUntil(events.waitFor("started"));
    redis.disconnect();
    await clock.advanceUntil(events.waitFor("connected", { count: 4 }));
    redis.add(stream, { n: 1 });
    await clock.advanceUntil(events.waitFor("acknowledged"));
    expect(redis.pending(stream, group)).toEqual([]);
    await clock.advanceUntil(consumer.close());
    await running;
  });

  test("takes over what a dead one left, once it has been silent for long enough", async () => {
    const { clock, redis, events, consumer } = open({ batchSize: 1, foreignIdleMs: 600_000 });
    const id = redis.add(stream, { n: 1 });
    expect(redis.deliverTo("dead", { stream, group, count: 5 })).toEqual([id]);
    const startedAtMs = clock.nowMs();
    const running = consumer.run(() => ({ ack: "rest" }));
    await clock.advanceUntil(events.waitFor("acknowledged"));
    expect(clock.nowMs() - startedAtMs).toBeGreaterThanOrEqual(600_000);
    expect(redis.pending(stream, group)).toEqual([]);
    await clock.advanceUntil(consumer.close());
    await running;
  });
});

describe("partitions in a Redis in memory", () => {
  test("two consumers share them, and each key stays in order", async () => {
    const clock = new ManualClock();
    const redis = memoryRedis({ clock });
    const where = { redis, stream, partitions: 4 };
    const producer = new Producer(where);
    const seen = new Map<string, string[]>();
    const handled = new EventRecorder<ConsumerEvent>();
    const consumers = ["one", "two"].map((name) => {
      const more = { group, name, orderBy: "key", batchSize: 1, observer: handled.observe };
      return new Consumer({ ...where, ...more, rebalanceGraceMs: 0 });
    });
    const running = consumers.map((consumer) =>
      consumer.run(({ messages }) => {
        for (const { value } of messages) {
          seen.set(String(value["key"]), [...(seen.get(String(value["key"])) ?? []), String(value["n"])]);
        }
        return { ack: "rest" };
      }),
    );
    await clock.advanceUntil(handled.waitFor("partitionTaken", { count: 4 }));
    const keys = ["a", "b", "c", "d", "e", "f"];
    for (const n of [1, 2, 3]) for (const key of keys) await clock.advanceUntil(producer.add({ n }, { key }));
    await clock.advanceUntil(handled.waitFor("acknowledged", { count: 18 }));
    expect(Object.fromEntries(seen)).toEqual(Object.fromEntries(keys.map((key) => [key, ["1", "2", "3"]])));
    expect([redis.entries(stream).length, redis.pending(stream, group)]).toEqual([18, []]);
    for (const consumer of consumers) await clock.advanceUntil(consumer.close());
    await Promise.all(running);
    await clock.advanceUntil(producer.close());
  });

  test("nothing is put beside them", async () => {
    const redis = memoryRedis();
    const producer = new Producer({ redis, stream, partitions: 2 });
    await producer.add({ n: 1 }, { key: "a" });
    await producer.close();
    expect(() => redis.add(stream, { n: 1 })).toThrow(UsageError);
    expect(() => redis.deliverTo("dead", { stream, group, count: 1 })).toThrow(NoGroupError);
    expect(redis.entries(stream)).toHaveLength(1);
  });
});

describe("a producer on a Redis in memory", () => {
  test("is refused as a full server does, and told nothing wrong", async () => {
    const redis = memoryRedis();
    const events = new EventRecorder<ProducerEvent>();
    const producer = new Producer({ redis, stream, observer: events.observe });
    redis.failNext("add", new ServerStateError("full", { state: "OOM" }));
    await expect(producer.add({ n: 1 })).rejects.toMatchObject({ state: "OOM" });
    expect(redis.entries(stream)).toEqual([]);
    await producer.add({ n: 2 });
    expect(redis.entries(stream).map(({ fields }) => fields["n"])).toEqual(["2"]);
    await producer.close();
  });

  test("waits for what is held", async () => {
    const redis = memoryRedis();
    const producer = new Producer({ redis, stream });
    await producer.connect();
    const held = redis.hold("add");
    const adding = producer.add({ n: 1 });
    await new Promise(setImmediate);
    expect(held.count).toBe(1);
    expect(redis.entries(stream)).toEqual([]);
    held.release();
    expect(await adding).toBe(redis.entries(stream)[0]?.id);
    await producer.close();
  });
});

test("a monitor sees who is behind, by the same clock", async () => {
  const { clock, redis, consumer } = open({ batchSize: 2, prefetch: 0 });
  for (const n of [1, 2, 3]) redis.add(stream, { n });
  await clock.advanceUntil(consumer.fetch());
  const events = new EventRecorder<MonitorEvent>();
  const monitor = new Monitor({ redis, stream, group, observer: events.observe });
  await clock.advance(4_000);
  const [health] = (await monitor.inspect()).groups;
  expect(health).toMatchObject({ group, backlog: { messages: 1 }, consumers: [{ consumer: "me", pending: 2 }] });
  await monitor.close();
  await clock.advanceUntil(consumer.close());
});

test("a scaler decides, and has its decision carried out", async () => {
  const { clock, redis } = open();
  for (let n = 1; n <= 10; n++) redis.add(stream, { n });
  const setUp = new Consumer({ redis, stream, group, maxWaitMs: 0 });
  await clock.advanceUntil(setUp.fetch());
  await clock.advanceUntil(setUp.close());
  const orders: number[] = [];
  const executor: Executor = {
    name: "test",
    status: () => Promise.resolve({ desired: 1, ready: 1, startingMs: [], startUpsMs: [] }),
    scale: ({ desired }) => Promise.resolve(void orders.push(desired)),
  };
  const scaler = new Scaler({ redis, stream, group, minConsumers: 3 });
  const running = scaler.run({ executor });
  await clock.advance(60_000);
  expect(orders[0]).toBe(3);
  await clock.advanceUntil(scaler.close());
  await running;
});

test("what cannot be used is said", async () => {
  expect(() => memoryRedis({ clok: 1 } as never)).toThrow(expect.objectContaining({ code: "CONFIG" }));
  expect(() => memoryRedis({ serverTimeMs: -1 })).toThrow(expect.objectContaining({ code: "CONFIG" }));
  const redis = memoryRedis();
  expect(() => redis.failNext("ack" as never, new ConnectionError("cut", { outcome: "unknown" }))).toThrow(
    expect.objectContaining({ code: "USAGE", message: expect.stringContaining("acknowledge") as string }),
  );
  expect(() => redis.add(stream, {})).toThrow(expect.objectContaining({ code: "PAYLOAD" }));
  expect(redis.entries("nothing")).toEqual([]);
  expect(redis.pending("nothing", group)).toEqual([]);
});

test("a fault that would never happen, or another one than is meant, is refused", () => {
  const redis = memoryRedis();
  redis.add(stream, { n: 1 });
  const cut = new ConnectionError("cut", { outcome: "unknown" });
  const wrong: readonly (() => unknown)[] = [
    ...[0, Number.NaN, "2"].map((times) => () => redis.failNext("add", cut, { times } as never)),
    () => redis.failNext("add", cut, { time: 2 } as never),
    () => redis.failNext("add", cut, { moment: "during" } as never),
    () => redis.failNext("add", "cut" as never),
    () => redis.failNext("add", new Error("cut") as never),
    () => redis.hold("add", { moment: "during" } as never),
    () => redis.jumpServerClock(Number.NaN),
    ...[0, Number.NaN].map((count) => () => redis.deliverTo("worker-1", { stream, group, count })),
    () => memoryRedis({ clock: {} as never }),
  ];
  for (const call of wrong) expect(call).toThrow(expect.objectContaining({ name: "ConfigError" }));
});

test("services that are closed are let go of, however long their Redis lives", async () => {
  setFlagsFromString("--expose-gc");
  const collectGarbage = runInNewContext("gc") as () => void;
  const redis = memoryRedis();
  const gone = await Promise.all(
    Array.from({ length: 10 }, async () => {
      const producer = new Producer({ redis, stream });
      await producer.add({ n: 1 });
      await producer.close();
      return new WeakRef(producer);
    }),
  );
  await eventually("they are collected", () => {
    collectGarbage();
    return gone.every((service) => service.deref() === undefined);
  });
  expect(redis.entries(stream)).toHaveLength(10);
});

test("anything can be made to fail, as often as is said", async () => {
  const redis = memoryRedis();
  const deadLetters = new DeadLetters({ redis, stream, group });
  redis.failNext("any", new ServerStateError("loading", { state: "LOADING" }), { times: 2 });
  await expect(deadLetters.count()).rejects.toMatchObject({ state: "LOADING" });
  await expect(deadLetters.count()).rejects.toMatchObject({ state: "LOADING" });
  expect(await deadLetters.count()).toBe(0);
  await deadLetters.close();
});

test("is shown by the names of its streams, without their contents", () => {
  const redis = memoryRedis();
  redis.add(stream, { secret: "payload" });
  expect(inspect(redis)).toBe("MemoryRedis { streams: [ 'orders' ] }");
});

test("a server's clock that jumps shows in the ids", () => {
  const redis = memoryRedis({ clock: new ManualClock(), serverTimeMs: 1_000 });
  expect(redis.add(stream, { n: 1 })).toBe("1000-0");
  redis.jumpServerClock(5_000);
  expect(redis.add(stream, { n: 2 })).toBe("6000-0");
});
