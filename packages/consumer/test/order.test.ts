/** The table "Order" of the README: one test or more for each of its rows. */
import { compareEntryIds } from "@redis-batch/core";
import { deferred, eventually, useServer } from "@redis-batch/test-support";
import { describe, expect, it } from "vitest";
import { numbers, range, useBench } from "./harness.ts";

const bench = useBench(useServer());
const quick = { maxWaitMs: 10, retry: { baseMs: 1, capMs: 1 } };

const inOrder = (ids: readonly string[]): string[] => ids.toSorted(compareEntryIds);

describe("within a batch", () => {
  it("is by id, with redelivered messages in their places", async () => {
    const made = bench();
    const { consumer } = made.consumer({ batchSize: 10, maxWaitMs: 2_000, retry: { baseMs: 1 } });
    await made.add(...range(60));
    let mixed = 0;
    for (const _ of range(10)) {
      const batch = await consumer.fetch();
      const ids = batch.messages.map(({ id }) => id);
      expect(ids).toEqual(inOrder(ids));
      mixed += Number(new Set(batch.messages.map(({ deliveries }) => deliveries > 1)).size === 2);
      for (const [place, message] of batch.messages.entries()) if (place % 2 === 0) message.ack();
    }
    expect(mixed).toBeGreaterThan(3);
  });
});

describe("across the batches of one consumer", () => {
  it.each(["fetch", "for await", "run"])("is by id, however they were read (%s)", async (way) => {
    const made = bench();
    const { consumer } = made.consumer({ batchSize: 7, maxWaitMs: 20, prefetch: 2 });
    const seen: number[] = [];
    const take = (batch: Awaited<ReturnType<typeof consumer.fetch>>): void => {
      seen.push(...numbers(batch));
      batch.ack();
      if (seen.length === 100) void consumer.close();
    };
    const ways: Record<string, () => Promise<unknown>> = {
      fetch: async () => {
        while (seen.length < 100) take(await consumer.fetch());
      },
      "for await": async () => {
        for await (const batch of consumer) take(batch);
      },
      run: () => consumer.run(take),
    };
    const reading = ways[way]?.();
    // In pieces, so that batches are cut by time and by size, read ahead and topped up.
    for (const piece of range(10)) await made.add(...range(10).map((n) => piece * 10 + n));
    await reading;
    expect(seen).toEqual(range(100));
  });

  it("is by id until a message is tried again, and the others stay in theirs", async () => {
    const made = bench();
    const { consumer } = made.consumer({ ...quick, batchSize: 5 });
    await made.add(...range(50));
    const done: number[] = [];
    await consumer.run((batch) => {
      for (const message of batch) {
        const [n = -1] = numbers([message]);
        if (n === 2 && message.deliveries === 1) {
          message.retry({ delayMs: 50 });
        } else {
          done.push(n);
          message.ack();
        }
      }
      if (done.length === 50) void consumer.close();
    });
    expect(done.filter((n) => n !== 2)).toEqual(range(50).filter((n) => n !== 2));
    expect(done.indexOf(2)).toBeGreaterThan(done.indexOf(4));
  });

  it("is by id until messages are recovered: what an earlier process of the name has read comes among newer ones", async () => {
    const made = bench();
    await made.add(...range(20));
    await made.server.command("XGROUP", "CREATE", made.stream, made.group, 0);
    await made.server.command("XREADGROUP", "GROUP", made.group, "me", "COUNT", 10, "STREAMS", made.stream, ">");
    const { consumer } = made.consumer({ ...quick, name: "me", batchSize: 4 });
    const batches: number[][] = [];
    await consumer.run((batch) => {
      batches.push(numbers(batch));
      batch.ack();
      if (batches.flat().length === 20) void consumer.close();
    });
    expect(batches.flat().toSorted((a, b) => a - b)).toEqual(range(20));
    expect(batches.flat().filter((n) => n >= 10)).toEqual(range(10).map((n) => 10 + n));
    for (const batch of batches) expect(batch).toEqual(batch.toSorted((a, b) => a - b));
  });

  it("is by id until messages are taken over: those of a dead consumer come after newer ones", async () => {
    const made = bench();
    await made.add(0, 1);
    await made.server.command("XGROUP", "CREATE", made.stream, made.group, 0);
    await made.server.command("XREADGROUP", "GROUP", made.group, "dead", "STREAMS", made.stream, ">");
    const { consumer } = made.consumer({ ...quick, leaseMs: 500, recoverEveryMs: 100, foreignIdleMs: 1_000 });
    await made.add(2, 3);
    const done: number[] = [];
    await consumer.run((batch) => {
      done.push(...numbers(batch));
      batch.ack();
      if (done.length === 4) void consumer.close();
    });
    expect(done).toEqual([2, 3, 0, 1]);
  });
});

describe("across consumers, or with concurrency above 1", () => {
  it("is none: one consumer may finish newer messages while another still has older ones", async () => {
    const made = bench();
    await made.add(...range(4));
    const options = { batchSize: 2, prefetch: 0, maxWaitMs: 5_000 };
    const older = await made.consumer(options).consumer.fetch();
    const newer = await made.consumer(options).consumer.fetch();
    newer.ack();
    expect((await newer.settled()).acknowledged).toHaveLength(2);
    expect([numbers(older), numbers(newer)]).toEqual([
      [0, 1],
      [2, 3],
    ]);
    expect((await made.pending()).map(({ id }) => id)).toEqual(older.messages.map(({ id }) => id));
  });

  it("is none: one handler may finish newer messages while another still has older ones", async () => {
    const made = bench();
    await made.add(...range(4));
    const { consumer } = made.consumer({ ...quick, batchSize: 2, concurrency: 2 });
    const finishOlder = deferred<void>();
    const done: number[] = [];
    const running = consumer.run(async (batch) => {
      if (numbers(batch).includes(0)) await finishOlder.promise;
      done.push(...numbers(batch));
      batch.ack();
    });
    await eventually("the newer ones are done", () => done.length === 2);
    finishOlder.resolve();
    await consumer.close();
    await running;
    expect(done).toEqual([2, 3, 0, 1]);
  });
});
