import { ConsumerNameInUseError, LeaseLostError } from "@redis-batch/core";
import type { WorkCounters } from "@redis-batch/core/internal/groups";
import { groupKey } from "@redis-batch/core/internal/names";
import { deferred, eventually, useServer } from "@redis-batch/test-support";
import { describe, expect, it } from "vitest";
import { numbers, range, useBench } from "./harness.ts";

const bench = useBench(useServer());
const leaseMs = 600;
const quick = { leaseMs, recoverEveryMs: 100, maxWaitMs: 10, retry: { baseMs: 5, capMs: 20 } };

/** What a process does that reads messages and dies: a heartbeat, a read, and then nothing more. */
async function dieWith(
  made: ReturnType<typeof bench>,
  name: string,
  options: { deliveries?: number } = {},
): Promise<void> {
  const { server, stream, group } = made;
  await server.command("XGROUP", "CREATE", stream, group, 0, "MKSTREAM").catch(() => {});
  const read = await server.command("XREADGROUP", "GROUP", group, name, "STREAMS", stream, ">");
  const entries = (read as [string, [string][]][] | null)?.[0]?.[1] ?? [];
  for (const [id] of entries) {
    await server.command("XCLAIM", stream, group, name, 0, id, "RETRYCOUNT", options.deliveries ?? 1, "JUSTID");
  }
  const [seconds, micros] = (await server.command("TIME")) as [string, string];
  const at = Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000);
  const field = JSON.stringify({ at, v: 1, incarnation: `${name}-1`, leaseMs });
  await server.command("HSET", groupKey("consumers", stream, group), name, field);
}

describe("messages of a dead consumer", () => {
  it("are taken over when its lease is over, without any monitor, and its name is removed", async () => {
    const made = bench();
    await made.add(...range(250));
    await dieWith(made, "dead");
    const { consumer, events } = made.consumer({ ...quick, batchSize: 50 });
    const seen: number[] = [];
    const running = consumer.run((batch) => {
      seen.push(...numbers(batch));
      batch.ack();
    });
    const { from, messages } = await events.waitFor("orphansReleased");
    expect([from, messages]).toEqual(["dead", 250]);
    await eventually("they are done", async () => (await made.pending()).length === 0);
    expect(seen.toSorted((a, b) => a - b)).toEqual(range(250));
    await events.waitFor("nameRemoved");
    expect(await made.names()).toEqual(["rb:released", consumer.name]);
    await consumer.close();
    await running;
  });

  it("count the delivery that killed it: one too many, and they are dead-lettered unseen", async () => {
    const made = bench();
    await made.add("crasher");
    await dieWith(made, "dead", { deliveries: 16 });
    const { consumer, events } = made.consumer(quick);
    const running = consumer.run((batch) => batch.ack());
    expect(await events.waitFor("deadLettered")).toMatchObject({ why: "maxDeliveries" });
    expect(events.all("batch")).toEqual([]);
    await consumer.close();
    await running;
  });

  it("are taken, with their deliveries uncounted, when it left cleanly and released them", async () => {
    const made = bench();
    await made.add(...range(4));
    const leaving = made.consumer({ ...quick, batchSize: 2, foreignIdleMs: 86_400_000 });
    await leaving.consumer.fetch();
    await eventually("the prefetch is there", async () => (await made.pending()).length === 4);
    expect(await leaving.consumer.close()).toMatchObject({ released: 4 });
    const staying = made.consumer({ ...quick, foreignIdleMs: 86_000_000 });
    const deliveries: number[] = [];
    const running = staying.consumer.run((batch) => {
      deliveries.push(...batch.messages.map((message) => message.deliveries));
      batch.ack();
    });
    expect(await staying.events.waitFor("claimed")).toMatchObject({ messages: 4 });
    await eventually("they are done", async () => (await made.pending()).length === 0);
    expect(deliveries.toSorted((a, b) => a - b)).toEqual([1, 1, 2, 2]);
    await staying.consumer.close();
    await running;
  });

  it("are left alone while it lives, however long it works", async () => {
    const made = bench();
    await made.add(...range(3));
    const slow = made.consumer({ ...quick, batchSize: 3, prefetch: 0 });
    const finish = deferred<void>();
    const working = slow.consumer.run(async (batch) => {
      await finish.promise;
      batch.ack();
    });
    await slow.events.waitFor("batch");
    const other = made.consumer(quick);
    const seen: number[] = [];
    const idling = other.consumer.run((batch) => {
      seen.push(...numbers(batch));
      batch.ack();
    });
    await other.events.waitFor("started");
    const ages = async (): Promise<number[]> => {
      const entries = (await made.server.command("XPENDING", made.stream, made.group, "-", "+", 10)) as [
        string,
        string,
        number,
      ][];
      return entries.map(([, , idleMs]) => idleMs);
    };
    // Several leases long: the idle time never gets to one, because it is renewed.
    const untilMs = performance.now() + 3 * leaseMs;
    await eventually("three leases have passed", async () => {
      for (const idleMs of await ages()) expect(idleMs).toBeLessThan(leaseMs);
      return performance.now() > untilMs;
    });
    finish.resolve();
    await eventually("the slow one is done", async () => (await made.pending()).length === 0);
    await Promise.all([slow.consumer.close(), other.consumer.close()]);
    await Promise.all([working, idling]);
    expect(seen).toEqual([]);
    expect(slow.events.all("outcomeTooLate")).toEqual([]);
  });
});

