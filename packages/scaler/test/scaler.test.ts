/** What a scaler sees and decides on a real server, and how it has that carried out. */
import { UsageError, WrongTypeError } from "@redis-batch/core";
import { createRedisStreamClient } from "@redis-batch/core/internal/connection";
import { addBatch, NO_WORK } from "@redis-batch/core/internal/groups";
import { deferred, EventRecorder, eventually, uniqueName, useServer } from "@redis-batch/test-support";
import { afterEach, describe, expect, it } from "vitest";
import { type Decision, type Executor, Scaler, type ScalerEvent, type ScalerOptions } from "../src/index.ts";

const redis = useServer();
const made: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(made.splice(0).map((close) => close()));
});

function bench(options: Partial<ScalerOptions> = {}) {
  const { server } = redis;
  const stream = uniqueName("stream");
  const group = "group";
  const events = new EventRecorder<ScalerEvent>();
  const scaler = new Scaler({ redis: server.options, stream, group, observer: events.observe, ...options });
  made.push(() => scaler.close());
  return {
    ...{ server, stream, group, scaler, events },
    createGroup: async (): Promise<void> => {
      await server.command("XGROUP", "CREATE", stream, group, 0, "MKSTREAM");
    },
    add: async (count: number): Promise<string[]> => {
      const ids: string[] = [];
      for (let index = 0; index < count; index++)
        ids.push(String(await server.command("XADD", stream, "*", "n", index)));
      return ids;
    },
    read: (consumer: string, count: number) =>
      server.command("XREADGROUP", "GROUP", group, consumer, "COUNT", count, "STREAMS", stream, ">"),
    heartbeat: async (consumer: string, details = {}): Promise<void> => {
      const client = createRedisStreamClient({ redis: server.options, blockMs: 0 });
      await client.connect(["commands"], { timeoutMs: 10_000 });
      await client.heartbeat({ stream, group, consumer, incarnation: "1", leaseMs: 60_000, details });
      await client.close();
    },
  };
}

/** An executor whose consumers are there at once; they are only numbers. */
function numbers(first: number, onScale: () => Promise<void> = async () => {}): Executor & { ordered: number[] } {
  const ordered: number[] = [];
  return {
    name: "numbers",
    ordered,
    async status() {
      const desired = ordered.at(-1) ?? first;
      return { desired, ready: desired, startingMs: [], startUpsMs: [] };
    },
    async scale(decision) {
      await onScale();
      ordered.push(decision.desired);
    },
  };
}

const decided =
  (holds: (decision: Decision) => boolean) =>
  (event: ScalerEvent): boolean =>
    event.type === "decided" && holds(event.decision);

const ratio = { strategy: "ratio", scaleOutRate: 60, scaleInRate: 20 } as const;

describe("the original's examples", () => {
  it.each([
    { waiting: 11, pending: 83, rate: 13.253, direction: "IN" },
    { waiting: 18, pending: 79, rate: 22.7848, direction: "NO_SCALE" },
    { waiting: 0, pending: 0, rate: 0, direction: "NO_SCALE" },
    { waiting: 4, pending: 0, rate: 0, direction: "OUT" },
    { waiting: 9, pending: 10, rate: 90, direction: "OUT" },
  ])("$waiting waiting, $pending pending → $rate, $direction", async ({ waiting, pending, rate, direction }) => {
    const { scaler, createGroup, add, read } = bench(ratio);
    await createGroup();
    await add(waiting + pending);
    if (pending > 0) {
      await read("a", Math.ceil(pending / 2));
      await read("b", Math.floor(pending / 2));
    }
    expect(await scaler.decide()).toMatchObject({ direction, rate, inputs: { waiting, pending } });
  });

  it("one consumer is not taken away", async () => {
    const { scaler, createGroup, add, read } = bench(ratio);
    await createGroup();
    await add(94);
    await read("a", 83);
    expect(await scaler.decide()).toMatchObject({ direction: "NO_SCALE", rate: 13.253, current: 1 });
  });

  it("refuses thresholds that are out of range or the wrong way round", () => {
    expect(() => bench({ ...ratio, scaleInRate: 61 })).toThrow("scaleInRate (61) must not be above scaleOutRate (60)");
    expect(() => bench({ ...ratio, scaleOutRate: 101 })).toThrow("scaleOutRate must be a number from 0 to 100");
  });
});

