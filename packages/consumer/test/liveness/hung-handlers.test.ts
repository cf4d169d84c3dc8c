/**
 * A handler that never settles keeps its place and nothing else: what it holds is free again after `maxHoldMs`, what
 * was read ahead goes to those who can work, and one message never takes down a group.
 */
import { UsageError } from "@redis-batch/core";
import { eventually, fairNowMs, runWorker, useServer } from "@redis-batch/test-support";
import { describe, expect, it } from "vitest";
import type { Handler } from "../../src/index.ts";
import { acknowledge, type Fields, type Group, hang, useGroup, valuesOf } from "./group.ts";
import type { WorkerTask } from "./group.worker.ts";

const redis = useServer();
const group = useGroup(redis);

const quick = {
  batchSize: 5,
  maxWaitMs: 100,
  leaseMs: 1_500,
  recoverEveryMs: 300,
  retry: { baseMs: 100, capMs: 200 },
} as const;

/** Hangs in its first batch, and does its work in all later ones. */
function hangOnce(): Handler<Fields> {
  let hasHung = false;
  return (batch) => {
    if (hasHung) return batch.ack();
    hasHung = true;
    return hang();
  };
}

/** Hangs with the message, wherever it comes. */
const hangWith =
  (n: string): Handler<Fields> =>
  (batch) =>
    valuesOf(batch).includes(n) ? hang() : batch.ack();

/** How often each message was offered, of those that were not offered just once. */
function repeated(made: Group): Record<string, number> {
  const times: Record<string, number> = {};
  for (const { n } of made.offers) times[n] = (times[n] ?? 0) + 1;
  return Object.fromEntries(Object.entries(times).filter(([, count]) => count !== 1));
}

describe("a consumer whose only handler hangs", () => {
  it("gives what it held too long to another one, within a second, and what it has read ahead sooner", async () => {
    const made = group();
    await made.fill(20);
    const hung = made.start(hang, { ...quick, maxHoldMs: 4_000 });
    await eventually("it holds a batch and has read the next one ahead", async () => {
      return (await made.pendingByName())[hung.consumer.name] === 10;
    });
    const hungAtMs = fairNowMs();
    const other = made.start(acknowledge, { ...quick, maxHoldMs: 4_000 });
    await eventually("the other one has done what nobody holds", () => made.offered(other.consumer.name) >= 15);
    // What was read ahead and never offered is new: its delivery was taken back.
    expect(fairNowMs() - hungAtMs).toBeLessThan(4_000);
    const mine = made.offers.filter((offer) => offer.consumer === other.consumer.name);
    expect(new Set(mine.map(({ deliveries }) => deliveries))).toEqual(new Set([1]));
    const held = await hung.events.waitFor("heldTooLong", { timeoutMs: 15_000 });
    expect(held).toMatchObject({ type: "heldTooLong" });
    const heldTooLongAtMs = fairNowMs();
    await made.finish(15_000);
    expect(fairNowMs() - heldTooLongAtMs).toBeLessThan(5_000);
    // Exactly the five that hung came twice; nobody gave up on anything.
    expect(repeated(made)).toEqual({ 0: 2, 1: 2, 2: 2, 3: 2, 4: 2 });
    expect(made.offersOf(0)[1]).toMatchObject({ consumer: other.consumer.name, deliveries: 2 });
    expect(await made.deadLetters()).toEqual([]);
  });

  it("is not live any more, holds nothing, takes nothing, and says why", async () => {
    const made = group();
    await made.fill(10);
    const hung = made.start(hang, { ...quick, maxHoldMs: 1_000 });
    await hung.events.waitFor("batch");
    const other = made.start(acknowledge, { ...quick, maxHoldMs: 1_000 });
    await eventually("it says that it is not live", () => !hung.consumer.health().live);
    await made.fill(10);
    await made.finish(15_000);
    expect(made.offered(other.consumer.name)).toBe(20);
    expect(await made.pendingByName()).toEqual({});
    expect(hung.consumer.health()).toMatchObject({ live: false, ready: false, buffered: 0, deferred: 0 });
    expect(hung.consumer.health()).toMatchObject({ handlersHung: 1, intake: "held-too-long" });
    expect(other.consumer.health()).toMatchObject({ live: true, ready: true, handlersHung: 0, intake: "open" });
  });

  it("aborts the signal of what it holds, and its late outcome is refused", async () => {
    const made = group();
    await made.add("slow");
    let reason: unknown;
    const hung = made.start(
      async (batch) => {
        const [message] = batch;
        await new Promise<void>((resolve) => message?.signal.addEventListener("abort", () => resolve()));
        reason = message?.signal.reason;
        message?.ack();
      },
      { ...quick, maxHoldMs: 1_000 },
    );
    await hung.events.waitFor("outcomeTooLate", { timeoutMs: 10_000 });
    expect(reason).toBeInstanceOf(Error);
    // It has ended: it is well again, and the message comes to it once more.
    await eventually("it is live", () => hung.consumer.health().live);
    await eventually("the message is redelivered", () => made.offersOf("slow").length === 2, { timeoutMs: 15_000 });
  });

  it("under fetch() loses what it held too long to another one, too", async () => {
    const made = group();
    await made.fill(10);
    const { consumer } = made.consumer({ ...quick, maxHoldMs: 1_500 });
    const batch = await consumer.fetch();
    expect(batch.size).toBe(5);
    const other = made.start(acknowledge, { ...quick, maxHoldMs: 1_500 });
    await made.finish(20_000);
    expect(made.offered(other.consumer.name)).toBe(10);
    for (const message of batch) expect(message.signal.aborted).toBe(true);
  });

  it("in the body of for await loses what it held too long to another one, too", async () => {
    const made = group();
    await made.fill(20);
    const { consumer, events } = made.consumer({ ...quick, maxHoldMs: 1_500 });
    void (async () => {
      for await (const batch of consumer) await hang().then(() => batch.ack());
    })().catch(() => {});
    await events.waitFor("batch");
    const other = made.start(acknowledge, { ...quick, maxHoldMs: 1_500 });
    await made.finish(20_000);
    expect(made.offered(other.consumer.name)).toBe(20);
    expect(consumer.health().live).toBe(false);
  });
});

