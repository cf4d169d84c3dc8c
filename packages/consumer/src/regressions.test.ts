/** Ways in which consumers of streams have got stuck, or have got ahead of themselves, elsewhere and here: one test for each. */
import { CommandError, ConnectionError, compareEntryIds } from "@redis-batch/core";
import { groupKey, RELEASED } from "@redis-batch/core/internal/names";
import { addEntry, deferred } from "@redis-batch/test-support";
import { describe, expect, it } from "vitest";
import { openInMemory } from "../test/memory-bench.ts";

const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
const lostReply = (): ConnectionError => new ConnectionError("the reply was lost", { outcome: "unknown" });
const fail = (): never => {
  throw new Error("it never works");
};

describe("messages that are never acknowledged", () => {
  it("do not keep out new ones when they are too many to read on, and then vanish", async () => {
    const { clock, consumer, other, add, close, stream } = await openInMemory({ batchSize: 2, maxDeferred: 2 });
    const old = [await add(1), await add(2)];
    const seen = new Set<string>();
    const running = consumer.run((batch) => {
      for (const { id } of batch) seen.add(id);
      if (batch.messages.some(({ id }) => old.includes(id))) fail();
      batch.ack();
    });
    await clock.advance(100);
    expect(consumer.health()).toMatchObject({ deferred: 2 });
    await other.xdel({ stream, ids: old });
    const fresh = await add(3);
    await clock.advance(60_000);
    expect([...seen]).toEqual([...old, fresh]);
    await close();
    await running;
  });

  it("do not keep out new ones when somebody else has claimed them", async () => {
    const { clock, consumer, add, close, redis, stream, group } = await openInMemory({ batchSize: 2, maxDeferred: 2 });
    const old = [await add(1), await add(2)];
    const seen = new Set<string>();
    const running = consumer.run((batch) => {
      for (const { id } of batch) seen.add(id);
      if (batch.messages.some(({ id }) => old.includes(id))) fail();
      batch.ack();
    });
    await clock.advance(100);
    const claim = { consumer: "thief", ids: old, minIdleMs: 0, deliveries: (before: number) => before + 1 };
    redis.keys.group({ stream, group }).claim(claim, redis.keys.nowMs());
    const fresh = await add(3);
    await clock.advance(60_000);
    expect([...seen]).toEqual([...old, fresh]);
    await close();
    await running;
  });
});

describe("messages that are redelivered again and again", () => {
  it("do not keep out new ones where a batch is one message", async () => {
    const { add, fetch } = await openInMemory({ batchSize: 1, prefetch: 1 });
    const ids = [];
    for (const n of range(6)) ids.push(await add(n));
    const seen = new Set<string>();
    for (const _ of range(12)) for (const { id } of await fetch()) seen.add(id);
    expect([...seen]).toEqual(ids);
  });

  it.each([0, 1])("do not keep out new ones when each of them must be alone (prefetch %i)", async (prefetch) => {
    const { clock, consumer, add, dieHolding, close } = await openInMemory({
      prefetch,
      batchSize: 10,
      maxDeliveries: 1_000,
      retry: { baseMs: 1_000, capMs: 1_000 },
    });
    for (const n of range(20)) await add(n);
    const bad = await dieHolding("me", 20, 500);
    const fresh = [];
    for (const n of range(100)) fresh.push(await add(n));
    const done: string[] = [];
    // Slower than they are redelivered: there always is one that is due.
    const running = consumer.run(async (batch) => {
      await new Promise<void>((resolve) => clock.setTimer(100, resolve));
      if (batch.messages.some(({ id }) => bad.includes(id))) fail();
      done.push(...batch.messages.map(({ id }) => id));
      batch.ack();
    });
    await clock.advance(10_000);
    expect(done).toEqual(fresh);
    await close();
    await running;
  });

  it.each([0, 1])("do not keep out the one that would show that the sink is there (prefetch %i)", async (prefetch) => {
    const { clock, consumer, add, events, close } = await openInMemory({
      prefetch,
      batchSize: 5,
      maxWaitMs: 10,
      retry: { baseMs: 1_000, capMs: 1_000 },
    });
    const bad: string[] = [];
    for (const n of range(10)) bad.push(await add(n));
    const done: string[] = [];
    const running = consumer.run((batch) => {
      if (batch.messages.some(({ id }) => bad.includes(id))) fail();
      done.push(...batch.messages.map(({ id }) => id));
      batch.ack();
    });
    for (let passedMs = 0; passedMs < 60_000 && events.all("backingOff").length === 0; passedMs += 100) {
      await clock.advance(100);
    }
    const good = await add(100);
    await clock.advance(5_000);
    expect(done).toEqual([good]);
    expect(events.all("resumed")).toHaveLength(1);
    await close();
    await running;
  });
});

