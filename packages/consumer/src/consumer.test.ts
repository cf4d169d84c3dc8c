/**
 * The consumer on a Redis in memory and a clock that only the test moves: faults and moments that a real server cannot be made
 * to produce.
 */
import { ConnectionError, NoGroupError, PermissionError, ServerStateError } from "@redis-batch/core";
import { deferred } from "@redis-batch/test-support";
import { describe, expect, it } from "vitest";
import { openInMemory } from "../test/memory-bench.ts";

const unknownOutcome = (): ConnectionError => new ConnectionError("the reply was lost", { outcome: "unknown" });
const away = (): ConnectionError => new ConnectionError("no connection", { outcome: "not-sent" });

describe("starting", () => {
  it("begins again when the stream is deleted between the creation of the group and of the consumer", async () => {
    const { clock, redis, events, consumer } = await openInMemory();
    redis.failNext("xgroupCreateConsumer", new NoGroupError("NOGROUP"));
    const running = consumer.run((batch) => batch.ack());
    await clock.advance(1_000);
    expect(events.all("started")).toHaveLength(1);
    void consumer.close();
    await clock.advance(1_000);
    await running;
  });
});

describe("reading", () => {
  it("pauses longer after each failure, and says so, instead of spinning", async () => {
    const { clock, redis, events, consumer } = await openInMemory();
    redis.failNext("xreadgroup", new ServerStateError("xreadgroup: MISCONF", { state: "MISCONF" }), { times: 4 });
    const running = consumer.run((batch) => batch.ack());
    await clock.advance(10_000);
    const pauses = events.all("readFailed").map(({ retryInMs, error }) => [retryInMs, error.code]);
    expect(pauses).toEqual([
      [100, "SERVER_STATE"],
      [200, "SERVER_STATE"],
      [400, "SERVER_STATE"],
      [800, "SERVER_STATE"],
    ]);
    void consumer.close();
    await clock.advance(1_000);
    await running;
  });

  it("tries four times a second while no server has the stream: nobody says when there is one again", async () => {
    const { clock, redis, consumer, add, events } = await openInMemory({ maxWaitMs: 100 });
    const offeredAtMs: number[] = [];
    const running = consumer.run((batch) => {
      offeredAtMs.push(clock.nowMs());
      batch.ack();
    });
    for (const error of [away(), new ServerStateError("xreadgroup: CLUSTERDOWN", { state: "CLUSTERDOWN" })]) {
      await clock.advance(5_000);
      const failed = events.all("readFailed").length;
      redis.failNext("xreadgroup", error, { times: 20 });
      while (events.all("readFailed").length < failed + 20) await clock.advanceToNext();
      const backAtMs = clock.nowMs();
      await add(1);
      while (offeredAtMs.length === 0) await clock.advanceToNext();
      expect((offeredAtMs.pop() ?? 0) - backAtMs).toBeLessThanOrEqual(250 + 100);
    }
    void consumer.close();
    await clock.advance(1_000);
    await running;
  });

  it("starts soon after there is a server for the stream again", async () => {
    const { clock, redis, events, consumer } = await openInMemory();
    const refusal = new ServerStateError("no master", { state: "CLUSTERDOWN" });
    redis.failNext("xgroupCreateConsumer", refusal, { times: 10 });
    const startedAtMs = clock.nowMs();
    const running = consumer.run((batch) => batch.ack());
    while (events.all("started").length === 0) await clock.advanceToNext();
    expect(clock.nowMs() - startedAtMs).toBeLessThanOrEqual(10 * 250);
    void consumer.close();
    await clock.advance(1_000);
    await running;
  });

  it("does not spin when a group that exists is said to be missing", async () => {
    const { clock, redis, events, consumer } = await openInMemory();
    redis.failNext("xreadgroup", new NoGroupError("NOGROUP"), { times: 3 });
    const running = consumer.run((batch) => batch.ack());
    await clock.advance(5_000);
    expect(events.all("groupCreated")).toHaveLength(1);
    expect(events.all("readFailed").map(({ retryInMs }) => retryInMs)).toEqual([100, 200, 400]);
    void consumer.close();
    await clock.advance(1_000);
    await running;
  });

  it("rejects a fetch in time while the server is away: nothing is no answer then", async () => {
    const { redis, consumer, fetch, add, clock } = await openInMemory();
    await fetch();
    redis.failNext("xreadgroup", away(), { times: 2 });
    redis.drop("reader");
    await add(1);
    await expect(fetch()).rejects.toMatchObject({ code: "CONNECTION", retryable: true });
    expect(consumer.health()).toMatchObject({ live: true, state: "running" });
    await clock.advance(5_000);
    expect((await fetch()).size).toBe(1);
  });

  it("offers once what was delivered with a reply that got lost, and does not count the delivery that nobody saw", async () => {
    const { redis, events, fetch, add } = await openInMemory();
    await fetch();
    redis.failNext("xreadgroup", unknownOutcome(), { moment: "after" });
    redis.drop("reader");
    const id = await add(1);
    let batch = await fetch();
    while (batch.size === 0) batch = await fetch();
    expect(batch.messages.map((message) => [message.id, message.deliveries])).toEqual([[id, 1]]);
    expect(events.all("undeliveredFound")).toMatchObject([{ type: "undeliveredFound", messages: 1 }]);
  });
});