describe("a consumer of which one handler hangs", () => {
  it("goes on in its other places, and gets what was held too long again itself when it is alone", async () => {
    const made = group();
    await made.fill(100);
    const { consumer, events } = made.start(hangOnce(), { ...quick, concurrency: 2, maxHoldMs: 1_000 });
    await made.finish(20_000);
    expect(Object.keys(repeated(made)).toSorted()).toEqual(["0", "1", "2", "3", "4"]);
    expect(consumer.health()).toMatchObject({ live: true, ready: true, handlersHung: 1 });
    expect(events.all("heldTooLong")).toHaveLength(1);
    expect(await made.deadLetters()).toEqual([]);
  });

  it("never has more handlers at work than concurrency", async () => {
    const made = group();
    await made.fill(60);
    let atWork = 0;
    let most = 0;
    const once = hangOnce();
    made.start(
      async (batch, context) => {
        most = Math.max(most, ++atWork);
        await once(batch, context);
        await new Promise(setImmediate);
        atWork--;
      },
      { ...quick, concurrency: 3, maxHoldMs: 1_000 },
    );
    await made.finish(20_000);
    expect(most).toBeLessThanOrEqual(3);
  });
});

describe("a message with which every handler hangs", () => {
  it("hangs a second one at most, then is a dead letter with the reason `hung`; all others are done", async () => {
    const made = group();
    const options = { ...quick, concurrency: 2, maxHoldMs: 1_000, maxDeliveries: 16 };
    await made.add("poison");
    const first = made.start(hangWith("poison"), options);
    await first.events.waitFor("batch");
    const second = made.start(hangWith("poison"), options);
    await made.fill(40);
    const deadLettered = await eventually(
      "it is a dead letter",
      () => [...first.events.all("deadLettered"), ...second.events.all("deadLettered")][0],
      { timeoutMs: 20_000 },
    );
    expect(deadLettered).toMatchObject({ why: "hung" });
    await made.finish(15_000);
    expect(made.offersOf("poison")).toHaveLength(2);
    expect(await made.deadLetters()).toEqual(["poison"]);
    expect(made.offered()).toBe(41);
    await made.fill(10);
    await made.finish(10_000);
    expect([first.consumer.health().live, second.consumer.health().live]).toEqual([true, true]);
  });

  it("does not take down three consumers of one place each", async () => {
    const made = group();
    const options = { ...quick, maxHoldMs: 1_000 };
    await made.add("poison");
    const workers = [made.start(hangWith("poison"), options)];
    await workers[0]?.events.waitFor("batch");
    workers.push(made.start(hangWith("poison"), options), made.start(hangWith("poison"), options));
    await made.fill(60);
    await made.finish(25_000);
    expect(made.offersOf("poison")).toHaveLength(2);
    expect(workers.filter(({ consumer }) => consumer.health().live)).toHaveLength(1);
    expect(await made.deadLetters()).toEqual(["poison"]);
  });
});