describe("messages that are deferred for long", () => {
  it("do not keep new ones out, however many they are: Redis keeps them", async () => {
    const { clock, add, fetch, events } = await openInMemory({ batchSize: 2, maxDeferred: 2, maxWaitMs: 500 });
    const ids = [];
    for (const n of range(8)) ids.push(await add(n));
    const seen = [];
    for (const _ of range(4)) {
      for (const message of await fetch()) {
        seen.push(message.id);
        message.retry({ delayMs: 60_000 });
      }
    }
    expect(seen).toEqual(ids);
    expect((await fetch()).size).toBe(0);
    expect(events.all("deferred").reduce((sum, { messages }) => sum + messages, 0)).toBe(8);
    await clock.advance(61_000);
    const again = new Set<string>();
    while (again.size < 8) for (const message of await fetch()) again.add(message.id);
    expect([...again].toSorted()).toEqual(ids.toSorted());
  });
});

describe("a message that is deferred for long while the server is away", () => {
  it("is redelivered when its time has come, however late the server learned of it", async () => {
    const { clock, redis, events, add, fetch, close } = await openInMemory({ maxWaitMs: 1_500 });
    await add(1);
    const [message] = (await fetch()).messages;
    redis.failNext("scheduleLater", new ConnectionError("away", { outcome: "not-sent" }), { times: 10 });
    message?.retry({ delayMs: 20_000 });
    await clock.advance(19_000);
    expect(events.all("deferred")).toHaveLength(1);
    expect((await fetch()).size).toBe(0);
    expect((await fetch()).messages.map(({ deliveries }) => deliveries)).toEqual([2]);
    await close();
  });
});

describe("messages that become due one after the other while the server is away for a moment", () => {
  it("are redelivered soon after it is back, however many reads have failed meanwhile", async () => {
    const { clock, redis, consumer, add, fetch, close } = await openInMemory({ batchSize: 12, maxWaitMs: 100 });
    for (const n of range(12)) await add(n);
    const first = await fetch();
    for (const [n, message] of first.messages.entries()) message.retry({ delayMs: 20 * (n + 1) });
    redis.failNext("redeliverOwn", new ConnectionError("away", { outcome: "not-sent" }), { times: 12 });
    const seen = new Set<string>();
    const running = (async (): Promise<void> => {
      while (seen.size < 12) for (const { id } of await consumer.fetch()) seen.add(id);
    })();
    await clock.advance(2_500);
    expect(seen.size).toBe(12);
    await running;
    await close();
  });
});

describe("the heartbeat", () => {
  it("heartbeats on while a handler works for long", async () => {
    const { clock, redis, consumer, add, close, stream, group } = await openInMemory({ leaseMs: 60_000 });
    await add(1);
    const finish = deferred<void>();
    const running = consumer.run(async (batch) => {
      await finish.promise;
      batch.ack();
    });
    const silentForMs = (): number => {
      const field = redis.keys.hash(groupKey("consumers", stream, group)).get(consumer.name) ?? "{}";
      return redis.keys.nowMs() - (JSON.parse(field) as { readonly at: number }).at;
    };
    await clock.advance(100);
    for (const _ of range(200)) {
      await clock.advance(5_000);
      expect(silentForMs()).toBeLessThanOrEqual(5_000);
    }
    finish.resolve();
    await clock.advance(1_000);
    await close();
    await running;
  });
});

