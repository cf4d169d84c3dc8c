import { createRedisStreamClient } from "@redis-batch/core/internal/connection";
import { deferred, eventually, startCluster, uniqueName, useServer, useServers } from "@redis-batch/test-support";
import { describe, expect, it } from "vitest";
import { Consumer, type ConsumerOptions } from "../src/index.ts";
import { numbers, range, useBench, useClient } from "./harness.ts";

const redis = useServer();
const makeBench = useBench(redis);
const client = useClient(redis);

// A heartbeat three times a second.
const QUICK: Partial<ConsumerOptions> = { leaseMs: 1_000, batchSize: 2, maxWaitMs: 20, recoverEveryMs: 100 };

function bench() {
  const made = makeBench();
  const { stream, group } = made;
  const done: number[] = [];
  return {
    ...made,
    done,
    pause: (forMs: number | null = null) =>
      client().pauseGroup({ stream, group, pause: { by: "anna", reason: "a new version", forMs } }),
    resume: () => client().pauseGroup({ stream, group, pause: null }),
    registry: () => client().registry({ stream, group }),
    /** A consumer that does all it gets. */
    worker: (options: Partial<ConsumerOptions> = {}) => {
      const { consumer, events } = made.consumer({ ...QUICK, ...options });
      const running = consumer.run((batch) => {
        done.push(...numbers(batch));
        batch.ack();
      });
      return { consumer, events, running };
    },
  };
}

describe("a group that is paused", () => {
  it("rests as a whole within a heartbeat: what is open is finished, the rest is released uncounted", async () => {
    const { add, pause, resume, registry, pending, worker, consumer: make, done } = bench();
    const other = worker();
    await other.events.waitFor("started");
    const { consumer, events } = make(QUICK);
    const [open, finish] = [deferred<void>(), deferred<void>()];
    const running = consumer.run(async (batch) => {
      done.push(...numbers(batch));
      open.resolve();
      await finish.promise;
      batch.ack();
    });
    await add(...range(20));
    await open.promise;
    await pause();
    await Promise.all([events.waitFor("groupPaused"), other.events.waitFor("groupPaused")]);
    // Read ahead while the handler was at work, and pending for nobody now.
    await eventually("only what is open is held", async () => {
      const held = (await pending()).filter(({ consumer: owner }) => owner !== "rb:released");
      return held.every(({ consumer: owner }) => owner === consumer.name) && held.length <= 2;
    });
    expect(consumer.health()).toMatchObject({
      ...{ intake: "group-paused", live: true, ready: true },
      streams: [{ groupPause: { by: "anna", reason: "a new version", untilMs: null } }],
    });
    finish.resolve();
    await eventually("what was open is finished", async () => consumer.health().inFlight === 0);
    const before = [...done];
    const added = await add(100);
    await eventually("the registry says so of both", async () =>
      [...(await registry()).values()].every(({ details }) => details.intake === "group-paused" && details.obeysPause),
    );
    expect(done).toEqual(before);
    expect((await pending()).every(({ deliveries }) => deliveries === 0)).toBe(true);
    await resume();
    await eventually("all is done", () => done.length === 21);
    expect(added).toHaveLength(1);
    expect(new Set(done)).toEqual(new Set([...range(20), 100]));
    await events.waitFor("groupResumed");
    await Promise.all([consumer.close(), other.consumer.close()]);
    await Promise.all([running, other.running]);
  });

  it("is left alone by who is alone in it: what it holds is kept, and is no hang, for longer than a lease and maxHoldMs", async () => {
    const { add, pause, pending, consumer: make } = bench();
    const { consumer, events } = make({ ...QUICK, leaseMs: 500, maxHoldMs: 500 });
    const [open, finish] = [deferred<void>(), deferred<void>()];
    const deliveries = new Map<number, number>();
    const running = consumer.run(async (batch) => {
      for (const message of batch) deliveries.set(Number(message.fields["n"]), message.deliveries);
      open.resolve();
      await finish.promise;
      batch.ack();
    });
    await add(...range(4));
    await open.promise;
    await eventually("two are read ahead", () => consumer.health().buffered === 2);
    await pause(1_500);
    await events.waitFor("groupPaused");
    finish.resolve();
    await eventually("what was open is finished", async () => (await pending()).length === 2);
    expect((await pending()).map(({ consumer: owner, deliveries: count }) => [owner, count])).toEqual([
      [consumer.name, 1],
      [consumer.name, 1],
    ]);
    // It ends by itself, by the server's clock.
    await events.waitFor("groupResumed");
    await eventually("the rest is done", async () => (await pending()).length === 0);
    expect([...deliveries]).toEqual(range(4).map((n) => [n, 1]));
    for (const type of ["heldTooLong", "released", "outcomeTooLate"] as const) expect(events.all(type)).toEqual([]);
    await consumer.close();
    await running;
  });

  it("is joined by consumers that rest from the beginning", async () => {
    const { add, pause, resume, registry, worker, done, group, stream } = bench();
    await client().xgroupCreate({ stream, group, position: "start" });
    await pause();
    await add(1, 2);
    const { consumer, events, running } = worker();
    await events.waitFor("started");
    await eventually(
      "it says so",
      async () => (await registry()).get(consumer.name)?.details.intake === "group-paused",
    );
    expect(done).toEqual([]);
    await resume();
    await eventually("all is done", () => done.length === 2);
    await consumer.close();
    await running;
  });

  it("gives callers of fetch() empty batches in time", async () => {
    const { add, pause, resume, consumer: make } = bench();
    const { consumer, events } = make(QUICK);
    await consumer.fetch();
    await pause();
    await events.waitFor("groupPaused");
    await add(1);
    expect((await consumer.fetch()).size).toBe(0);
    await resume();
    await events.waitFor("groupResumed");
    let batch = await consumer.fetch();
    while (batch.size === 0) batch = await consumer.fetch();
    expect(numbers(batch)).toEqual([1]);
  });

  it("stays paused for consumers that are resumed by themselves", async () => {
    const { add, pause, worker, done } = bench();
    const { consumer, events, running } = worker();
    await events.waitFor("started");
    consumer.pause();
    await pause();
    await events.waitFor("groupPaused");
    consumer.resume();
    await add(1);
    expect(consumer.health().intake).toBe("group-paused");
    expect(events.all("intakeHeld").map(({ by }) => by)).toEqual(["paused", "group-paused"]);
    expect(done).toEqual([]);
    await consumer.close();
    await running;
  });

  it("keeps the order of each key, also of what it holds meanwhile", async () => {
    const { pause, resume, server, stream, consumer: make } = bench();
    const done: string[] = [];
    const { consumer, events } = make({ ...QUICK, orderBy: ({ fields }) => fields["k"], concurrency: 2 });
    const [open, finish] = [deferred<void>(), deferred<void>()];
    const running = consumer.run(async (batch) => {
      open.resolve();
      await finish.promise;
      for (const { fields } of batch) done.push(`${fields["k"]}${fields["n"]}`);
      batch.ack();
    });
    for (const n of range(6)) for (const k of ["a", "b"]) await server.command("XADD", stream, "*", "k", k, "n", n);
    await open.promise;
    await pause();
    await events.waitFor("groupPaused");
    finish.resolve();
    await eventually("what was open is finished", () => consumer.health().inFlight === 0);
    expect(done.length).toBeLessThan(12);
    await resume();
    await eventually("all is done", () => done.length === 12);
    for (const k of ["a", "b"]) {
      expect(done.filter((one) => one.startsWith(k))).toEqual(range(6).map((n) => `${k}${n}`));
    }
    await consumer.close();
    await running;
  });

  it("is one stream of several: the others go on", async () => {
    const { pause, resume, stream, server, consumer: make } = bench();
    const second = `${stream}-2`;
    const seen = new Map<string, number>();
    const { consumer, events } = make({ ...QUICK, stream: undefined, streams: [stream, second] });
    const running = consumer.run((batch) => {
      seen.set(batch.stream ?? "", (seen.get(batch.stream ?? "") ?? 0) + batch.size);
      batch.ack();
    });
    await events.waitFor("started");
    await pause();
    expect(await events.waitFor("groupPaused")).toMatchObject({ stream });
    for (const name of [stream, second]) await server.command("XADD", name, "*", "n", 1);
    await eventually("the other one goes on", () => seen.get(second) === 1);
    expect(seen.get(stream)).toBeUndefined();
    expect(consumer.health().streams).toMatchObject([{ intake: "group-paused" }, { intake: "open", groupPause: null }]);
    await resume();
    await eventually("both go on", () => seen.get(stream) === 1);
    await consumer.close();
    await running;
  });
});