describe("a message with which every handler hangs, in a batch with others", () => {
  it("does not take its neighbours to the dead letters", async () => {
    const made = group();
    const options = { ...quick, concurrency: 2, maxHoldMs: 1_000 };
    await made.add("neighbour 1", "poison", "neighbour 2", "neighbour 3", "neighbour 4");
    made.start(hangWith("poison"), options);
    made.start(hangWith("poison"), options);
    await made.finish(25_000);
    expect(await made.deadLetters()).toEqual(["poison"]);
    expect(made.offered()).toBe(5);
  });
});

describe("a consumer whose handler is slow", () => {
  const slowMs = 6_000;

  it("leaves what it has read ahead to one that has a free place, as new messages", async () => {
    const made = group();
    await made.fill(10);
    const slow = made.start(
      async (batch) => {
        await new Promise((resolve) => setTimeout(resolve, slowMs));
        batch.ack();
      },
      { ...quick, drainMs: slowMs },
    );
    await eventually("it has read a batch ahead", async () => (await made.pendingByName())[slow.consumer.name] === 10);
    const other = made.start(acknowledge, quick);
    await eventually("the other one has got it", () => made.offered(other.consumer.name) === 5, { timeoutMs: slowMs });
    expect(slow.events.all("batchEnded")).toEqual([]);
    expect(made.offersOf(5)).toMatchObject([{ consumer: other.consumer.name, deliveries: 1 }]);
    await made.finish(3 * slowMs);
    expect(made.offers).toHaveLength(10);
  });

  it("keeps the order, and offers nothing twice, when it is alone", async () => {
    const made = group();
    await made.fill(25);
    made.start(
      async (batch) => {
        await new Promise((resolve) => setTimeout(resolve, 1_500));
        batch.ack();
      },
      { ...quick, drainMs: 2_000 },
    );
    await made.finish(25_000);
    expect(made.offers.map(({ n }) => Number(n))).toEqual(Array.from({ length: 25 }, (_, n) => n));
    expect(made.offers.every(({ deliveries }) => deliveries === 1)).toBe(true);
  });
});

describe("a suspect at work that hangs", () => {
  it("holds up other suspects only: new messages and healthy ones that failed once go on", async () => {
    const made = group();
    await made.add("X", "Y");
    let hasHung = false;
    const handler: Handler<Fields> = async (batch) => {
      for (const message of batch) {
        const n = message.fields["n"] ?? "";
        if (n === "X" && message.deliveries >= 3) {
          hasHung = true;
          await hang();
        } else if (n === "X" || n === "Y" || (n.startsWith("healthy") && message.deliveries === 1)) message.retry();
        else message.ack();
      }
    };
    const { consumer } = made.start(handler, {
      ...quick,
      concurrency: 3,
      maxDeliveries: 4,
      maxOutageMs: 0,
      maxDeferred: 20,
      leaseMs: 3_000,
      maxHoldMs: 60_000,
    });
    await eventually("the suspect hangs", () => hasHung);
    const values = Array.from({ length: 60 }, (_, index) => (index % 3 === 0 ? `healthy ${index}` : `new ${index}`));
    await made.add(...values);
    await eventually(
      "everything but the suspects is done",
      async () => {
        const left = await made.pending();
        if (left.length <= 2 && made.offered() === 62) return true;
        throw new Error(`offered ${made.offered()} of 62, pending ${left.length}`);
      },
      { timeoutMs: 15_000 },
    );
    const healthy = values.filter((value) => value.startsWith("healthy"));
    expect(healthy.map((value) => made.offersOf(value).length)).toEqual(healthy.map(() => 2));
    expect(made.offersOf("X")).toHaveLength(3);
    expect(consumer.health()).toMatchObject({ live: true, ready: true });
  });
});