describe("reading ahead", () => {
  it.each([
    { concurrency: 1, prefetch: 0 },
    { concurrency: 3, prefetch: 0 },
    { concurrency: 1, prefetch: 2 },
    { concurrency: 4, prefetch: 1 },
  ])("never holds more than the batches at work and those read ahead: %j", async ({ concurrency, prefetch }) => {
    const { clock, consumer, add, pending, close } = await openInMemory({ batchSize: 5, concurrency, prefetch });
    const most = 5 * (concurrency + prefetch);
    for (const n of range(100)) await add(n);
    let done = 0;
    const running = consumer.run(async (batch) => {
      await new Promise<void>((resolve) => clock.setTimer(100, resolve));
      done += batch.size;
      batch.ack();
    });
    let held = 0;
    for (const _ of range(400)) {
      await clock.advance(10);
      const holding = (await pending()).length;
      expect(holding).toBeLessThanOrEqual(most);
      held = Math.max(held, holding);
    }
    expect(done).toBe(100);
    expect(held).toBe(most);
    await close();
    await running;
  });

  it("goes further, in large reads, while batches are quick", async () => {
    const { clock, consumer, events, add, pending, close } = await openInMemory({ batchSize: 5, prefetch: 1 });
    for (const n of range(3_000)) await add(n);
    const slow = deferred<void>();
    let batches = 0;
    const running = consumer.run(async (batch) => {
      batches++;
      if (batch.messages.some(({ fields }) => fields["n"] === "1500")) await slow.promise;
      batch.ack();
    });
    await clock.settle();
    expect(batches).toBe(301);
    expect(events.all("read").length).toBeLessThan(301 / 3);
    // However long one takes then, no more is held than that.
    await clock.advance(100);
    expect((await pending()).length).toBeGreaterThan(5 + 5);
    expect((await pending()).length).toBeLessThanOrEqual(5 + 1_000);
    slow.resolve();
    await clock.settle();
    expect(batches).toBe(600);
    await close();
    await running;
  });
});

describe("a message too wide for the dead letters that an earlier process left behind once too often", () => {
  it("is tried again after the longest delay, as the event says, and not with every heartbeat", async () => {
    const { clock, redis, consumer, events, add, dieHolding, close } = await openInMemory({
      maxDeliveries: 2,
      retry: { baseMs: 1_000, capMs: 50_000 },
    });
    await add(1);
    await dieHolding("me", 1, 2);
    redis.failNext(
      "moveToDeadLetters",
      new CommandError("too many fields", { command: "moveToDeadLetters", reply: "ERR" }),
      { times: 100 },
    );
    const running = consumer.run(fail);
    await clock.advance(45_000);
    expect(events.all("deadLetterFailed")).toMatchObject([{ messages: 1, retryInMs: 50_000 }]);
    await clock.advance(15_000);
    expect(events.all("deadLetterFailed")).toHaveLength(2);
    expect(events.all("batch")).toEqual([]);
    await close();
    await running;
    expect(clock.pending).toBe(0);
  });
});

describe("large messages that are redelivered", () => {
  it("are read again no more at a time than fit into memory", async () => {
    const { clock, consumer, events, other, close, stream } = await openInMemory({
      batchSize: 100,
      maxBytes: 10_000,
      maxWaitMs: 0,
      retry: { baseMs: 1_000, capMs: 1_000 },
    });
    for (const n of range(100))
      await addEntry(other, { stream, fields: ["n", String(n), "blob", Buffer.alloc(1_000)] });
    let done = 0;
    const running = consumer.run((batch) => {
      if (batch.messages.every(({ deliveries }) => deliveries > 1)) done += batch.size;
      if (batch.messages.some(({ deliveries }) => deliveries === 1)) fail();
      batch.ack();
    });
    await clock.advance(60_000);
    expect(done).toBeGreaterThan(0);
    const sizes = events.all("redelivered").map(({ messages }) => messages);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(10);
    await close();
    await running;
  });
});