describe("messages of a consumer that is not ours", () => {
  it("are taken over only after foreignIdleMs", async () => {
    const made = bench();
    const [old, young] = await made.add("old", "young");
    await made.server.command("XGROUP", "CREATE", made.stream, made.group, 0);
    await made.server.command("XREADGROUP", "GROUP", made.group, "script", "STREAMS", made.stream, ">");
    await made.server.command(
      "XCLAIM",
      made.stream,
      made.group,
      "script",
      0,
      old as string,
      "IDLE",
      3_600_000,
      "JUSTID",
    );
    const { consumer, events } = made.consumer({ ...quick, foreignIdleMs: 1_800_000 });
    const running = consumer.run((batch) => batch.ack());
    expect(await events.waitFor("orphansReleased")).toMatchObject({ from: "script", messages: 1 });
    await eventually("it is done", async () => (await made.pending()).length === 1);
    expect(await made.pending()).toMatchObject([{ id: young, consumer: "script" }]);
    await consumer.close();
    await running;
  });
});

describe("a lease that is lost", () => {
  it("aborts the message's signal, refuses its outcome, and says so", async () => {
    const made = bench();
    const [id] = await made.add(1);
    const { consumer, events } = made.consumer({ ...quick, batchSize: 1 });
    const outcome = deferred<unknown>();
    const running = consumer.run(async (batch) => {
      const [message] = batch.messages;
      if (message === undefined) return;
      message.signal.addEventListener("abort", () => outcome.resolve(message.signal.reason));
      await outcome.promise;
      message.ack();
    });
    await events.waitFor("batch");
    await made.server.command("XCLAIM", made.stream, made.group, "thief", 0, id as string);
    const reason = await outcome.promise;
    expect(LeaseLostError.is(reason) && [reason.entryId, reason.loss]).toEqual([id, "taken"]);
    await events.waitFor("batchEnded");
    expect(events.all("outcomeTooLate")).toMatchObject([{ type: "outcomeTooLate", ids: [id], why: "not-owned" }]);
    expect(await made.pending()).toMatchObject([{ id, consumer: "thief" }]);
    await consumer.close();
    await running;
  });

  it("ends what is held for longer than maxHoldMs, so that a handler that hangs holds nothing for ever", async () => {
    const made = bench();
    const [id] = await made.add(1);
    const { consumer, events } = made.consumer({ ...quick, maxHoldMs: 1_000, drainMs: 100, batchSize: 1 });
    const running = consumer.run(() => new Promise(() => {}));
    expect(await events.waitFor("outcomeTooLate")).toMatchObject({
      type: "outcomeTooLate",
      ids: [id],
      why: "held-too-long",
    });
    await consumer.close();
    void running;
    expect(await made.pending()).toHaveLength(1);
  });
});

