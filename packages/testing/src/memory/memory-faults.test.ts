import { ConnectionError, ServerStateError } from "@redis-batch/core";
import type { ConnectionEvent, StreamClient } from "@redis-batch/core/internal/connection";
import { addEntry, EventRecorder, ManualClock } from "@redis-batch/test-support";
import { beforeEach, describe, expect, test } from "vitest";
import { createMemoryServer, type MemoryServer } from "./memory-server.ts";

const stream = "orders";
const group = "billing";
const unknown = new ConnectionError("cut", { outcome: "unknown" });

let clock: ManualClock;
let redis: MemoryServer;
let client: StreamClient;

beforeEach(async () => {
  clock = new ManualClock();
  redis = createMemoryServer({ clock, serverTimeMs: 1_700_000_000_000 });
  client = redis.client();
  await client.connect(["commands", "reader"], { timeoutMs: 1_000 });
  await client.xgroupCreate({ stream, group, position: "start" });
});

const add = (n: number) => addEntry(client, { stream, fields: ["n", n] });
const read = (blockMs?: number, from = client) =>
  from.xreadgroup({ stream, group, consumer: "c1", count: 10, blockMs });

describe("failNext", () => {
  test("rejects the next call and does not execute it", async () => {
    redis.failNext("xaddMany", new ServerStateError("full", { state: "OOM" }));
    await expect(add(1)).rejects.toMatchObject({ state: "OOM" });
    expect(await client.xlen({ stream })).toBe(0);
    await add(2);
    expect(await client.xlen({ stream })).toBe(1);
  });

  test("after the execution: only the reply is lost", async () => {
    redis.failNext("xaddMany", unknown, { moment: "after" });
    await expect(add(1)).rejects.toBe(unknown);
    expect(await client.xlen({ stream })).toBe(1);
  });

  test("after a read's execution: the entries are pending, and nobody has them", async () => {
    await add(1);
    redis.failNext("xreadgroup", unknown, { moment: "after" });
    await expect(read()).rejects.toBe(unknown);
    expect((await client.xpendingSummary({ stream, group })).count).toBe(1);
  });

  test("as often as told, other methods untouched", async () => {
    redis.failNext("xaddMany", unknown, { times: 2 });
    await expect(add(1)).rejects.toBe(unknown);
    expect(await client.xlen({ stream })).toBe(0);
    await expect(add(2)).rejects.toBe(unknown);
    await add(3);
  });

  test("of many adds at once is the end of each", async () => {
    redis.failNext("xaddMany", unknown);
    const item = { stream, fields: ["n", 1] };
    expect(await client.xaddMany([item, item])).toEqual([unknown, unknown]);
  });

  test("of connect is a server that is away", async () => {
    redis.failNext("connect", new ConnectionError("away", { outcome: "not-sent" }));
    const another = redis.client();
    await expect(another.connect(["commands"], { timeoutMs: 1_000 })).rejects.toMatchObject({ outcome: "not-sent" });
    await expect(another.time()).rejects.toMatchObject({ outcome: "not-sent" });
    await another.connect(["commands"], { timeoutMs: 1_000 });
    expect(await another.time()).toBe(1_700_000_000_000);
  });
});

describe("hold", () => {
  test("keeps calls from being executed until released, then runs them in their order", async () => {
    const held = redis.hold("xaddMany");
    const adds = [add(1), add(2)];
    await clock.settle();
    expect(held.count).toBe(2);
    expect(await client.xlen({ stream })).toBe(0);
    held.release();
    const ids = await Promise.all(adds);
    expect((await client.xrange({ stream, from: "-", to: "+", count: 10 })).map(({ id }) => id)).toEqual(ids);
    await add(3);
    expect(held.count).toBe(0);
  });

  test("after the execution keeps only the replies", async () => {
    const held = redis.hold("xaddMany", { moment: "after" });
    const adding = add(1);
    await clock.settle();
    expect(await client.xlen({ stream })).toBe(1);
    expect(held.count).toBe(1);
    held.release();
    await adding;
  });

  test("does not outlive the connection", async () => {
    const held = redis.hold("xaddMany");
    const adding = add(1);
    adding.catch(() => {});
    await client.close();
    await expect(adding).rejects.toMatchObject({ code: "CONNECTION", outcome: "unknown" });
    held.release();
    const another = redis.client();
    await another.connect(["commands"], { timeoutMs: 1_000 });
    expect(await another.xlen({ stream })).toBe(0);
  });
});