describe("what is taken over from a dead consumer", () => {
  const quick = { leaseMs: 1_000, recoverEveryMs: 500, foreignIdleMs: 5_000, batchSize: 10 };

  it("is offered to the last message, however many there are, whatever was deleted among them", async () => {
    const { clock, consumer, other, add, dieHolding, pending, close, stream } = await openInMemory({
      ...quick,
      maxDeferred: 10,
    });
    for (const n of range(350)) await add(n);
    const ids = await dieHolding("dead", 350);
    const deleted = ids.filter((_, index) => index % 7 === 0);
    await other.xdel({ stream, ids: deleted });
    const seen: string[] = [];
    const running = consumer.run((batch) => {
      seen.push(...batch.messages.map(({ id }) => id));
      batch.ack();
    });
    await clock.advance(120_000);
    expect(seen.toSorted(compareEntryIds)).toEqual(ids.filter((id) => !deleted.includes(id)));
    expect(await pending()).toEqual([]);
    await close();
    await running;
  });

  it("is offered one by one where all of it is suspect, and none waits for ever", async () => {
    const { clock, consumer, add, dieHolding, pending, close } = await openInMemory({ ...quick, concurrency: 3 });
    for (const n of range(30)) await add(n);
    const ids = await dieHolding("dead", 30, 9);
    const sizes: number[] = [];
    const seen: string[] = [];
    const running = consumer.run((batch) => {
      sizes.push(batch.size);
      seen.push(...batch.messages.map(({ id }) => id));
      batch.ack();
    });
    await clock.advance(120_000);
    expect(seen.toSorted(compareEntryIds)).toEqual([...ids]);
    expect(new Set(sizes)).toEqual(new Set([1]));
    expect(await pending()).toEqual([]);
    await close();
    await running;
  });

  it("is found although the reply to the claim was lost", async () => {
    const { clock, redis, consumer, add, dieHolding, pending, close } = await openInMemory(quick);
    for (const n of range(5)) await add(n);
    const ids = await dieHolding("dead", 5);
    redis.failNext("handOver", lostReply(), { moment: "after" });
    const seen: string[] = [];
    const running = consumer.run((batch) => {
      seen.push(...batch.messages.map(({ id }) => id));
      batch.ack();
    });
    await clock.advance(30_000);
    expect(seen.toSorted(compareEntryIds)).toEqual([...ids]);
    expect(await pending()).toEqual([]);
    await close();
    await running;
  });
});

describe("what is pending under a name that is registered no more", () => {
  const quick = { leaseMs: 1_000, recoverEveryMs: 500, foreignIdleMs: 600_000 };

  /** A consumer that was seen to be one of ours reads on after its registration is gone, and dies of it. */
  async function outlive(
    loseRegistration: (bench: Awaited<ReturnType<typeof openInMemory>>) => Promise<void>,
    deliveredInMs = 0,
  ) {
    const bench = await openInMemory(quick);
    const { clock, consumer, other, add, dieHolding, pending, close, stream, group } = bench;
    const seen: string[] = [];
    const running = consumer.run((batch) => {
      seen.push(...batch.messages.map(({ id }) => id));
      batch.ack();
    });
    await clock.advance(2_000);
    await other.heartbeat({
      stream,
      group,
      consumer: "dead",
      incarnation: "i",
      leaseMs: 1_000,
      join: undefined,
      details: {},
    });
    await loseRegistration(bench);
    consumer.pause();
    await clock.settle();
    for (const n of range(3)) await add(n);
    const ids = await dieHolding("dead", 3);
    if (deliveredInMs > 0) {
      const claim = { consumer: "dead", ids, minIdleMs: 0, deliveries: (before: number) => before };
      bench.redis.keys.group({ stream, group }).claim(claim, bench.redis.keys.nowMs() + deliveredInMs);
    }
    consumer.resume();
    await clock.advance(500);
    expect(seen).toEqual([]);
    await clock.advance(5_000);
    expect(seen.toSorted(compareEntryIds)).toEqual([...ids]);
    expect(await pending()).toEqual([]);
    const names = (await other.xinfoConsumers({ stream, group })).map(({ name }) => name);
    await close();
    await running;
    return names;
  }

  it("is recovered after a lease when others had removed the name in its sleep", async () => {
    const names = await outlive(async ({ clock, events }) => {
      await clock.advance(3_000);
      expect(events.all("nameRemoved")).toMatchObject([{ type: "nameRemoved", consumer: "dead" }]);
    });
    expect(names).toEqual(["me", "rb:released"]);
  });

  it("is recovered as soon when the server's clock has gone back by an hour since", async () => {
    const names = await outlive(async ({ clock }) => {
      await clock.advance(3_000);
    }, 3_600_000);
    expect(names).not.toContain("dead");
  });

  it("is recovered although somebody's turn to do so outlasts a clock that has gone back", async () => {
    const names = await outlive(async ({ clock, other, stream, group }) => {
      await clock.advance(3_000);
      await other.setIfFree({ key: groupKey("lease:recovery", stream, group), value: "gone", expireMs: 3_600_000 });
    });
    expect(names).not.toContain("dead");
  });

  it("is recovered after a lease when the server has forgotten all", async () => {
    const names = await outlive(async ({ clock, redis, stream, group }) => {
      await clock.advance(900);
      redis.keys.delete(stream);
      redis.keys.delete(groupKey("consumers", stream, group));
      await clock.advance(500);
    });
    expect(names).toEqual(["me", "rb:released"]);
  });
});