describe("suspects", () => {
  const suspects = 40;
  const healthy = 60;

  it("are passed by new messages and by healthy ones that are delivered again", async () => {
    const made = group();
    await made.add(...Array.from({ length: suspects }, (_, index) => `suspect ${index}`));
    await made.leaveBehind({ name: "dead", count: suspects, leaseMs: 1_000, deliveries: 3 });
    await made.add(...Array.from({ length: healthy / 2 }, (_, index) => `healthy again ${index}`));
    await made.readAs("dead", healthy / 2);
    await made.add(...Array.from({ length: healthy / 2 }, (_, index) => `healthy new ${index}`));
    const worker = made.start(
      async (batch) => {
        // A suspect is slow to deal with.
        if (valuesOf(batch).some((n) => n.startsWith("suspect"))) {
          await new Promise((resolve) => setTimeout(resolve, 200));
        }
        batch.ack();
      },
      { ...quick, batchSize: 10, leaseMs: 1_000, maxDeliveries: 4, maxHoldMs: 60_000 },
    );
    await made.finish(25_000);
    const order = made.offers.map(({ n }) => n);
    const last = order.findLastIndex((n) => n.startsWith("healthy"));
    const before = order.slice(0, last).filter((n) => n.startsWith("suspect")).length;
    // Healthy messages make six batches; a suspect has its turn between two of them at most.
    expect(before).toBeLessThanOrEqual(12);
    expect(order).toHaveLength(suspects + healthy);
    expect(worker.events.all("deadLettered")).toEqual([]);
  });

  it("are offered one at a time, alone, whatever the concurrency", async () => {
    const made = group();
    await made.add(...Array.from({ length: 6 }, (_, index) => `suspect ${index}`));
    await made.leaveBehind({ name: "dead", count: 6, leaseMs: 1_000, deliveries: 3 });
    await made.add(...Array.from({ length: healthy }, (_, index) => `healthy ${index}`));
    let atWork = 0;
    let most = 0;
    made.start(
      async (batch) => {
        const isSuspect = valuesOf(batch).some((n) => n.startsWith("suspect"));
        if (isSuspect) most = Math.max(most, ++atWork);
        await new Promise((resolve) => setTimeout(resolve, 50));
        if (isSuspect) atWork--;
        batch.ack();
      },
      { ...quick, batchSize: 10, concurrency: 4, leaseMs: 1_000, maxDeliveries: 4 },
    );
    await made.finish(20_000);
    expect(most).toBe(1);
    const offers = made.offers.filter(({ n }) => n.startsWith("suspect"));
    expect(offers.map(({ batchSize }) => batchSize)).toEqual([1, 1, 1, 1, 1, 1]);
  });
});

describe("close() while a handler hangs", () => {
  it.each([1, 3])("resolves after drainMs, and run() with the same report (concurrency %i)", async (concurrency) => {
    const made = group();
    await made.fill(20);
    const { consumer, events, running } = made.start(hang, { ...quick, concurrency, drainMs: 500 });
    await events.waitFor("batch", { count: concurrency });
    const startedMs = performance.now();
    const report = await consumer.close();
    const ended = await Promise.race([
      running,
      eventually("the time is over", () => performance.now() > startedMs + 8_000),
    ]);
    expect(ended).toEqual(report);
    expect(report).toMatchObject({ abandoned: 5 * concurrency });
    // And the messages are free for the next one.
    const next = made.start(acknowledge, quick);
    await made.finish(10_000);
    expect(made.offered(next.consumer.name)).toBe(20);
  });

  it("run() resolves when its signal aborts, too", async () => {
    const made = group();
    await made.fill(5);
    const { consumer, events } = made.consumer({ ...quick, drainMs: 500 });
    const stop = new AbortController();
    const running = consumer.run(hang, { signal: stop.signal });
    await events.waitFor("batch");
    const startedMs = performance.now();
    stop.abort();
    const ended = await Promise.race([
      running,
      eventually("the time is over", () => performance.now() > startedMs + 8_000),
    ]);
    expect(ended).toMatchObject({ abandoned: 5, nameRemoved: true });
  });

  it("lets the process end by itself, with its last line printed", async () => {
    const made = group();
    await made.fill(5);
    const task = {
      ...{ url: made.server.url, stream: made.stream, group: made.group, how: "hang" },
      options: { ...quick, drainMs: 300 },
    } as const satisfies WorkerTask;
    await using worker = await runWorker(new URL("group.worker.ts", import.meta.url), {
      args: [JSON.stringify(task)],
    });
    await worker.waitForLine(/^offered /);
    worker.send("close");
    await worker.waitForLine(/^run resolved /, { timeoutMs: 15_000 });
    expect(await worker.exited).toEqual({ code: 0, signal: null });
  });
});

describe("close() inside a handler", () => {
  it.each([1, 2])("returns at once, or says at once what to do instead (concurrency %i)", async (concurrency) => {
    const made = group();
    await made.fill(5);
    const { consumer } = made.consumer({ ...quick, concurrency, drainMs: 12_000 });
    let tookMs = Number.POSITIVE_INFINITY;
    const hints: unknown[] = [];
    const startedMs = fairNowMs();
    await consumer.run(async (batch, { signal }) => {
      const calledMs = fairNowMs();
      try {
        await Promise.race([consumer.close(), new Promise((resolve) => signal.addEventListener("abort", resolve))]);
      } catch (error) {
        hints.push(error);
        void consumer.close();
      }
      tookMs = fairNowMs() - calledMs;
      batch.ack();
    });
    expect(tookMs).toBeLessThan(3_000);
    expect(fairNowMs() - startedMs).toBeLessThan(9_000);
    expect(hints.filter((hint) => !UsageError.is(hint))).toEqual([]);
    expect(await made.pendingByName()).toEqual({});
  });
});