describe("messages that take longer than their lease to arrive", () => {
  it("are not offered before it is certain whose they are", async () => {
    const { clock, redis, events, consumer, add, other, pending, close, stream, group } = await openInMemory();
    const offered: string[] = [];
    const running = consumer.run((batch) => {
      offered.push(...batch.messages.map(({ id }) => id));
      batch.ack();
    });
    await clock.advance(5_000);
    const held = redis.hold("xreadgroup", { moment: "after" });
    const id = await add(1);
    // Meanwhile it cannot be heard of, and has nothing to renew.
    redis.failNext("heartbeat", away(), { times: 1_000 });
    await clock.advance(120_000);
    const theft = { stream, group, from: "me", to: "thief", foreignIdleMs: 1, toUnregistered: true };
    expect(await other.handOver({ ...theft, ids: [id] })).toMatchObject({ ids: [id] });
    held.release();
    await clock.advance(5_000);
    expect(offered).toEqual([]);
    expect(events.all("outcomeTooLate")).toMatchObject([{ type: "outcomeTooLate", ids: [id], why: "not-owned" }]);
    expect(await pending()).toEqual([id]);
    await close();
    await running;
  });

  it("are offered when they turn out to be its own, and acknowledged by an owner check", async () => {
    const { clock, redis, events, consumer, add, pending, close } = await openInMemory();
    const running = consumer.run((batch) => batch.ack());
    await clock.advance(5_000);
    const held = redis.hold("xreadgroup", { moment: "after" });
    await add(1);
    await clock.advance(120_000);
    held.release();
    await clock.advance(5_000);
    expect(events.all("acknowledged")).toMatchObject([{ type: "acknowledged", messages: 1 }]);
    expect(await pending()).toEqual([]);
    await close();
    await running;
  });
});