describe("a consumer whose registration is gone", () => {
  async function start() {
    const bench = await openInMemory({ leaseMs: 6_000 });
    const { clock, consumer, redis, close, stream, group } = bench;
    const running = consumer.run(() => new Promise(() => {}));
    await clock.advance(100);
    const registry = groupKey("consumers", stream, group);
    const isRegistered = (): boolean => redis.keys.hash(registry).has("me");
    expect(isRegistered()).toBe(true);
    const end = async (): Promise<void> => {
      await close();
      await running;
    };
    return { ...bench, registry, isRegistered, end };
  }

  it("registers before it reads on when the server has forgotten all", async () => {
    const { clock, redis, add, pending, stream, registry, isRegistered, end } = await start();
    redis.keys.delete(stream);
    redis.keys.delete(registry);
    await add(1);
    for (let passedMs = 0; passedMs < 5_000 && (await pending().catch(() => [])).length === 0; passedMs += 10) {
      await clock.advance(10);
    }
    expect(await pending()).toHaveLength(1);
    expect(isRegistered()).toBe(true);
    await end();
  });

  it("registers before it reads on when others have removed its name in its silence", async () => {
    const { clock, redis, other, add, pending, stream, group, isRegistered, end } = await start();
    const heartbeats = redis.hold("heartbeat");
    await clock.advance(10_000);
    expect(await other.removeIfEmpty({ stream, group, consumer: "me", onlyIfSilent: true })).toBe("removed");
    await add(1);
    await clock.advance(5_000);
    expect(await pending()).toEqual([]);
    heartbeats.release();
    await clock.advance(100);
    expect(await pending()).toHaveLength(1);
    expect(isRegistered()).toBe(true);
    await end();
  });
});

describe("a batch's time", () => {
  it("counts from its own first message, not from the batch before", async () => {
    const { clock, consumer, add, close } = await openInMemory({ batchSize: 10, maxWaitMs: 500 });
    const sizes: number[] = [];
    const running = consumer.run((batch) => {
      sizes.push(batch.size);
      batch.ack();
    });
    await clock.advance(100);
    await add(1);
    await clock.advance(500);
    expect(sizes).toEqual([1]);
    // A long time later, so that a window that began with the last batch has long been over.
    await clock.advance(600_000);
    await add(2);
    await clock.advance(400);
    await add(3);
    await clock.advance(99);
    expect(sizes).toEqual([1]);
    await clock.advance(1);
    expect(sizes).toEqual([1, 2]);
    await close();
    await running;
  });

  it("is not over at once for a message that was left behind by a full batch", async () => {
    const { clock, consumer, add, close } = await openInMemory({ batchSize: 2, maxWaitMs: 500, prefetch: 1 });
    const sizes: number[] = [];
    const running = consumer.run((batch) => {
      sizes.push(batch.size);
      batch.ack();
    });
    await clock.advance(100);
    await add(1);
    await clock.advance(499);
    await Promise.all([add(2), add(3)]);
    await clock.advance(1);
    expect(sizes).toEqual([2]);
    await clock.advance(498);
    expect(sizes).toEqual([2]);
    await clock.advance(1);
    expect(sizes).toEqual([2, 1]);
    await close();
    await running;
  });
});