describe("the heartbeat", () => {
  it("finds messages that somebody handed over", async () => {
    const made = bench();
    const { consumer, events } = made.consumer({ ...quick, batchSize: 1, prefetch: 0 });
    await consumer.fetch();
    await made.server.command("XGROUP", "CREATECONSUMER", made.stream, made.group, "other");
    const ids = await made.add(1, 2);
    await made.server.command("XREADGROUP", "GROUP", made.group, "other", "COUNT", 2, "STREAMS", made.stream, ">");
    await made.server.command("XCLAIM", made.stream, made.group, consumer.name, 0, ...ids, "JUSTID");
    const running = consumer.run((batch) => batch.ack());
    expect(await events.waitFor("undeliveredFound")).toMatchObject({ messages: expect.any(Number) as number });
    await eventually("they are done", async () => (await made.pending()).length === 0);
    await consumer.close();
    await running;
  });

  it("tells who and what the consumer is", async () => {
    const made = bench();
    const { consumer } = made.consumer(quick);
    await consumer.fetch();
    const field = await made.server.command("HGET", groupKey("consumers", made.stream, made.group), consumer.name);
    // Ten at work, a thousand read ahead while batches are quick, a hundred deferred.
    const who = { v: 1, leaseMs, pid: process.pid, batchSize: 10, concurrency: 1, capacity: 10 + 1_000 + 100 };
    expect(JSON.parse(String(field))).toMatchObject(who);
  });

  it("tells what it has done, the batch at work included", async () => {
    const made = bench();
    // Both batches are full at once: on a busy machine there may be nothing yet when a short wait is over.
    const { consumer } = made.consumer({ ...quick, batchSize: 2, maxWaitMs: 10_000 });
    interface Told {
      readonly acked: number;
      readonly inFlight: number;
      readonly busyMs: number;
      readonly work: WorkCounters;
    }
    const told = async (): Promise<Told> => {
      const field = await made.server.command("HGET", groupKey("consumers", made.stream, made.group), consumer.name);
      return JSON.parse(String(field)) as Told;
    };
    await made.add(1, 2, 3, 4);
    (await consumer.fetch()).ack();
    const batch = await consumer.fetch();
    await eventually("it has reported both batches", async () => {
      const { acked, inFlight, busyMs } = await told();
      return acked === 2 && inFlight === 2 && busyMs > 0;
    });
    const { busyMs, work } = await told();
    // What one batch is can be reported when it is over.
    expect(work).toMatchObject({ delivered: 4, batches: 1, processed: 2, sizeSquared: 4 });
    expect(work.busyMsSquared).toBeCloseTo(work.busyMs ** 2);
    expect(work.sizeTimesBusyMs).toBeCloseTo(2 * work.busyMs);
    await eventually("it is busier while a batch is open", async () => (await told()).busyMs > busyMs);
    batch.ack();
  });
});

describe("a consumer's name", () => {
  it("belongs to one process: a second one is refused", async () => {
    const made = bench();
    const first = made.consumer({ ...quick, name: "worker-1" });
    await first.consumer.fetch();
    const second = made.consumer({ ...quick, name: "worker-1" });
    await expect(second.consumer.fetch()).rejects.toThrow(ConsumerNameInUseError);
    expect(await first.consumer.fetch()).toMatchObject({ size: 0 });
    expect(first.consumer.state).toBe("running");
    expect(await made.names()).toEqual(["worker-1"]);
  });

  it("is free again soon after its process died", async () => {
    const made = bench();
    await made.add(1);
    await dieWith(made, "worker-1");
    const { consumer } = made.consumer({ ...quick, name: "worker-1", batchSize: 1, maxWaitMs: 5_000 });
    expect((await consumer.fetch()).messages.map(({ deliveries }) => deliveries)).toEqual([2]);
  });

  it("once taken over, stops the consumer that had it, and nothing of it is touched", async () => {
    const made = bench();
    const { consumer } = made.consumer({ ...quick, name: "worker-1", batchSize: 1, maxWaitMs: 1_000 });
    await made.add(1);
    const started = deferred<AbortSignal>();
    const running = consumer.run(async (batch, { signal }) => {
      started.resolve(signal);
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      void batch;
    });
    const signal = await started.promise;
    const registry = groupKey("consumers", made.stream, made.group);
    const own = JSON.parse(String(await made.server.command("HGET", registry, "worker-1"))) as { incarnation: string };
    const usurper = JSON.stringify({ ...own, incarnation: "another" });
    await made.server.command("HSET", registry, "worker-1", usurper);
    await expect(running).rejects.toThrow(ConsumerNameInUseError);
    expect(ConsumerNameInUseError.is(signal.reason)).toBe(true);
    expect(await made.names()).toEqual(["worker-1"]);
    expect(await made.server.command("HGET", registry, "worker-1")).toBe(usurper);
  });
});

describe("the lease", () => {
  it("may differ for each consumer of a group, and the others know it", async () => {
    const made = bench();
    const first = made.consumer(quick);
    await first.consumer.fetch();
    const second = made.consumer({ ...quick, leaseMs: 700 });
    await second.consumer.fetch();
    const leases = await Promise.all(
      [first, second].map(async ({ consumer }) => {
        const key = groupKey("consumers", made.stream, made.group);
        const told = await made.server.command("HGET", key, consumer.name);
        return (JSON.parse(String(told)) as { leaseMs: number }).leaseMs;
      }),
    );
    expect(leases).toEqual([leaseMs, 700]);
  });
});
