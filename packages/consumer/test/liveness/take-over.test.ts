/** What the dead leave behind comes to those who live: soon, however much it is, and whatever else they have to do. */
import { eventually, useServer } from "@redis-batch/test-support";
import { describe, expect, it } from "vitest";
import type { Handler } from "../../src/index.ts";
import { acknowledge, type Fields, useGroup, valuesOf } from "./group.ts";

const group = useGroup(useServer());

const quick = { maxWaitMs: 50, leaseMs: 1_000, recoverEveryMs: 300, foreignIdleMs: 1_000, blockMs: 100 } as const;

/** Defers what is called `later` for a minute, and acknowledges the rest. */
const deferLater: Handler<Fields> = (batch) => {
  for (const message of batch) {
    if (message.fields["n"]?.startsWith("later")) message.retry({ delayMs: 60_000 });
    else message.ack();
  }
};

describe("a consumer with own messages in a retry delay", () => {
  it.each([
    { batchSize: 1, own: 1 },
    { batchSize: 5, own: 1 },
    { batchSize: 10, own: 1 },
    { batchSize: 10, own: 10 },
    { batchSize: 10, own: 100 },
  ])("takes over all that a dead one left (batchSize $batchSize, $own own)", async ({ batchSize, own }) => {
    const made = group();
    const { consumer } = made.start(deferLater, { ...quick, batchSize });
    await made.add(...Array.from({ length: own }, (_, index) => `later ${index}`));
    await eventually("they are deferred", () => made.offered() === own);
    // The dead one's read must not be a race with ours: it died with a stream of its own messages.
    consumer.pause();
    await made.fill(30);
    await made.leaveBehind({ name: "dead", count: 30, leaseMs: 1_000 });
    consumer.resume();
    await eventually("all 30 are offered", () => made.offered() === own + 30, { timeoutMs: 12_000 });
    expect(made.offers).toHaveLength(own + 30);
    await eventually("only the own ones are left", async () => (await made.pending()).length === own);
  });

  it("goes on reading new messages while as many as maxDeferred are deferred", async () => {
    const made = group();
    made.start(deferLater, { ...quick, batchSize: 10, maxDeferred: 10 });
    await made.add(...Array.from({ length: 30 }, (_, index) => `later ${index}`));
    await made.fill(50);
    await eventually("the others are done", () => made.offered() === 80, { timeoutMs: 12_000 });
    expect(made.offers).toHaveLength(80);
    await eventually("what is deferred beyond maxDeferred is deferred for everybody", async () => {
      const byName = await made.pendingByName();
      return Object.values(byName).reduce((sum, count) => sum + count, 0) === 30 && (byName["rb:later"] ?? 0) >= 20;
    });
  });

  it("takes over under fetch(), too", async () => {
    const made = group();
    await made.add("later");
    const { consumer } = made.consumer({ ...quick, batchSize: 10 });
    for (const message of await consumer.fetch()) message.retry({ delayMs: 60_000 });
    await made.fill(30);
    await made.leaveBehind({ name: "dead", count: 30, leaseMs: 1_000 });
    const seen = new Set<string>();
    await eventually(
      "all 30 are fetched",
      async () => {
        const batch = await consumer.fetch();
        for (const n of valuesOf(batch)) seen.add(n);
        batch.ack();
        return seen.size === 30;
      },
      { timeoutMs: 12_000 },
    );
    await eventually("only the own one is left", async () => (await made.pending()).length === 1);
    expect(Object.keys(await made.pendingByName())).toEqual(["rb:later"]);
  });
});

