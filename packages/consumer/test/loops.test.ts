import { UsageError } from "@redis-batch/core";
import { deferred, eventually, fairNowMs, useServer } from "@redis-batch/test-support";
import { describe, expect, it } from "vitest";
import type { Batch } from "../src/index.ts";
import { numbers, range, useBench } from "./harness.ts";

const bench = useBench(useServer());

function open(options: Parameters<ReturnType<typeof bench>["consumer"]>[0] = {}) {
  const made = bench();
  return { ...made, ...made.consumer(options) };
}

describe("for await", () => {
  it("yields batches that are never empty until the consumer is closed", async () => {
    const { consumer, add, pending } = open({ maxWaitMs: 10 });
    await add(...range(25));
    const seen: number[] = [];
    for await (const batch of consumer) {
      expect(batch.size).toBeGreaterThan(0);
      seen.push(...numbers(batch));
      batch.ack();
      if (seen.length === 25) void consumer.close();
    }
    expect(seen).toEqual(range(25));
    expect(await pending()).toEqual([]);
    expect(consumer.state).toBe("closed");
  });

  it("stops reading on break, gives the open batch back, and can be used again", async () => {
    const { consumer, add, events } = open({ retry: { baseMs: 1 } });
    await add(...range(10));
    for await (const batch of consumer) {
      batch.messages[0]?.ack();
      break;
    }
    expect(events.all("batchEnded")).toMatchObject([{ messages: 10, unsettled: 9 }]);
    expect(consumer.state).toBe("running");
    await add(10);
    const again: number[] = [];
    for await (const batch of consumer) {
      again.push(...numbers(batch));
      batch.ack();
      if (again.length === 10) break;
    }
    expect(again.toSorted((a, b) => a - b)).toEqual(range(11).slice(1));
  });

  it("ends, drained, when the constructor's signal aborts", async () => {
    const aborter = new AbortController();
    const { consumer, add, events, names } = open({ signal: aborter.signal, maxWaitMs: 10 });
    await add(1);
    for await (const batch of consumer) {
      batch.ack();
      aborter.abort();
    }
    expect(events.all("stopped")).toHaveLength(1);
    expect(await names()).toEqual([]);
  });
});

describe("the constructor's signal", () => {
  it("lets the owner of a fetched batch finish it, and answers the next fetch with an empty one", async () => {
    const aborter = new AbortController();
    const { consumer, add, events, pending } = open({ signal: aborter.signal, batchSize: 2 });
    await add(1, 2);
    const batch = await consumer.fetch();
    aborter.abort();
    await events.waitFor("draining");
    batch.ack();
    expect((await batch.settled()).acknowledged).toHaveLength(2);
    expect(await consumer.fetch()).toMatchObject({ size: 0, reason: "draining" });
    await events.waitFor("stopped");
    expect(await consumer.close()).toMatchObject({ released: 0, abandoned: 0, nameRemoved: true });
    expect(await pending()).toEqual([]);
  });

  it("gives an unfinished fetched batch back when the owner closes", async () => {
    const aborter = new AbortController();
    const { consumer, add } = open({ signal: aborter.signal, batchSize: 2, drainMs: 60_000 });
    await add(1, 2);
    (await consumer.fetch()).messages[0]?.ack();
    aborter.abort();
    expect(await consumer.close()).toMatchObject({ released: 1, abandoned: 0 });
  });
});