describe("an outcome that waits while its lease turns out to be lost", () => {
  it("is refused, and leaves the message to its present owner", async () => {
    const leaseMs = 3_000;
    const { clock, redis, consumer, other, add, events, close, stream, group } = await openInMemory({ leaseMs });
    await add(1);
    const taken = await add(2);
    const finish = deferred<void>();
    const again = deferred<void>();
    const running = consumer.run(async ({ messages: [one, two] }) => {
      await finish.promise;
      one?.ack();
      await again.promise;
      two?.ack();
    });
    await clock.advance(1_000);
    redis.failNext("renewOwned", lostReply(), { times: 8 });
    await clock.advance(leaseMs);
    const claim = { consumer: "thief", ids: [taken], minIdleMs: leaseMs, deliveries: (before: number) => before };
    redis.keys.group({ stream, group }).claim(claim, redis.keys.nowMs());
    // The first is on its way to the server, and the second waits for it, when the renewal is answered.
    const acks = redis.hold("ackOwned");
    const renewals = redis.hold("renewOwned", { moment: "after" });
    finish.resolve();
    await clock.advance(leaseMs / 5);
    expect([acks.count, renewals.count]).toEqual([1, 1]);
    again.resolve();
    await clock.settle();
    renewals.release();
    await clock.settle();
    acks.release();
    await clock.advance(100);
    expect(await other.xpendingRange({ stream, group, from: "-", to: "+", count: 10 })).toMatchObject([
      { id: taken, consumer: "thief" },
    ]);
    expect(events.all("outcomeTooLate")).toMatchObject([{ type: "outcomeTooLate", ids: [taken], why: "not-owned" }]);
    await close();
    await running;
  });
});

describe("a redelivery whose reply was lost", () => {
  it("is redelivered: what the server has delivered and nobody has seen is not left pending", async () => {
    const { clock, redis, consumer, add, pending, close } = await openInMemory({ batchSize: 5 });
    for (const n of [1, 2]) await add(n);
    redis.failNext("redeliverOwn", lostReply(), { moment: "after" });
    const seen: number[] = [];
    const running = consumer.run((batch) => {
      seen.push(...batch.messages.map((message) => message.deliveries));
      if (seen.length === 2) fail();
      batch.ack();
    });
    await clock.advance(30_000);
    // The delivery that nobody saw does not count.
    expect(seen).toEqual([1, 1, 2, 2]);
    expect(await pending()).toEqual([]);
    await close();
    await running;
  });
});

describe("what was read ahead between two calls of fetch() and given to the group", () => {
  it("is part of the next call's batch, where nobody else has taken it", async () => {
    const { clock, consumer, other, add, fetch, stream, group } = await openInMemory({ prefetch: 1 });
    expect((await fetch()).size).toBe(0);
    const id = await add(1);
    // Another one says that it has a place free, and dies of something else.
    const peer = { stream, group, consumer: "peer", incarnation: "1", leaseMs: 60_000 };
    await other.heartbeat({ ...peer, details: { state: "running", freePlaces: 1 } });
    await clock.advance(3_000);
    expect(consumer.health()).toMatchObject({ buffered: 0 });
    const batch = await fetch();
    expect(batch.messages.map((message) => message.id)).toEqual([id]);
  });
});