describe("much that a dead consumer left", () => {
  it("20,000 messages: one idle consumer acknowledges them within 30 s of the death being known", async () => {
    const made = group();
    await made.fill(20_000);
    const { consumer } = made.start(acknowledge, { ...quick, leaseMs: 2_000, batchSize: 100, maxWaitMs: 500 });
    consumer.pause();
    await made.leaveBehind({ name: "dead", count: 20_000, leaseMs: 2_000 });
    consumer.resume();
    await eventually("its death is known", async () => ((await made.pendingByName())["dead"] ?? 0) < 20_000, {
      timeoutMs: 15_000,
    });
    await made.finish(30_000);
    expect(made.offered()).toBe(20_000);
    expect(made.offers).toHaveLength(20_000);
    await eventually("its name is gone", async () => (await made.names()).join() === consumer.name);
  });

  it("60,000 messages among three consumers: each gets what it has places for, and none is idle", async () => {
    const made = group();
    const batchSize = 100;
    await made.fill(60_000);
    await made.leaveBehind({ name: "dead", count: 60_000, leaseMs: 2_000 });
    const workers = [1, 2, 3].map(() =>
      made.start(acknowledge, { ...quick, leaseMs: 2_000, batchSize, maxWaitMs: 500 }),
    );
    let most = 0;
    await eventually(
      "all is done",
      async () => {
        const byName = await made.pendingByName();
        for (const { consumer } of workers) most = Math.max(most, byName[consumer.name] ?? 0);
        if (await made.isFinished()) return true;
        throw new Error(`offered ${made.offered()}; pending ${JSON.stringify(byName)}`);
      },
      { timeoutMs: 60_000 },
    );
    // One batch at work, one read ahead, and one on its way.
    expect(most).toBeLessThanOrEqual(3 * batchSize);
    for (const { consumer } of workers) expect(made.offered(consumer.name)).toBeGreaterThan(1_000);
    expect(made.offers).toHaveLength(60_000);
  });

  it("100,000 messages handed over to each of two consumers by somebody else: all are done, none twice", async () => {
    const made = group();
    // More than can be renewed within a lease.
    const each = 100_000;
    const ids = await made.fill(2 * each);
    await made.create();
    const workers = ["first", "second"].map((name) =>
      made.start(acknowledge, { ...quick, name, leaseMs: 1_000, batchSize: 100, maxWaitMs: 500 }),
    );
    for (const { consumer, events } of workers) {
      await events.waitFor("started");
      consumer.pause();
    }
    await made.readAs("leaver", 2 * each);
    await made.setDeliveries("first", ids.slice(0, each), 1);
    await made.setDeliveries("second", ids.slice(each), 1);
    for (const { consumer } of workers) consumer.resume();
    await made.finish(60_000);
    expect(made.offered()).toBe(2 * each);
    expect(made.offers).toHaveLength(2 * each);
    for (const { events } of workers) expect(events.all("outcomeTooLate")).toEqual([]);
  });
});

describe("a heartbeat from the future", () => {
  const hourMs = 3_600_000;

  it("that does not move for a lease is a dead one's: its messages are taken over, its name goes", async () => {
    const made = group();
    await made.fill(30);
    await made.leaveBehind({ name: "dead", count: 30, leaseMs: 1_000, aheadMs: hourMs });
    const { consumer } = made.start(acknowledge, { ...quick, batchSize: 10 });
    await made.finish(15_000);
    expect(made.offers.map(({ deliveries }) => deliveries)).toEqual(Array.from({ length: 30 }, () => 2));
    await eventually("its name is gone", async () => (await made.names()).join() === consumer.name);
  });

  it("that does not move for a lease does not keep its name from a new process", async () => {
    const made = group();
    await made.fill(5);
    await made.leaveBehind({ name: "worker", count: 5, leaseMs: 1_000, aheadMs: hourMs });
    await eventually(
      "the name can be used",
      async () => {
        const { consumer } = made.consumer({ ...quick, name: "worker", batchSize: 5 });
        const batch = await consumer.fetch();
        batch.ack();
        return batch.size === 5;
      },
      { timeoutMs: 15_000, pauseMs: 300 },
    );
    await made.finish(5_000);
    expect(await made.names()).toEqual(["worker"]);
  });

  it("that moves is a living one's: nobody takes its messages", async () => {
    const made = group();
    await made.fill(5);
    await made.leaveBehind({ name: "alive", count: 5, leaseMs: 1_000, aheadMs: hourMs });
    const { consumer, events } = made.start(acknowledge, { ...quick, batchSize: 10 });
    await events.waitFor("started");
    const untilMs = performance.now() + 4_000;
    await eventually("four leases have passed", async () => {
      await made.heartbeatAs("alive", { leaseMs: 1_000, aheadMs: hourMs });
      return performance.now() > untilMs;
    });
    await made.add("new");
    await eventually("the new one is done", () => made.offersOf("new").length === 1);
    expect(made.offered(consumer.name)).toBe(1);
    expect(await made.pendingByName()).toEqual({ alive: 5 });
    // It dies now: what it held is taken over then.
    await made.finish(15_000);
    expect(made.offered(consumer.name)).toBe(6);
  });
});