describe("run()", () => {
  it("hands every message to the handler and resolves with a report after the drain", async () => {
    const { consumer, add, pending, names } = open({ maxWaitMs: 10 });
    await add(...range(95));
    const seen: number[] = [];
    const aborter = new AbortController();
    const report = await consumer.run(
      (batch) => {
        seen.push(...numbers(batch));
        batch.ack();
        if (seen.length === 95) aborter.abort();
      },
      { signal: aborter.signal },
    );
    expect(seen).toEqual(range(95));
    expect(report).toEqual({ released: 0, unconfirmedAcks: 0, abandoned: 0, nameRemoved: true });
    expect(await pending()).toEqual([]);
    expect(await names()).toEqual([]);
  });

  it("keeps what was acknowledged when the handler throws; the rest is redelivered after a delay", async () => {
    const { consumer, add, events } = open({ batchSize: 4, retry: { baseMs: 20, capMs: 20 } });
    await add(...range(4));
    const offered: number[][] = [];
    await consumer.run((batch) => {
      offered.push(numbers(batch));
      if (offered.length === 1) {
        batch.messages[0]?.ack();
        throw new Error("the sink is away");
      }
      batch.ack();
      if (offered.flat().length === 7) void consumer.close();
    });
    // Each again in a batch half as large.
    expect(offered).toEqual([[0, 1, 2, 3], [1, 2], [3]]);
    expect(events.all("handlerFailed")).toMatchObject([{ messages: 4, error: new Error("the sink is away") }]);
  });

  it("says so when a handler returns without naming any message", async () => {
    const { consumer, add, events } = open({ retry: { baseMs: 60_000 } });
    await add(1);
    const running = consumer.run(() => {});
    await events.waitFor("nothingSettled");
    const report = await consumer.close();
    expect(await running).toBe(report);
    expect(report.released).toBe(1);
  });

  it.each([
    ["the rest", () => ({ ack: "rest" as const }), []],
    ["these", (batch: Batch<unknown>) => ({ ack: batch.messages.slice(1) }), [0]],
    ["nothing", () => ({}), [0, 1, 2]],
  ])("takes a returned outcome: %s", async (_, outcome, left) => {
    const { consumer, add, pending } = open({ batchSize: 3, retry: { baseMs: 60_000 } });
    const ids = await add(...range(3));
    await consumer.run((batch) => {
      void consumer.close();
      return outcome(batch);
    });
    expect((await pending()).map(({ id }) => ids.indexOf(id))).toEqual(left);
  });

  it("treats an outcome that names something unknown as a failed handler", async () => {
    const { consumer, add, events, pending } = open({ retry: { baseMs: 60_000 } });
    await add(1);
    await consumer.run(() => {
      void consumer.close();
      return { acknowledge: "rest" } as never;
    });
    expect(events.all("handlerFailed")[0]?.error).toBeInstanceOf(UsageError);
    expect(await pending()).toHaveLength(1);
  });

  it("works on as many batches at a time as `concurrency` says", async () => {
    const { consumer, add } = open({ concurrency: 3, batchSize: 2, maxWaitMs: 10 });
    await add(...range(6));
    let atWork = 0;
    let most = 0;
    const release = deferred<void>();
    const running = consumer.run(async (batch) => {
      most = Math.max(most, ++atWork);
      if (atWork === 3) release.resolve();
      await release.promise;
      atWork--;
      batch.ack();
    });
    await release.promise;
    await consumer.close();
    await running;
    expect(most).toBe(3);
  });
});

describe("pause()", () => {
  it("stops reading and handing out until resume(), and keeps what is held", async () => {
    const made = bench();
    const { consumer, events } = made.consumer({ batchSize: 2, maxWaitMs: 10 });
    await made.add(1, 2);
    const seen: number[] = [];
    const running = consumer.run((batch) => {
      seen.push(...numbers(batch));
      batch.ack();
    });
    await events.waitFor("acknowledged");
    consumer.pause();
    const blocked = async (): Promise<string> => (await made.server.info("clients"))["blocked_clients"] ?? "";
    await eventually("its read has ended", async () => (await blocked()) === "0");
    await made.add(3, 4);
    // Another group gets them in the meantime.
    const other = made.consumer({ group: "other", batchSize: 4, maxWaitMs: 5_000 });
    expect(numbers(await other.consumer.fetch())).toEqual([1, 2, 3, 4]);
    expect(seen).toEqual([1, 2]);
    consumer.resume();
    await eventually("the rest is done", () => seen.length === 4);
    await consumer.close();
    await running;
  });

  it("lets a fetch() end empty in time", async () => {
    const { consumer, add } = open({ batchSize: 2, maxWaitMs: 20 });
    await consumer.fetch();
    consumer.pause();
    await add(1, 2);
    expect((await consumer.fetch()).size).toBe(0);
    consumer.resume();
    let batch = await consumer.fetch();
    while (batch.size === 0) batch = await consumer.fetch();
    expect(numbers(batch)).toEqual([1, 2]);
  });
});

