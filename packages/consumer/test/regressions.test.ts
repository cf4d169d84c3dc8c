/** Ways in which consumers of streams have got stuck, or have lost count, elsewhere and here: one test for each. */
import { groupKey } from "@redis-batch/core/internal/names";
import { eventually, fairNowMs, useServer } from "@redis-batch/test-support";
import { describe, expect, it } from "vitest";
import { numbers, range, useBench } from "./harness.ts";

const bench = useBench(useServer());
const quick = { maxWaitMs: 10, retry: { baseMs: 5, capMs: 20 } };

/** Has a name read what there is, as a process does that dies of it. */
async function dieReading({ server, stream, group }: ReturnType<typeof bench>, name: string): Promise<void> {
  await server.command("XGROUP", "CREATE", stream, group, 0);
  await server.command("XREADGROUP", "GROUP", group, name, "STREAMS", stream, ">");
}

describe("a full batch that is never acknowledged", () => {
  it("does not keep new messages out of a loop", async () => {
    const made = bench();
    const { consumer } = made.consumer({ ...quick, batchSize: 5, maxDeliveries: 1_000_000 });
    await made.add(...range(5));
    const done = new Set<number>();
    let again = 0;
    const running = consumer.run((batch) => {
      for (const message of batch) {
        const [n = -1] = numbers([message]);
        if (n < 5) {
          again += Number(message.deliveries > 1);
          message.retry();
        } else {
          done.add(n);
          message.ack();
        }
      }
    });
    await eventually("it is redelivered", () => again > 0);
    for (const round of range(10)) {
      await made.add(...range(10).map((n) => 5 + round * 10 + n));
      await eventually("what is new is done", () => done.size === (round + 1) * 10);
    }
    expect(await made.pending()).toHaveLength(5);
    await consumer.close();
    await running;
  });

  it("does not keep new messages out of fetch()", async () => {
    const made = bench();
    const { consumer } = made.consumer({ batchSize: 5, maxWaitMs: 1_000 });
    await made.add(...range(25));
    const done: number[] = [];
    for (const _ of range(10)) {
      for (const message of await consumer.fetch()) {
        const [n = -1] = numbers([message]);
        if (n < 5) continue;
        done.push(n);
        message.ack();
      }
    }
    expect(done).toEqual(range(20).map((n) => 5 + n));
  });
});

describe("a message that was deleted while it was pending", () => {
  it("has no body any more: it is skipped by the next process of its name, and the others are offered", async () => {
    const made = bench();
    const [, deleted, ...rest] = await made.add(...range(5));
    await dieReading(made, "worker-1");
    await made.server.command("XDEL", made.stream, deleted as string);
    const { consumer, events } = made.consumer({ ...quick, name: "worker-1" });
    const seen: number[] = [];
    const running = consumer.run((batch) => {
      seen.push(...numbers(batch));
      batch.ack();
    });
    await eventually("nothing is pending", async () => (await made.pending()).length === 0);
    await consumer.close();
    await running;
    expect(seen.toSorted((a, b) => a - b)).toEqual([0, 2, 3, 4]);
    expect(events.all("pendingTrimmed")).toMatchObject([{ type: "pendingTrimmed", ids: [deleted] }]);
    expect(rest).toHaveLength(3);
  });
});