describe("dropReaders", () => {
  test("rejects a blocked read, and delivers nothing to it any more", async () => {
    const blocked = read(10_000);
    blocked.catch(() => {});
    redis.drop("reader");
    await add(1);
    await expect(blocked).rejects.toMatchObject({ code: "CONNECTION", outcome: "unknown" });
    expect((await client.xpendingSummary({ stream, group })).count).toBe(0);
  });

  test("refuses reads until the connection is back, which the epoch tells", async () => {
    expect(client.readerEpoch(stream)).toBe(1);
    redis.drop("reader");
    await expect(read()).rejects.toMatchObject({ code: "CONNECTION", outcome: "not-sent" });
    expect(client.readerEpoch(stream)).toBe(1);
    await client.connect(["reader"], { timeoutMs: 1_000 });
    expect(client.readerEpoch(stream)).toBe(2);
    expect(await read()).toEqual([]);
  });

  test("the connection comes back by itself, unless the client was closed", async () => {
    const another = redis.client();
    await another.connect(["reader"], { timeoutMs: 1_000 });
    redis.drop("reader");
    await another.close();
    await clock.advance(1_000);
    expect(client.readerEpoch(stream)).toBe(2);
    expect(another.readerEpoch(stream)).toBe(1);
  });

  test("is reported, as every change of a connection is", async () => {
    const events = new EventRecorder<ConnectionEvent>();
    const another = redis.client({ report: events.observe });
    await another.connect(["reader"], { timeoutMs: 1_000 });
    redis.drop("reader");
    await another.connect(["reader"], { timeoutMs: 1_000 });
    await another.close();
    expect(events.events).toEqual([
      { type: "connected", role: "reader" },
      { type: "disconnected", role: "reader", reason: "dropped" },
      { type: "connected", role: "reader" },
      { type: "disconnected", role: "reader", reason: "closed" },
    ]);
  });
});

describe("time", () => {
  test("is the server's own and moves with the clock", async () => {
    expect(await client.time()).toBe(1_700_000_000_000);
    await clock.advance(250);
    expect(await client.time()).toBe(1_700_000_000_250);
    expect(await add(1)).toBe("1700000000250-0");
    expect(await add(2)).toBe("1700000000250-1");
  });

  test("ends a blocked read at its time and not before", async () => {
    let isOver = false;
    const blocked = read(5_000).finally(() => {
      isOver = true;
    });
    await clock.advance(4_999);
    expect(isOver).toBe(false);
    await clock.advance(1);
    expect(await blocked).toEqual([]);
  });

  test("leaves no timer behind a read that was woken", async () => {
    const blocked = read(5_000);
    await add(1);
    expect(await blocked).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });
});

describe("several clients", () => {
  test("that wait are served in the order in which they began", async () => {
    const another = redis.client();
    await another.connect(["reader"], { timeoutMs: 1_000 });
    const first = read(10_000, another);
    const second = read(10_000);
    const ids = [await add(1), await add(2)];
    expect([(await first)[0]?.id, (await second)[0]?.id]).toEqual(ids);
  });

  test("a read that was woken gets nothing of what is added before its reply is looked at", async () => {
    const blocked = read(10_000);
    const ids = await Promise.all([add(1), add(2)]);
    expect((await blocked).map(({ id }) => id)).toEqual(ids.slice(0, 1));
    expect((await read()).map(({ id }) => id)).toEqual(ids.slice(1));
  });
});

test("what a client does to a reply does not reach the stream", async () => {
  await add(7);
  const [entry] = await client.xrange({ stream, from: "-", to: "+", count: 1 });
  entry?.fields[1]?.fill(0);
  const [again] = await client.xrange({ stream, from: "-", to: "+", count: 1 });
  expect(String(again?.fields[1])).toBe("7");
});

describe("jumpClock", () => {
  test("sets the server's time, and what is claimed without a minimum idle time does not mind", async () => {
    const before = await client.time();
    await add(1);
    await read();
    redis.jumpClock(-60_000);
    expect(await client.time()).toBe(before - 60_000);
    const [pending] = await client.xpendingRange({ stream, group, from: "-", to: "+", count: 10 });
    expect(pending).toMatchObject({ idleMs: 0 });
    const ids = [pending?.id ?? ""];
    expect((await client.renewOwned({ stream, group, consumer: "c1", ids })).get(ids[0] ?? "")).toBe("kept");
  });
});
