/** An empty `fetch()` is an honest one: the server was asked after the call and had nothing. */
import { ConnectionError } from "@redis-batch/core";
import { eventually, FaultProxy, fairNowMs, useServer } from "@redis-batch/test-support";
import { describe, expect, it } from "vitest";
import { useGroup, valuesOf } from "./group.ts";

const redis = useServer();
const group = useGroup(redis);

// On a line where a round trip takes longer than most of the waits, too.
const shapes = [0, 20].flatMap((latencyMs) =>
  [0, 1, 5, 50].flatMap((maxWaitMs) =>
    [0, 1].flatMap((prefetch) => [1, 4].map((concurrency) => ({ latencyMs, maxWaitMs, prefetch, concurrency }))),
  ),
);

describe("fetch() in a plain loop", () => {
  it.each(shapes)(
    "gets 1,000 waiting messages in full batches (line $latencyMs ms, maxWaitMs $maxWaitMs, prefetch $prefetch, concurrency $concurrency)",
    async ({ latencyMs, ...shape }) => {
      const made = group();
      await using proxy = await FaultProxy.start(made.server, { faults: { latencyMs } });
      await made.fill(1_000);
      const { consumer } = made.consumer({ ...shape, redis: proxy.options, batchSize: 50 });
      const sizes: number[] = [];
      const seen = new Set<string>();
      while (seen.size < 1_000 && sizes.length < 200) {
        const batch = await consumer.fetch();
        sizes.push(batch.size);
        for (const value of valuesOf(batch)) seen.add(value);
        batch.ack();
      }
      expect([seen.size, sizes.filter((size) => size === 0).length]).toEqual([1_000, 0]);
      expect(sizes.length).toBeLessThanOrEqual(25);
    },
  );

  it.each(shapes)(
    "until it is empty has got every message (line $latencyMs ms, maxWaitMs $maxWaitMs, prefetch $prefetch, concurrency $concurrency)",
    async ({ latencyMs, ...shape }) => {
      const made = group();
      await using proxy = await FaultProxy.start(made.server, { faults: { latencyMs } });
      await made.fill(120);
      const { consumer } = made.consumer({ ...shape, redis: proxy.options, batchSize: 50 });
      const seen = new Set<string>();
      for (;;) {
        const batch = await consumer.fetch();
        if (batch.size === 0) break;
        for (const value of valuesOf(batch)) seen.add(value);
        batch.ack();
      }
      expect(seen.size).toBe(120);
    },
  );

  it.each([0, 1])(
    "gets what was added before the call, each time, without any wait (prefetch %i)",
    async (prefetch) => {
      const made = group();
      const { consumer } = made.consumer({ prefetch, maxWaitMs: 0 });
      expect((await consumer.fetch()).size).toBe(0);
      for (let n = 0; n < 30; n++) {
        await made.add(n);
        const batch = await consumer.fetch();
        expect(valuesOf(batch)).toEqual([String(n)]);
        batch.ack();
        expect((await consumer.fetch()).size).toBe(0);
      }
    },
  );

  it.each([0, 1])("gets what is pending under its name from an earlier run, too (prefetch %i)", async (prefetch) => {
    const made = group();
    await made.fill(120);
    await made.readAs("worker", 70);
    const { consumer } = made.consumer({ name: "worker", prefetch, maxWaitMs: 0, batchSize: 50 });
    const seen = new Set<string>();
    for (;;) {
      const batch = await consumer.fetch();
      if (batch.size === 0) break;
      for (const value of valuesOf(batch)) seen.add(value);
      batch.ack();
      await batch.settled();
    }
    expect(seen.size).toBe(120);
  });

  it.each([0, 1])("lets timers run, also when there is nothing (prefetch %i)", async (prefetch) => {
    const made = group();
    const { consumer } = made.consumer({ prefetch, maxWaitMs: 0 });
    await consumer.fetch();
    let turns = 0;
    let isOver = false;
    const turn = (): void => {
      turns++;
      if (!isOver) setImmediate(turn);
    };
    setImmediate(turn);
    for (let call = 0; call < 100; call++) await consumer.fetch();
    isOver = true;
    expect(turns).toBeGreaterThanOrEqual(100);
  });
});