describe("acknowledging", () => {
  it("goes on until the server has it, with pauses that grow", async () => {
    const { clock, redis, events, fetch, add, pending } = await openInMemory();
    await add(1);
    const batch = await fetch();
    redis.failNext("xack", away(), { times: 3 });
    batch.ack();
    const settling = batch.settled();
    await clock.advance(5_000);
    expect((await settling).acknowledged).toHaveLength(1);
    expect(events.all("ackFailed").map(({ retryInMs }) => retryInMs)).toEqual([50, 100, 200]);
    expect(await pending()).toEqual([]);
  });

  it("does not call a message lost that its own first attempt has acknowledged", async () => {
    const { clock, redis, events, fetch, add } = await openInMemory();
    const id = await add(1);
    const batch = await fetch();
    redis.failNext("xack", unknownOutcome(), { moment: "after" });
    batch.ack();
    const settling = batch.settled();
    await clock.advance(1_000);
    expect(await settling).toMatchObject({ acknowledged: [id], tooLate: [] });
    expect(events.all("outcomeTooLate")).toEqual([]);
  });

  it("does not take for its own what was lost to another consumer, when the first reply was lost as well", async () => {
    const { clock, redis, events, fetch, add, other, pending, stream, group } = await openInMemory();
    const [toAck, toDeadLetter] = [await add(1), await add(2)];
    const batch = await fetch();
    // It cannot be heard of for longer than its lease.
    for (const operation of ["heartbeat", "renewOwned"] as const) redis.failNext(operation, away(), { times: 1_000 });
    await clock.advance(120_000);
    const theft = { stream, group, from: "me", to: "thief", foreignIdleMs: 1, toUnregistered: true };
    expect(await other.handOver({ ...theft, ids: [toAck, toDeadLetter] })).toMatchObject({ kind: "moved" });
    redis.failNext("ackOwned", unknownOutcome());
    redis.failNext("moveToDeadLetters", unknownOutcome());
    batch.messages[0]?.ack();
    batch.messages[1]?.deadLetter("no");
    const settling = batch.settled();
    await clock.advance(5_000);
    expect(await settling).toMatchObject({ acknowledged: [], deadLettered: [], tooLate: [toAck, toDeadLetter] });
    expect(events.all("acknowledged")).toEqual([]);
    expect(events.all("deadLettered")).toEqual([]);
    expect(await pending()).toEqual([toAck, toDeadLetter]);
  });

  it("wins against a redelivery whose reply is still on its way", async () => {
    const { clock, redis, events, fetch, add, pending, consumer } = await openInMemory({ batchSize: 1 });
    const id = await add(1);
    const batch = await fetch();
    const held = redis.hold("redeliverOwn", { moment: "after" });
    const next = consumer.fetch();
    await clock.settle();
    batch.ack();
    await clock.settle();
    held.release();
    await clock.advance(2_000);
    expect((await next).size).toBe(0);
    expect(await batch.settled()).toMatchObject({ acknowledged: [id] });
    expect(await pending()).toEqual([]);
    expect(events.all("redelivered")).toEqual([]);
  });

  it("collects the next acknowledgements while one command is on its way", async () => {
    const { clock, redis, events, fetch, add } = await openInMemory();
    for (const n of [1, 2, 3]) await add(n);
    const batch = await fetch();
    const held = redis.hold("xack");
    for (const message of batch) {
      message.ack();
      await clock.settle();
    }
    held.release();
    await batch.settled();
    expect(events.all("acknowledged").map(({ messages }) => messages)).toEqual([1, 2]);
  });
});

describe("an acknowledgement that is answered before the list of pending messages arrives, in which it still stands", () => {
  it("is not taken for a message that got lost", async () => {
    const { clock, redis, events, consumer, add } = await openInMemory({ batchSize: 1, prefetch: 1, blockMs: 100 });
    await add(1);
    const handled = deferred<void>();
    const running = consumer.run(async (batch) => {
      await handled.promise;
      batch.ack();
    });
    await clock.settle();
    // A failed read has the lists compared.
    redis.failNext("xreadgroup", away());
    const list = redis.hold("xpendingRange", { moment: "after" });
    await clock.advance(1_000);
    expect(list.count).toBe(1);
    handled.resolve();
    await clock.settle();
    expect(events.all("acknowledged")).toHaveLength(1);
    list.release();
    await clock.advance(1_000);
    expect(events.all("undeliveredFound")).toEqual([]);
    expect(events.all("outcomeTooLate")).toEqual([]);
    void consumer.close();
    await clock.advance(1_000);
    await running;
  });
});

describe("a group that is deleted while outcomes are on their way", () => {
  it("makes them lost, and does not end the consumer", async () => {
    const { clock, redis, events, consumer, add } = await openInMemory({ batchSize: 2 });
    redis.failNext("xack", unknownOutcome());
    redis.failNext("ackOwned", new NoGroupError("NOGROUP"));
    redis.failNext("moveToDeadLetters", new NoGroupError("NOGROUP"));
    const [toAck, toDeadLetter] = [await add(1), await add(2)];
    const running = consumer.run((batch) => {
      batch.messages.find(({ id }) => id === toAck)?.ack();
      batch.messages.find(({ id }) => id === toDeadLetter)?.deadLetter("no");
    });
    await clock.advance(2_000);
    expect(
      events
        .all("outcomeTooLate")
        .flatMap(({ ids }) => ids)
        .toSorted(),
    ).toEqual([toAck, toDeadLetter]);
    expect(consumer.health()).toMatchObject({ live: true, unconfirmedAcks: 0 });
    void consumer.close();
    await clock.advance(1_000);
    await running;
  });
});