describe("collect", () => {
  it("takes a stream that is not there for empty", async () => {
    const { scaler } = bench();
    expect(await scaler.collect()).toMatchObject({
      added: 0,
      waiting: 0,
      pending: 0,
      current: 0,
      oldestWaitingMs: null,
    });
  });

  it("knows that of a group that is not there everything waits", async () => {
    const { scaler, add } = bench();
    await add(3);
    const seen = await scaler.collect();
    expect(seen).toMatchObject({ added: 3, read: null, waiting: 3, isWaitingAtLeast: false });
    expect(seen.oldestWaitingMs).toBeGreaterThanOrEqual(0);
  });

  it("counts what waits where the server does not know it, up to the limit", async () => {
    const { scaler, createGroup, add, server, stream } = bench({ countLimit: 5 });
    await createGroup();
    const ids = await add(5);
    await server.command("XREADGROUP", "GROUP", "group", "a", "COUNT", 1, "STREAMS", stream, ">");
    await server.command("XDEL", stream, ids[2] as string);
    expect(await scaler.collect()).toMatchObject({ waiting: 3, isWaitingAtLeast: false });
    await add(10);
    expect(await scaler.collect()).toMatchObject({ waiting: 5, isWaitingAtLeast: true });
  });

  it("takes what consumers report of their work, and looks again every time", async () => {
    const { scaler, createGroup, heartbeat } = bench();
    await createGroup();
    const work = addBatch({ ...NO_WORK, delivered: 12 }, 10, 50);
    await heartbeat("a", { state: "running", batchSize: 25, concurrency: 2, work });
    expect(await scaler.collect()).toMatchObject({
      ...{ current: 1, ready: 1, lost: 0 },
      consumers: [{ name: "a", incarnation: "1", batchSize: 25, concurrency: 2, counters: work }],
    });
    await heartbeat("b", { state: "running" });
    await heartbeat("a", { state: "draining", work });
    const seen = await scaler.collect();
    expect(seen.ready).toBe(1);
    expect(seen.consumers.map(({ name }) => name).toSorted()).toEqual(["a", "b"]);
  });

  it("counts what was released, or deferred until now, as free for anybody, and what is deferred for longer as nothing", async () => {
    const { scaler, createGroup, add, read, server, stream, group } = bench();
    await createGroup();
    const ids = await add(12);
    await read("a", 10);
    const client = createRedisStreamClient({ redis: server.options, blockMs: 0 });
    made.push(() => client.close());
    await client.connect(["commands"], { timeoutMs: 10_000 });
    const move = { stream, group, from: "a", neverOffered: [] };
    await client.release({ ...move, to: "rb:released", offered: ids.slice(0, 2) });
    await client.release({ ...move, to: "rb:later", offered: ids.slice(2, 7) });
    const delays = ids.slice(2, 7).map((id, index) => ({ id, delayMs: index < 3 ? 0 : 600_000 }));
    await client.scheduleLater({ stream, group, delays });
    const atMs = await client.time();
    await eventually("the server's clock goes on", async () => (await client.time()) > atMs);
    expect(await scaler.collect()).toMatchObject({ waiting: 2, released: 5, pending: 3, ready: 1 });
    // A time that a message has left behind is none of it.
    await server.command("XACK", stream, group, ...ids.slice(2, 6));
    expect(await scaler.collect()).toMatchObject({ waiting: 2, released: 3, pending: 3 });
  });

  it("says so when the key is not a stream", async () => {
    const { scaler, server, stream } = bench();
    await server.command("SET", stream, "x");
    await expect(scaler.collect()).rejects.toThrow(WrongTypeError);
  });

  it("is refused after close", async () => {
    const { scaler } = bench();
    await scaler.close();
    await expect(scaler.collect()).rejects.toThrow(UsageError);
  });
});