describe("close()", () => {
  it("waits for the handler that is at work", async () => {
    const { consumer, add, events, pending } = open();
    await add(1);
    const started = deferred<void>();
    const finish = deferred<void>();
    const running = consumer.run(async (batch) => {
      started.resolve();
      await finish.promise;
      batch.ack();
    });
    await started.promise;
    const closing = consumer.close();
    await events.waitFor("draining");
    finish.resolve();
    expect(await closing).toEqual({ released: 0, unconfirmedAcks: 0, abandoned: 0, nameRemoved: true });
    await running;
    expect(await pending()).toEqual([]);
  });

  it("aborts the signal of a handler that outlasts the deadline, and gives its messages back", async () => {
    const { consumer, add, pending } = open({ drainMs: 50 });
    await add(1, 2);
    const started = deferred<void>();
    const aborted = deferred<unknown>();
    const running = consumer.run(async (batch, { signal }) => {
      started.resolve();
      batch.messages[0]?.ack();
      signal.addEventListener("abort", () => aborted.resolve(signal.reason));
      await aborted.promise;
    });
    await started.promise;
    const report = await consumer.close();
    expect(await aborted.promise).toBeInstanceOf(UsageError);
    expect(report).toEqual({ released: 1, unconfirmedAcks: 0, abandoned: 1, nameRemoved: true });
    await running;
    expect(await pending()).toMatchObject([{ consumer: "rb:released" }]);
  });

  it("gives prefetched messages back with their delivery uncounted, ready for any consumer", async () => {
    const { consumer, add, pending } = open({ batchSize: 2 });
    await add(...range(4));
    const batch = await consumer.fetch();
    await eventually("the prefetch is there", async () => (await pending()).length === 4);
    batch.messages[0]?.ack();
    expect(await consumer.close()).toMatchObject({ released: 3, nameRemoved: true });
    expect(await pending()).toMatchObject([1, 0, 0].map((deliveries) => ({ consumer: "rb:released", deliveries })));
  });

  it("ends a read that waits at the server, and loses nothing that it brings", async () => {
    const { consumer, events, server, stream, group } = open({ blockMs: 60_000 });
    await consumer.fetch();
    const startedMs = fairNowMs();
    await consumer.close();
    expect(fairNowMs() - startedMs).toBeLessThan(1_500);
    await events.waitFor("stopped");
    expect(await server.command("XINFO", "CONSUMERS", stream, group)).toEqual([]);
  });

  it("is idempotent, may race with itself, and drains under `await using`", async () => {
    const { add, consumer, events, pending } = open();
    await add(1);
    {
      await using scoped = consumer;
      (await scoped.fetch()).ack();
    }
    expect(await Promise.all([consumer.close(), consumer.close()])).toHaveLength(2);
    expect(events.all("stopped")).toHaveLength(1);
    expect(await pending()).toEqual([]);
  });

  it("closes a consumer that was never used without connecting", async () => {
    const { consumer, events } = open({ redis: "redis://127.0.0.1:1" });
    expect(await consumer.close()).toEqual({ released: 0, unconfirmedAcks: 0, abandoned: 0, nameRemoved: false });
    expect(events.events).toEqual([]);
  });

  it("ends run() and for await that still wait for their first connection, as those that run", async () => {
    const away = { redis: "redis://127.0.0.1:1" };
    const nothingLeft = { released: 0, unconfirmedAcks: 0, abandoned: 0, nameRemoved: false };

    const running = open(away).consumer;
    const ran = running.run(() => {});
    expect(running.state).toBe("starting");
    expect(await running.close()).toEqual(nothingLeft);
    expect(await ran).toEqual(nothingLeft);

    const looping = open(away).consumer;
    const looped = (async () => {
      for await (const batch of looping) batch.ack();
    })();
    await looping.close();
    await looped;
  });

  it("never connects when it was called for by a signal that had aborted before", async () => {
    const { consumer, events } = open();
    await consumer.run(() => {}, { signal: AbortSignal.abort() });
    expect(consumer.state).toBe("closed");
    expect(events.events).toEqual([]);

    const born = open({ signal: AbortSignal.abort() });
    await born.consumer.run(() => {});
    expect(born.consumer.state).toBe("closed");
    expect(born.events.events).toEqual([]);
  });
});
