import { ConnectionError, PermissionError, WrongTypeError } from "@redis-batch/core";
import { deferred, eventually, FaultProxy, seededRandom, uniqueName, useServer } from "@redis-batch/test-support";
import { Redis } from "ioredis";
import { afterEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { Consumer } from "../src/index.ts";
import { numbers, range, useBench } from "./harness.ts";

describe("while the server misbehaves", () => {
  const bench = useBench(useServer({ own: true, persistence: "aof" }));

  it("loses nothing when every connection is killed again and again", async () => {
    const made = bench();
    const { consumer, events } = made.consumer({ batchSize: 5, maxWaitMs: 10, retry: { baseMs: 1, capMs: 5 } });
    const done = new Set<number>();
    const running = consumer.run((batch) => {
      for (const number of numbers(batch)) done.add(number);
      batch.ack();
    });
    await events.waitFor("started");
    for (const round of range(5)) {
      await made.add(...range(20).map((n) => round * 20 + n));
      await made.server.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
      await events.waitFor((event) => event.type === "connected" && event.role === "reader", { count: round + 2 });
    }
    await eventually("every message is done", () => done.size === 100);
    await eventually("everything is acknowledged", async () => (await made.pending()).length === 0);
    await consumer.close();
    expect(await running).toMatchObject({ released: 0, unconfirmedAcks: 0 });
  });

  it("goes on after the server was killed and came back with its data", async () => {
    const made = bench();
    const { consumer, events } = made.consumer({ batchSize: 5, maxWaitMs: 10, retry: { baseMs: 1, capMs: 5 } });
    const done = new Set<number>();
    const atWork = deferred<void>();
    const finish = deferred<void>();
    const running = consumer.run(async (batch) => {
      atWork.resolve();
      await finish.promise;
      for (const number of numbers(batch)) done.add(number);
      batch.ack();
    });
    await made.add(...range(20));
    await atWork.promise;
    await made.server.kill();
    await events.waitFor("disconnected");
    finish.resolve();
    await events.waitFor("ackFailed");
    expect(consumer.health()).toMatchObject({ live: true, ready: false });
    await made.server.restart();
    await eventually("every message is done", () => done.size === 20);
    await eventually("everything is acknowledged", async () => (await made.pending()).length === 0);
    expect(await consumer.close()).toMatchObject({ released: 0, unconfirmedAcks: 0 });
    await running;
  });

  it("creates a deleted group again, from the start, and says so", async () => {
    const made = bench();
    const { consumer, events } = made.consumer({ batchSize: 2, maxWaitMs: 10 });
    await made.add(1, 2);
    const seen: number[] = [];
    const running = consumer.run((batch) => {
      seen.push(...numbers(batch));
      batch.ack();
    });
    await events.waitFor("acknowledged");
    await made.server.command("XGROUP", "DESTROY", made.stream, made.group);
    await events.waitFor((event) => event.type === "groupCreated" && event.recreated);
    await eventually("the stream is read again", () => seen.length === 4);
    await made.server.command("DEL", made.stream);
    await events.waitFor((event) => event.type === "groupCreated" && event.recreated, { count: 2 });
    await made.add(3);
    await eventually("the new stream is read", () => seen.includes(3));
    await consumer.close();
    await running;
    expect(seen).toEqual([1, 2, 1, 2, 3]);
  });

  it("waits while a deleted group cannot be created again", async () => {
    const made = bench();
    const { consumer, events } = made.consumer({ maxWaitMs: 10 });
    const seen: number[] = [];
    const running = consumer.run((batch) => {
      seen.push(...numbers(batch));
      batch.ack();
    });
    await events.waitFor("started");
    await made.server.command("CONFIG", "SET", "maxmemory", "1");
    await made.server.command("XGROUP", "DESTROY", made.stream, made.group);
    expect(await events.waitFor("readFailed")).toMatchObject({ error: { code: "SERVER_STATE" } });
    await made.server.command("CONFIG", "SET", "maxmemory", "0");
    await events.waitFor((event) => event.type === "groupCreated" && event.recreated);
    await made.add(1);
    await eventually("the new group reads", () => seen.length === 1);
    await consumer.close();
    await running;
  });

  it("fails, and says why, when the key becomes something else", async () => {
    const made = bench();
    const { consumer, events } = made.consumer();
    const running = consumer.run(() => {});
    await events.waitFor("started");
    await made.server.command("SET", made.stream, "text");
    await expect(running).rejects.toThrow(WrongTypeError);
    expect(consumer.health().live).toBe(false);
  });

  it("skips a pending message that was deleted from the stream, and says so", async () => {
    const made = bench();
    const { consumer, events } = made.consumer({ batchSize: 2, maxWaitMs: 2_000, retry: { baseMs: 1 } });
    const [first, second] = await made.add(1, 2);
    await consumer.fetch();
    await made.server.command("XDEL", made.stream, first as string);
    const again = await consumer.fetch();
    expect(again.messages.map(({ id }) => id)).toEqual([second]);
    expect(events.all("pendingTrimmed")).toMatchObject([{ type: "pendingTrimmed", ids: [first] }]);
    expect(await made.pending()).toHaveLength(1);
  });

  it("does not offer again what another consumer has claimed meanwhile", async () => {
    const made = bench();
    const { consumer, events } = made.consumer({ batchSize: 2, maxWaitMs: 100, retry: { baseMs: 1 }, prefetch: 0 });
    const [first, second] = await made.add(1, 2);
    await consumer.fetch();
    await made.server.command("XCLAIM", made.stream, made.group, "other", 0, first as string);
    const again = await consumer.fetch();
    expect(again.messages.map(({ id }) => id)).toEqual([second]);
    expect(events.all("outcomeTooLate")).toMatchObject([{ type: "outcomeTooLate", ids: [first], why: "not-owned" }]);
  });
});

describe("on a bad line", () => {
  const bench = useBench(useServer());

  it("recovers a batch whose reply was lost on the way, without offering anything twice", async () => {
    const made = bench();
    await using proxy = await FaultProxy.start(made.server);
    const { consumer, events } = made.consumer({ redis: proxy.options, batchSize: 5, maxWaitMs: 5_000 });
    const seen: number[] = [];
    const running = consumer.run((batch) => {
      seen.push(...numbers(batch));
      batch.ack();
    });
    await events.waitFor("started");
    const first = new Redis(made.server.options);
    onTestFinished(() => first.disconnect());
    // So large that it is the read's reply that is cut, and not one of the small ones beside it.
    const cut = proxy.cut("reply", 20_000);
    const transaction = first.multi();
    for (const n of range(5)) transaction.xadd(made.stream, "*", "n", n, "padding", "x".repeat(10_000));
    await transaction.exec();
    await cut;
    await events.waitFor("undeliveredFound");
    await eventually("every message is done", async () => seen.length >= 5 && (await made.pending()).length === 0);
    expect(seen).toEqual(range(5));
    expect(events.all("readFailed")).not.toEqual([]);
    expect(await made.pending()).toEqual([]);
    await consumer.close();
    await running;
  });

  it("acknowledges after the connection broke only what is still its own", async () => {
    const made = bench();
    await using proxy = await FaultProxy.start(made.server);
    const { consumer, events } = made.consumer({ redis: proxy.options, batchSize: 2, prefetch: 0, maxWaitMs: 5_000 });
    const [first, second] = await made.add(1, 2);
    const batch = await consumer.fetch();
    proxy.reset();
    await made.server.command("XCLAIM", made.stream, made.group, "other", 0, first as string);
    await events.waitFor((event) => event.type === "connected" && event.role === "reader", { count: 2 });
    batch.ack();
    expect(await batch.settled()).toMatchObject({ acknowledged: [second], tooLate: [first] });
    expect((await made.pending()).map(({ id, consumer: owner }) => [id, owner])).toEqual([[first, "other"]]);
  });

  it("loses nothing on a line that cuts replies at random, in small pieces", async () => {
    const made = bench();
    await using proxy = await FaultProxy.start(made.server, { faults: { sliceBytes: 7 } });
    const random = seededRandom(7);
    const { consumer, events } = made.consumer({
      redis: proxy.options,
      batchSize: 5,
      maxWaitMs: 10,
      retry: { baseMs: 1, capMs: 10 },
    });
    const done = new Set<number>();
    const running = consumer.run((batch) => {
      for (const n of numbers(batch)) done.add(n);
      batch.ack();
    });
    await events.waitFor("started");
    for (const round of range(10)) {
      const cut = proxy.cut("reply", random.integer(400));
      await made.add(...range(10).map((n) => round * 10 + n));
      await cut;
    }
    await eventually("every message is done", () => done.size === 100);
    await eventually("everything is acknowledged", async () => (await made.pending()).length === 0);
    await consumer.close();
    expect(await running).toMatchObject({ released: 0, unconfirmedAcks: 0 });
  });
});

describe("at the start", () => {
  const bench = useBench(
    useServer({
      users: [
        { name: "default", password: "sesame", rules: "~* &* +@all" },
        {
          name: "reader",
          password: "reads",
          rules: "~* +xreadgroup +xack +xclaim +xpending +time +hget +hset +hdel +hgetall +set +evalsha +eval",
        },
        { name: "stranger", password: "knocks", rules: "~* +ping" },
      ],
    }),
  );

  it("gives up with ConnectionError when nobody answers in time, naming the address", async () => {
    const consumer = new Consumer({ redis: "redis://127.0.0.1:1", stream: "s", group: "g", connectTimeoutMs: 200 });
    await expect(consumer.fetch()).rejects.toThrow(ConnectionError);
    await expect(consumer.fetch()).rejects.toThrow("127.0.0.1:1");
    await consumer.close();
  });

  it("fails with PermissionError on a wrong password, without showing it", async () => {
    const made = bench();
    const { consumer } = made.consumer({ redis: { ...made.server.options, password: "open-says-me" } });
    const error: unknown = await consumer.fetch().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(PermissionError);
    expect(String(error)).not.toContain("open-says-me");
  });

  it("names the missing right", async () => {
    const made = bench();
    const { consumer } = made.consumer({ redis: { ...made.server.options, username: "stranger", password: "knocks" } });
    await expect(consumer.fetch()).rejects.toThrow(PermissionError);
  });

  it("needs no right to create a group that exists", async () => {
    const made = bench();
    await made.add(1);
    await made.server.command("XGROUP", "CREATE", made.stream, made.group, 0);
    const redis = { ...made.server.options, username: "reader", password: "reads" };
    const { consumer } = made.consumer({ redis, batchSize: 1, blockMs: 100 });
    const batch = await consumer.fetch();
    expect(numbers(batch)).toEqual([1]);
    batch.ack();
    await batch.settled();
    expect(await made.pending()).toEqual([]);
  });

  it("starts although the connection breaks anywhere in the middle of starting", async () => {
    const made = bench();
    const startThrough = async (proxy: FaultProxy): Promise<void> => {
      const { consumer, events } = made.consumer({ redis: proxy.options });
      const running = consumer.run((batch) => batch.ack());
      await Promise.race([events.waitFor("started"), running]);
      await consumer.close();
      await expect(running).resolves.toMatchObject({ abandoned: 0 });
    };
    await using whole = await FaultProxy.start(made.server);
    await startThrough(whole);
    // Most of what comes is INFO, once for each connection; the answers to what a consumer asks at first are short.
    for (const bytesBeforeTheEnd of range(24).map((step) => step * 30)) {
      await using proxy = await FaultProxy.start(made.server);
      void proxy.cut("reply", whole.bytes.reply - bytesBeforeTheEnd);
      await startThrough(proxy);
    }
  });

  it("can be closed while it is still connecting", async () => {
    const consumer = new Consumer({ redis: "redis://127.0.0.1:1", stream: uniqueName("s"), group: "g" });
    const fetching = consumer.fetch();
    const closing = consumer.close();
    await expect(fetching).rejects.toThrow("closed while it was starting");
    expect(await closing).toMatchObject({ released: 0, nameRemoved: false });
    expect(consumer.state).toBe("closed");
  });
});

describe("without an observer", () => {
  const bench = useBench(useServer());
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it("reports trouble as process warnings", async () => {
    const made = bench();
    await made.add(1);
    const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    const consumer = new Consumer({
      redis: made.server.options,
      stream: made.stream,
      group: made.group,
      maxWaitMs: 10,
      retry: { baseMs: 60_000 },
    });
    await consumer.run(() => {
      void consumer.close();
      throw new Error("broken handler");
    });
    expect(warn).toHaveBeenCalledWith(
      expect.stringContaining("broken handler"),
      expect.objectContaining({ code: "handlerFailed" }),
    );
  });
});