describe("run", () => {
  it("only tells what it decides, unless somebody carries it out", async () => {
    const { scaler, events, createGroup, add } = bench(ratio);
    await createGroup();
    await add(3);
    const stop = new AbortController();
    const run = scaler.run({ intervalMs: 100, signal: stop.signal });
    await events.waitFor(decided((decision) => decision.direction === "OUT"));
    stop.abort();
    await run;
    expect(events.all("decided")[0]).toMatchObject({ executor: null });
    expect(events.all("scaled")).toEqual([]);
  });

  it("has the executor go from number to number, and stays where nothing is to do", async () => {
    const { scaler, events, createGroup, add, read } = bench({ ...ratio, maxConsumers: 4 });
    await createGroup();
    await add(10);
    const executor = numbers(1);
    const stop = new AbortController();
    const run = scaler.run({ intervalMs: 100, executor, signal: stop.signal });
    await events.waitFor(decided((decision) => decision.binding === "max"));
    expect(executor.ordered).toEqual([2, 3, 4]);
    await read("a", 10);
    await events.waitFor((event) => event.type === "scaled" && event.to === 1);
    stop.abort();
    await run;
    expect(executor.ordered).toEqual([2, 3, 4, 3, 2, 1]);
  });

  it("wakes the first consumer of a group for the first message, by the throughput strategy", async () => {
    const { scaler, events, createGroup, add } = bench({ minConsumers: 0 });
    await createGroup();
    const executor = numbers(0);
    const stop = new AbortController();
    const run = scaler.run({ intervalMs: 100, executor, signal: stop.signal });
    await events.waitFor(decided((decision) => decision.direction === "NO_SCALE"));
    await add(1);
    const { from, to } = await events.waitFor("scaled");
    stop.abort();
    await run;
    expect([from, to]).toEqual([0, 1]);
  });

  it("times starts by the consumers that work where the executor only knows its orders, and has it onDecision every decision", async () => {
    const { scaler, events, createGroup, add, heartbeat } = bench();
    await createGroup();
    await add(3);
    await heartbeat("a", { state: "running" });
    const heard: Decision[] = [];
    const ordersOnly: Executor = {
      name: "orders",
      status: async () => ({ desired: 2, ready: null, startingMs: [], startUpsMs: [] }),
      onDecision: (decision) => void heard.push(decision),
      scale: async () => {},
    };
    const run = scaler.run({ intervalMs: 100, executor: ordersOnly });
    const { decision: first } = await events.waitFor("decided");
    expect(first).toMatchObject({ current: 2, inputs: { ready: 1, starting: 1 } });
    await heartbeat("b", { state: "running" });
    await events.waitFor(decided(({ inputs }) => "starting" in inputs && inputs.starting === 0));
    // It took less than the least that is reckoned with, and nothing like what is supposed before any start was seen.
    await eventually("it has heard that", () => heard.some(({ inputs }) => "ready" in inputs && inputs.ready === 2));
    expect(heard.at(-1)).toMatchObject({ current: 2, inputs: { ready: 2, leadMs: 2_000 } });
    await scaler.close();
    await run;
    const all = events.all("decided").map((event) => event.decision);
    // The last one may have been made when it was closed.
    expect(heard).toEqual(all.slice(0, heard.length));
    expect(all.length - heard.length).toBeLessThanOrEqual(1);
  });

  it("takes those that work for all there are where the executor does not know", async () => {
    const { scaler, events, createGroup, heartbeat } = bench();
    await createGroup();
    await heartbeat("a", { state: "running" });
    await heartbeat("b", { state: "running" });
    const executor: Executor = { name: "blind", status: async () => null, scale: async () => {} };
    const run = scaler.run({ intervalMs: 100, executor });
    const { decision } = await events.waitFor("decided");
    expect(decision).toMatchObject({ current: 2, inputs: { ready: 2, starting: 0 } });
    await scaler.close();
    await run;
  });

  it("tells when a decision could not be carried out, and tries again", async () => {
    let attempts = 0;
    const { scaler, events, createGroup, add } = bench(ratio);
    await createGroup();
    await add(3);
    const executor = numbers(1, async () => {
      if (++attempts === 1) throw new Error("no room");
    });
    const stop = new AbortController();
    const run = scaler.run({ intervalMs: 100, executor, signal: stop.signal });
    await events.waitFor("scaled");
    stop.abort();
    await run;
    const failure = { type: "scaleFailed", from: 1, to: 2, executor: "numbers" };
    expect(events.all("scaleFailed")[0]).toMatchObject({ ...failure, error: { code: "UNKNOWN", message: "no room" } });
  });

  it("changes nothing while its consumers cannot be looked at, and goes on when they can", async () => {
    const { scaler, events, createGroup, add } = bench(ratio);
    await createGroup();
    await add(3);
    const there = numbers(1);
    let isAway = true;
    const executor: Executor = {
      ...there,
      status(signal) {
        if (isAway) throw new Error("away");
        return there.status(signal);
      },
    };
    const stop = new AbortController();
    const run = scaler.run({ intervalMs: 100, executor, signal: stop.signal });
    await events.waitFor("passFailed");
    expect(events.all("decided")).toEqual([]);
    isAway = false;
    await events.waitFor("scaled");
    stop.abort();
    await run;
  });

  it("ends with close, also while an executor is at work, and is refused while another runs", async () => {
    const { scaler, createGroup, add } = bench(ratio);
    await createGroup();
    await add(3);
    const asked = deferred<AbortSignal>();
    const executor: Executor = {
      ...numbers(1),
      scale: (_, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => reject(new Error("ended")), { once: true });
          asked.resolve(signal);
        }),
    };
    const run = scaler.run({ intervalMs: 100, executor });
    await asked.promise;
    await expect(scaler.run()).rejects.toThrow("another run is still active");
    await scaler.close();
    await run;
  });
});