describe("on a Cluster", () => {
  const cluster = useServers((source) => startCluster({ source }));

  it("each group is paused where its stream is", async () => {
    const hosts = cluster.servers.startupNodes.map(({ host, port }) => `${host}:${port}`).join(",");
    const url = `redis+cluster://${hosts}`;
    const name = uniqueName("stream");
    const streams = range(4).map((n) => `${name}-${n}`);
    const [paused = "", ...others] = streams;
    const inCluster = createRedisStreamClient({ redis: url, blockMs: 0 });
    await inCluster.connect(["commands"], { timeoutMs: 10_000 });
    const seen: string[] = [];
    const consumer = new Consumer({ redis: url, streams, group: "g", ...QUICK, observer: () => {} });
    const running = consumer.run((batch) => {
      seen.push(batch.stream ?? "");
      batch.ack();
    });
    await eventually("it runs", () => consumer.state === "running");
    const address = { stream: paused, group: "g" };
    await inCluster.pauseGroup({ ...address, pause: { by: "anna", reason: null, forMs: null } });
    await eventually("it rests", () => consumer.health().streams[0]?.intake === "group-paused");
    await inCluster.xaddMany(streams.map((stream) => ({ stream, fields: ["n", 1] })));
    await eventually("the others go on", () => seen.length === 3);
    expect(new Set(seen)).toEqual(new Set(others));
    await inCluster.pauseGroup({ ...address, pause: null });
    await eventually("all go on", () => seen.length === 4);
    await consumer.close();
    await running;
    await inCluster.close();
  });
});