describe("a delivery count beyond 2^53", () => {
  const huge = ["9007199254740993", "9000000000000000000", "9223372036854775807"];

  it.each(huge)("is too many in a loop: the message is dead-lettered, and the others are done (%s)", async (count) => {
    const made = bench();
    const [id, other] = await made.add("counted", "other");
    await dieReading(made, "worker-1");
    await made.server.command("XCLAIM", made.stream, made.group, "worker-1", 0, id as string, "RETRYCOUNT", count);
    const { consumer, events } = made.consumer({ ...quick, name: "worker-1" });
    const seen: string[] = [];
    const running = consumer.run((batch) => {
      seen.push(...batch.messages.map((message) => message.id));
      batch.ack();
    });
    expect(await events.waitFor("deadLettered")).toMatchObject({
      type: "deadLettered",
      id,
      why: "maxDeliveries",
      error: expect.any(String) as string,
    });
    await eventually("nothing is pending", async () => (await made.pending()).length === 0);
    await consumer.close();
    await running;
    expect(seen).toEqual([other]);
    const [letter] = (await made.server.command("XRANGE", groupKey("dead", made.stream, made.group), "-", "+")) as [
      [string, string[]],
    ];
    expect(letter[1][letter[1].indexOf("dead.deliveries") + 1]).toMatch(/^9\d{15,}$/);
  });

  it.each(huge)("does no harm under fetch(): it is offered, released, and acknowledged (%s)", async (count) => {
    const made = bench();
    const [id] = await made.add("counted", "other");
    await dieReading(made, "worker-1");
    await made.server.command("XCLAIM", made.stream, made.group, "worker-1", 0, id as string, "RETRYCOUNT", count);
    const first = made.consumer({ name: "worker-1", batchSize: 2, maxWaitMs: 5_000 });
    const batch = await first.consumer.fetch();
    expect(batch.messages[0]?.id).toBe(id);
    expect(batch.messages[0]?.deliveries).toBeGreaterThan(9e15);
    expect(await first.consumer.close()).toMatchObject({ released: 2 });
    const second = made.consumer({ name: "worker-1", batchSize: 2, maxWaitMs: 5_000 });
    const again = await second.consumer.fetch();
    expect(again.messages.map((message) => message.id)).toContain(id);
    again.ack();
    expect((await again.settled()).acknowledged).toHaveLength(2);
    expect(await made.pending()).toEqual([]);
  });
});

describe("fetch() while the server is away", () => {
  const ownBench = useBench(useServer({ own: true, persistence: "aof" }));

  it("rejects in time: an empty batch would say that there is nothing", async () => {
    const made = ownBench();
    const { consumer } = made.consumer({ batchSize: 1, maxWaitMs: 100 });
    await consumer.fetch();
    await made.server.kill();
    for (const _ of range(2)) {
      const calledAtMs = fairNowMs();
      await expect(consumer.fetch()).rejects.toMatchObject({ code: "CONNECTION", retryable: true });
      expect(fairNowMs() - calledAtMs).toBeLessThan(5_000);
    }
    await made.server.restart();
    await made.add(1);
    const batch = await eventually("it is there", async () => {
      const fetched = await consumer.fetch().catch(() => undefined);
      return fetched?.size === 1 ? fetched : undefined;
    });
    expect(numbers(batch)).toEqual([1]);
  });
});

describe("ids beyond 2^53", () => {
  it("keep their order and their identity when they are redelivered", async () => {
    const made = bench();
    const ids = range(10).map((n) => `9007199254740993-1844674407370955160${n}`);
    for (const id of ids) await made.server.command("XADD", made.stream, id, "n", 1);
    const { consumer } = made.consumer({ batchSize: 10, maxWaitMs: 5_000, retry: { baseMs: 1 } });
    const first = await consumer.fetch();
    expect(first.messages.map((message) => message.id)).toEqual(ids);
    const again = await consumer.fetch();
    expect(again.messages.map((message) => message.id)).toEqual(ids);
    for (const message of again) if (message.id !== ids[9]) message.ack();
    await again.settled();
    expect((await made.pending()).map(({ id }) => id)).toEqual([ids[9]]);
  });
});

describe("a message too wide for the dead letters", () => {
  it("has more than 3,990 fields: one with that many is moved whole", async () => {
    const made = bench();
    await made.server.command("XADD", made.stream, "*", ...range(2 * 3_990).map(String));
    const { consumer } = made.consumer({ batchSize: 1, maxWaitMs: 5_000 });
    const batch = await consumer.fetch();
    batch.messages[0]?.deadLetter("wide");
    expect((await batch.settled()).deadLettered).toHaveLength(1);
    expect(await made.pending()).toEqual([]);
    const dead = groupKey("dead", made.stream, made.group);
    const [letter] = (await made.server.command("XRANGE", dead, "-", "+")) as [[string, string[]]];
    expect(letter[1].slice(0, 2 * 3_990)).toEqual(range(2 * 3_990).map(String));
  });

  it("is redelivered although nothing else happens", async () => {
    const made = bench();
    const wide = String(await made.server.command("XADD", made.stream, "*", ...range(9_000).map(String)));
    const { consumer, events } = made.consumer({ ...quick, maxDeliveries: 1 });
    const running = consumer.run(() => {
      throw new Error("it never works");
    });
    await events.waitFor("deadLetterFailed", { count: 3 });
    expect(events.all("batch").length).toBeGreaterThanOrEqual(3);
    expect((await made.pending()).map(({ id }) => id)).toEqual([wide]);
    await consumer.close();
    await running;
  });
});