describe("closing", () => {
  it("by the signal ends a fetch() that was still starting as any other: with an empty batch", async () => {
    const stopping = new AbortController();
    const { clock, consumer } = await openInMemory({ signal: stopping.signal });
    const fetching = consumer.fetch();
    stopping.abort();
    await clock.advance(1_000);
    expect(await fetching).toMatchObject({ size: 0, reason: "draining" });
    expect(consumer.state).toBe("closed");
  });

  it("gives up on acknowledgements that the server does not take until the deadline, and says how many", async () => {
    const { clock, redis, consumer, fetch, add } = await openInMemory({ drainMs: 1_000 });
    await add(1);
    const batch = await fetch();
    redis.failNext("xack", away(), { times: 1_000 });
    batch.ack();
    const closing = consumer.close();
    await clock.advance(999);
    expect(consumer.state).toBe("draining");
    await clock.advance(10_000);
    // What the server may never learn of is for others, at once.
    expect(await closing).toMatchObject({ unconfirmedAcks: 1, released: 1, nameRemoved: true });
    expect((await batch.settled()).open).toHaveLength(1);
  });

  it("says of an acknowledgement after close() that it had no effect", async () => {
    const { clock, consumer, events, fetch, add, pending } = await openInMemory();
    const id = await add(1);
    const batch = await fetch();
    const closing = consumer.close();
    await clock.advance(1_000);
    await closing;
    batch.ack();
    expect(events.all("outcomeTooLate")).toMatchObject([{ type: "outcomeTooLate", ids: [id], why: "closed" }]);
    expect(await pending()).toEqual([id]);
  });

  it("stays bounded when the server does not answer the final report", async () => {
    const { clock, redis, consumer, fetch } = await openInMemory({ drainMs: 1_000 });
    await fetch();
    redis.hold("removeIfEmpty");
    const closing = consumer.close();
    await clock.advance(10_000);
    expect(await closing).toMatchObject({ nameRemoved: false });
  });
});

describe("a process that died", () => {
  it("brings only what it had offered closer to the dead letters, not what it had merely read", async () => {
    const { clock, consumer, add, dieHolding, deliveries, close } = await openInMemory({
      batchSize: 4,
      maxDeliveries: 4,
    });
    for (const n of Array.from({ length: 10 }, (_, index) => index)) await add(n);
    await dieHolding("me", 10);
    const offered: string[] = [];
    // Its process is about to die of this batch.
    void consumer.run((batch) => {
      offered.push(...batch.messages.map(({ id }) => id));
      return new Promise(() => {});
    });
    await clock.advance(2_000);
    expect(offered.length).toBeGreaterThan(0);
    expect([...(await deliveries())].filter(([, count]) => count > 1).map(([id]) => id)).toEqual(offered);
    await close();
  });
});

describe("messages that must be alone", () => {
  // Their third delivery is next: of four, the last two are for one message alone.
  it.each([{ batchSize: 4 }, { batchSize: 1 }])(
    "are alone among all batches at work, so that one that kills its process takes no other with it each time: %j",
    async ({ batchSize }) => {
      const { clock, consumer, add, dieHolding, close } = await openInMemory({
        batchSize,
        maxDeliveries: 4,
        concurrency: 2,
      });
      for (const n of [1, 2, 3]) await add(n);
      const ids = await dieHolding("me", 3, 2);
      const atWork: string[][] = [];
      const endings: (() => void)[] = [];
      const running = consumer.run(async (batch) => {
        atWork.push(batch.messages.map(({ id }) => id));
        await new Promise<void>((resolve) => endings.push(resolve));
        batch.ack();
      });
      for (const count of [1, 2, 3]) {
        await clock.advance(1_000);
        expect(atWork).toHaveLength(count);
        endings[count - 1]?.();
      }
      expect(atWork.flat().toSorted()).toEqual(ids);
      await close();
      await running;
    },
  );

  it("are offered beside others where a batch is of one message anyway, as long as they have many attempts left", async () => {
    const { clock, consumer, add, dieHolding, close } = await openInMemory({
      batchSize: 1,
      maxDeliveries: 16,
      concurrency: 2,
    });
    for (const n of [1, 2]) await add(n);
    const ids = await dieHolding("me", 2, 2);
    const atWork: string[] = [];
    void consumer.run((batch) => {
      atWork.push(...batch.messages.map(({ id }) => id));
      return new Promise(() => {});
    });
    await clock.advance(1_000);
    expect(atWork.toSorted()).toEqual(ids);
    await close();
  });

  it("wait no longer than maxHoldMs for one whose handler hangs", async () => {
    const { clock, consumer, add, dieHolding, close } = await openInMemory({
      batchSize: 4,
      maxDeliveries: 4,
      concurrency: 2,
      maxHoldMs: 600_000,
    });
    for (const n of [1, 2]) await add(n);
    const ids = await dieHolding("me", 2, 2);
    const atWork: string[] = [];
    void consumer.run((batch) => {
      atWork.push(...batch.messages.map(({ id }) => id));
      return new Promise(() => {});
    });
    await clock.advance(590_000);
    expect(atWork).toHaveLength(1);
    await clock.advance(60_000);
    expect(atWork.toSorted()).toEqual(ids);
    await close();
  });
});