describe("a caller of fetch() who was away for long", () => {
  it("takes what is anybody's when he comes back, although what was read for him was given to somebody else", async () => {
    const { clock, redis, fetch, add, open, stream, group } = await openInMemory({ prefetch: 1, maxWaitMs: 100 });
    await fetch();
    const { consumer: busy } = open({ name: "other" });
    const worked = new Set<string>();
    const running = busy.run((batch) => {
      for (const message of batch) worked.add(message.id);
      batch.ack();
    });
    await clock.advance(10_000);
    const ids = [];
    for (const n of range(6)) ids.push(await add(n));
    await clock.advance(10_000);
    expect(worked.size).toBe(6);
    void busy.close();
    await clock.advance(10_000);
    await running;
    const [id = ""] = ids;
    redis.keys.group({ stream, group }).adopt(id, RELEASED, redis.keys.nowMs());
    const offered = [...(await fetch()), ...(await fetch())].map((message) => message.id);
    expect(offered).toContain(id);
  });
});

describe("a message that was given to the group and taken again", () => {
  /** It is released, taken again and offered before the answer to the releasing is there. */
  const offerBeforeAnswer = async () => {
    const memory = await openInMemory({ prefetch: 1 });
    const { clock, consumer, other, redis, add, fetch, stream, group } = memory;
    await fetch();
    const id = await add(1);
    const peer = { stream, group, consumer: "peer", incarnation: "1", leaseMs: 60_000 };
    await other.heartbeat({ ...peer, details: { state: "running", freePlaces: 1 } });
    const answer = redis.hold("release", { moment: "after" });
    await clock.advance(3_000);
    expect(answer.count).toBe(1);
    expect(consumer.health()).toMatchObject({ buffered: 0 });
    const batch = await fetch();
    expect(batch.messages.map((message) => message.id)).toEqual([id]);
    return { ...memory, id, batch, answer };
  };

  it("stays held when the answer to the releasing is late", async () => {
    const { clock, answer, batch, id, pending } = await offerBeforeAnswer();
    answer.release();
    await clock.settle();
    batch.ack();
    await clock.settle();
    expect((await batch.settled()).acknowledged).toEqual([id]);
    expect(await pending()).toEqual([]);
  });
});

describe("an acknowledgement that is so late that its message was given to the group and taken again", () => {
  /** The acknowledgement is on its way, and what it is of is the group's; somebody waits for the next batch. */
  const acknowledgeLate = async () => {
    const memory = await openInMemory({ maxWaitMs: 4_000 });
    const { clock, consumer, other, redis, add, fetch, stream, group } = memory;
    const id = await add(1);
    const first = await fetch();
    const onItsWay = redis.hold("xack");
    first.ack();
    await clock.settle();
    await other.release({ stream, group, from: "me", to: RELEASED, offered: [id], neverOffered: [] });
    const taking = redis.hold("take", { moment: "after" });
    const fetching = consumer.fetch();
    await clock.advance(1_500);
    expect(taking.count).toBe(1);
    return { ...memory, id, first, onItsWay, taking, fetching };
  };

  it("ends the message all the same: it is not offered again", async () => {
    const { clock, consumer, id, first, onItsWay, taking, fetching, pending } = await acknowledgeLate();
    taking.release();
    await clock.settle();
    expect(consumer.health()).toMatchObject({ buffered: 1 });
    onItsWay.release();
    await clock.advance(6_000);
    expect((await fetching).size).toBe(0);
    expect((await first.settled()).acknowledged).toEqual([id]);
    expect(await pending()).toEqual([]);
  });

  // Both answers may come in one packet: then it is a matter of microtasks which of them is heard of first.
  const steps = range(12);
  it.each([...steps.map((turns) => -turns), ...steps])("does so as well %i steps after the taking", async (turns) => {
    const { clock, id, first, onItsWay, taking, fetching, pending } = await acknowledgeLate();
    if (turns < 0) onItsWay.release();
    else taking.release();
    for (let turn = 0; turn < Math.abs(turns); turn++) await Promise.resolve();
    onItsWay.release();
    taking.release();
    await clock.settle();
    expect((await first.settled()).acknowledged).toEqual([id]);
    await clock.advance(6_000);
    expect((await fetching).size).toBe(0);
    expect(await pending()).toEqual([]);
  });
});