describe("while the server is away", () => {
  it.each(["silent", "refusing"] as const)(
    "fetch() rejects with a retryable error after maxWaitMs, and works again later (%s)",
    async (how) => {
      const made = group();
      await using proxy = await FaultProxy.start(made.server);
      const { consumer, events } = made.consumer({
        redis: proxy.options,
        maxWaitMs: 600,
        batchSize: 5,
        leaseMs: 30_000,
      });
      expect((await consumer.fetch()).size).toBe(0);
      if (how === "silent") proxy.set({ blackhole: true });
      else {
        proxy.set({ refuse: true });
        proxy.reset();
        await events.waitFor("disconnected");
      }
      const [startedMs, fairMs] = [performance.now(), fairNowMs()];
      const error: unknown = await consumer.fetch().then(
        (batch) => `a batch of ${batch.size}`,
        (cause: unknown) => cause,
      );
      const [tookMs, fairTookMs] = [performance.now() - startedMs, fairNowMs() - fairMs];
      expect(ConnectionError.is(error) ? { retryable: error.retryable } : error).toEqual({ retryable: true });
      expect(tookMs).toBeGreaterThan(500);
      expect(fairTookMs).toBeLessThan(4_000);
      expect(consumer.health()).toMatchObject({ ready: false, intake: "server-away" });
      proxy.heal();
      await made.add(1);
      await eventually(
        "fetch() gets the message",
        async () => (await consumer.fetch().catch(() => ({ size: 0 }))).size === 1,
      );
    },
  );
});

describe("messages without an outcome on a quiet stream", () => {
  it.each([
    { maxWaitMs: 2_000, baseMs: 500 },
    { maxWaitMs: 1_000, baseMs: 100 },
  ])("are what the next fetch() waits for (maxWaitMs $maxWaitMs, baseMs $baseMs)", async ({ maxWaitMs, baseMs }) => {
    const made = group();
    await made.add(1, 2);
    const { consumer } = made.consumer({ maxWaitMs, retry: { baseMs } });
    expect((await consumer.fetch()).size).toBe(2);
    for (const deliveries of [2, 3, 4]) {
      const startedMs = performance.now();
      const batch = await consumer.fetch();
      expect([...batch].map((message) => message.deliveries)).toEqual([deliveries, deliveries]);
      expect(performance.now() - startedMs).toBeGreaterThan(baseMs * 0.8);
    }
  });

  it.each([50, 400])(
    "leave fetch() empty until retry.baseMs has passed where that is later (maxWaitMs %i)",
    async (maxWaitMs) => {
      const made = group();
      await made.add(1, 2);
      const { consumer } = made.consumer({ maxWaitMs, retry: { baseMs: 1_000 } });
      expect((await consumer.fetch()).size).toBe(2);
      for (const deliveries of [2, 3]) {
        const [startedMs, fairMs] = [performance.now(), fairNowMs()];
        let batch = await consumer.fetch();
        let empty = 0;
        while (batch.size === 0 && empty < 100) {
          empty++;
          batch = await consumer.fetch();
        }
        const [tookMs, fairTookMs] = [performance.now() - startedMs, fairNowMs() - fairMs];
        expect([...batch].map((message) => message.deliveries)).toEqual([deliveries, deliveries]);
        expect(tookMs).toBeGreaterThan(800);
        expect(fairTookMs).toBeLessThan(4_000);
        // Each empty one took its time.
        expect(empty).toBeGreaterThanOrEqual(1);
        expect(empty).toBeLessThanOrEqual(Math.ceil(tookMs / maxWaitMs));
      }
    },
  );

  it("that say when they are redelivered come then, in the next fetch(), however long baseMs is", async () => {
    const made = group();
    await made.add(1, 2);
    const { consumer } = made.consumer({ maxWaitMs: 2_000, retry: { baseMs: 60_000, capMs: 60_000 } });
    for (const message of await consumer.fetch()) message.retry({ delayMs: 300 });
    const again = await consumer.fetch();
    expect([...again].map(({ deliveries }) => deliveries)).toEqual([2, 2]);
  });

  it("come together with a new one, at once", async () => {
    const made = group();
    await made.add(1, 2);
    const { consumer } = made.consumer({ batchSize: 3, maxWaitMs: 15_000, retry: { baseMs: 10_000, capMs: 10_000 } });
    const first = consumer.fetch();
    await made.add(3);
    expect((await first).size).toBe(3);
    const startedMs = fairNowMs();
    const second = consumer.fetch();
    await made.add(4, 5);
    const batch = await second;
    expect(batch.size).toBe(3);
    expect([...batch].filter((message) => message.deliveries === 1).length).toBeGreaterThanOrEqual(1);
    expect(fairNowMs() - startedMs).toBeLessThan(5_000);
  });
});