describe("health()", () => {
  it("is not ready while the reader is away, and live again by itself", async () => {
    const { redis, clock, consumer, fetch } = await openInMemory();
    expect(consumer.health()).toMatchObject({ state: "idle", live: true, ready: false });
    await fetch();
    expect(consumer.health()).toMatchObject({ state: "running", live: true, ready: true });
    redis.drop("reader");
    await clock.settle();
    expect(consumer.health()).toMatchObject({ live: true, ready: false });
    await fetch();
    expect(consumer.health()).toMatchObject({ ready: true });
  });

  it("counts what is held", async () => {
    const { consumer, fetch, add } = await openInMemory({ batchSize: 2 });
    for (const n of [1, 2, 3]) await add(n);
    await fetch();
    expect(consumer.health()).toMatchObject({ inFlight: 2, deferred: 0, unconfirmedAcks: 0 });
  });
});

describe("ack(id)", () => {
  const refused = (): PermissionError => new PermissionError("NOPERM", { command: "xack" });

  /** One message at work, and one that is read ahead. */
  const openWithOneAhead = async () => {
    const memory = await openInMemory({ batchSize: 1, prefetch: 1, drainMs: 1_000 });
    const [atWork, ahead] = [await memory.add(1), await memory.add(2)];
    await memory.fetch();
    await memory.clock.advance(1_000);
    return { ...memory, atWork, ahead };
  };

  it("rejects with what the server refused, whether the message was read ahead, is at work, or is not held", async () => {
    for (const which of ["ahead", "atWork", "other"] as const) {
      const { redis, clock, consumer, pending, ...ids } = await openWithOneAhead();
      for (const operation of ["xack", "ackOwned"] as const) redis.failNext(operation, refused());
      const acking = consumer.ack(which === "other" ? "1-1" : ids[which]);
      acking.catch(() => {});
      await clock.advance(1_000);
      await expect(acking).rejects.toMatchObject({ code: "PERMISSION" });
      expect(await pending()).toEqual([ids.atWork, ids.ahead]);
    }
  });

  it("rejects where the consumer stops before the server has answered: the result is unknown", async () => {
    const { redis, clock, consumer, ahead } = await openWithOneAhead();
    redis.failNext("xack", away(), { times: 1_000 });
    const acking = consumer.ack(ahead);
    acking.catch(() => {});
    const closing = consumer.close();
    await clock.advance(10_000);
    await closing;
    await expect(acking).rejects.toMatchObject({ code: "CONNECTION", outcome: "unknown" });
  });

  it("says of an id that is given twice once what became of it", async () => {
    const { clock, consumer, other, ahead, atWork, stream, group, add } = await openWithOneAhead();
    const elsewhere = await add(3);
    await other.xgroupCreate({ stream, group, position: "start" });
    const acking = consumer.ack(ahead, ahead, atWork, elsewhere, elsewhere);
    await clock.advance(1_000);
    expect(await acking).toEqual({ acknowledged: [ahead, atWork], notOwned: [elsewhere] });
  });
});