describe("a group that vanishes", () => {
  it("is created again also while as much is read ahead as may be, and nothing new is to be read", async () => {
    const { clock, redis, consumer, add, close, stream, group } = await openInMemory({
      batchSize: 2,
      prefetch: 1,
      leaseMs: 3_000,
    });
    for (const n of range(4)) await add(n);
    const done: string[] = [];
    let finish = (): void => {};
    const running = consumer.run(async (batch) => {
      if (done.length === 0) {
        await new Promise<void>((resolve) => {
          finish = resolve;
        });
      }
      done.push(...batch.messages.map(({ fields }) => fields["n"] ?? ""));
      batch.ack();
    });
    await clock.advance(1_000);
    expect(consumer.health()).toMatchObject({ buffered: 2, inFlight: 2 });
    for (const key of [stream, groupKey("consumers", stream, group)]) redis.keys.delete(key);
    await clock.advance(5_000);
    finish();
    for (const n of range(3)) await add(100 + n);
    await clock.advance(10_000);
    expect(done).toEqual(expect.arrayContaining(["100", "101", "102"]));
    await close();
    await running;
  });

  it("leaves nobody waiting whose read-ahead turns out to be lost when no handler is at work", async () => {
    const { clock, redis, consumer, events, other, add, close, stream, group } = await openInMemory({
      batchSize: 2,
      prefetch: 1,
      leaseMs: 3_000,
    });
    for (const n of range(4)) await add(n);
    const done: string[] = [];
    let finish = (): void => {};
    const running = consumer.run(async (batch) => {
      if (done.length === 0) {
        await new Promise<void>((resolve) => {
          finish = resolve;
        });
      }
      done.push(...batch.messages.map(({ fields }) => fields["n"] ?? ""));
      batch.ack();
    });
    await clock.advance(500);
    expect(consumer.health()).toMatchObject({ buffered: 2, inFlight: 2 });
    // Nobody can tell whose they are, so what was read ahead waits for an answer that says that it is lost.
    const renewal = redis.hold("renewOwned");
    await clock.advance(2_500);
    finish();
    redis.keys.delete(stream);
    for (const n of range(4)) await add(100 + n);
    await other.xgroupCreate({ stream, group, position: "start" });
    await clock.advance(100);
    renewal.release();
    await clock.advance(10_000);
    expect(events.all("outcomeTooLate").flatMap(({ ids }) => ids).length).toBeGreaterThanOrEqual(2);
    expect(done).toEqual(expect.arrayContaining(["100", "101", "102", "103"]));
    await close();
    await running;
  });
});

describe("what is taken at the start", () => {
  it("is not found pending a second time, and is not dead-lettered while it is offered", async () => {
    const { clock, redis, consumer, events, other, add, dieHolding, close, stream, group } = await openInMemory({
      maxDeliveries: 2,
    });
    await add(1);
    const [id = ""] = await dieHolding("gone", 1);
    await other.release({ stream, group, from: "gone", to: RELEASED, offered: [id], neverOffered: [] });
    // The answer to the taking is on its way while the pending list is compared with what is held.
    const taking = redis.hold("take", { moment: "after" });
    const offered: string[] = [];
    const running = consumer.run((batch) => {
      offered.push(...batch.messages.map((message) => message.id));
      batch.ack();
    });
    await clock.advance(1_000);
    taking.release();
    await clock.advance(5_000);
    expect(offered).toEqual([id]);
    expect(events.all("undeliveredFound")).toEqual([]);
    expect(events.all("deadLettered")).toEqual([]);
    await close();
    await running;
  });
});

describe("messages that the handler defers for long", () => {
  it("count as tried each time, and hold nobody else up", async () => {
    const { clock, consumer, events, add, close } = await openInMemory({
      batchSize: 6,
      maxWaitMs: 10,
      maxDeliveries: 3,
      leaseMs: 3_000,
    });
    for (const n of range(6)) await add(n);
    const seen: number[] = [];
    const running = consumer.run((batch) => {
      for (const message of batch) {
        seen.push(message.deliveries);
        message.retry({ delayMs: 10_000 });
      }
    });
    await clock.advance(120_000);
    expect(Math.max(...seen)).toBe(3);
    expect(events.all("deadLettered")).toHaveLength(6);
    expect(events.all("backingOff")).toEqual([]);
    await close();
    await running;
  });
});
