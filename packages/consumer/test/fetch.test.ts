import { UsageError } from "@redis-batch/core";
import { fairNowMs, useServer } from "@redis-batch/test-support";
import { describe, expect, it } from "vitest";
import { numbers, range, useBench } from "./harness.ts";

const bench = useBench(useServer());

describe("fetch()", () => {
  it("returns a full batch at once, oldest messages first", async () => {
    const { consumer, add } = open();
    await add(...range(25));
    const batch = await consumer.fetch();
    expect(numbers(batch)).toEqual(range(10));
    expect(batch.reason).toBe("entries");
  });

  it("returns what there is when the wait is over, cut by a local timer and not by the server's block", async () => {
    const { consumer, add } = open({ maxWaitMs: 150, blockMs: 60_000 });
    await consumer.fetch();
    const startedMs = fairNowMs();
    const fetching = consumer.fetch();
    await add(1, 2, 3);
    const batch = await fetching;
    expect(numbers(batch)).toEqual([1, 2, 3]);
    expect(batch.reason).toBe("wait");
    expect(fairNowMs() - startedMs).toBeLessThan(5_000);
  });

  it("returns an empty batch when there is nothing within the wait", async () => {
    const { consumer } = open({ maxWaitMs: 20 });
    const batch = await consumer.fetch();
    expect(batch.size).toBe(0);
    expect([...batch]).toEqual([]);
    expect(await batch.settled()).toEqual({ acknowledged: [], retried: [], deadLettered: [], tooLate: [], open: [] });
  });

  it("with maxWaitMs 0 looks at the stream before it says that there is nothing", async () => {
    const { consumer, add } = open({ maxWaitMs: 0, prefetch: 0 });
    await add(1, 2);
    expect(numbers(await consumer.fetch())).toEqual([1, 2]);
    await add(3);
    expect(numbers(await consumer.fetch())).toContain(3);
  });

  it("makes what was not acknowledged part of the next batch, beside new messages, with its delivery counted", async () => {
    const { consumer, add } = open();
    await add(...range(20));
    const first = await consumer.fetch();
    for (const message of first.messages.slice(0, 7)) message.ack();
    const second = await consumer.fetch();
    expect(numbers(second)).toEqual([7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
    expect(second.messages.map((message) => message.deliveries)).toEqual([2, 2, 2, 1, 1, 1, 1, 1, 1, 1]);
  });

  it("does not let unacknowledged messages starve new ones", async () => {
    const { consumer, add } = open();
    await add(...range(30));
    await consumer.fetch();
    const second = await consumer.fetch();
    expect(second.messages.filter((message) => message.deliveries === 1)).toHaveLength(5);
    expect(second.messages.filter((message) => message.deliveries === 2)).toHaveLength(5);
  });

  it("does not spin on a batch of nothing but what was just returned", async () => {
    const { consumer, add } = open({ maxWaitMs: 20, retry: { baseMs: 300 } });
    await add(1);
    expect(numbers(await consumer.fetch())).toEqual([1]);
    const startedMs = performance.now();
    let empty = 0;
    let again = await consumer.fetch();
    while (again.size === 0) {
      empty++;
      again = await consumer.fetch();
    }
    expect(again.messages[0]?.deliveries).toBe(2);
    expect(empty).toBeGreaterThan(0);
    expect(performance.now() - startedMs).toBeGreaterThan(250);
  });

  it("gives up waiting when its signal aborts; the messages stay for the next call", async () => {
    const { consumer, add } = open({ maxWaitMs: 60_000 });
    const aborter = new AbortController();
    const fetching = consumer.fetch({ signal: aborter.signal });
    await add(1);
    aborter.abort(new Error("enough"));
    await expect(fetching).rejects.toThrow("enough");
    await add(...range(9));
    expect((await consumer.fetch()).size).toBe(10);
  });

  it("refuses a second use while one is under way", async () => {
    const { consumer } = open({ maxWaitMs: 300 });
    const fetching = consumer.fetch();
    await expect(consumer.fetch()).rejects.toThrow(UsageError);
    await expect(consumer.run(() => {})).rejects.toThrow("use a consumer in one way at a time");
    await expect(consumer[Symbol.asyncIterator]().next()).rejects.toThrow(UsageError);
    await fetching;
  });

  it("throws after close()", async () => {
    const { consumer } = open();
    await consumer.close();
    await expect(consumer.fetch()).rejects.toThrow("cannot use fetch(): the consumer is closed");
  });
});

describe("acknowledging", () => {
  it("acknowledges each message on its own", async () => {
    const { consumer, add, pending } = open();
    const ids = await add(...range(10));
    const batch = await consumer.fetch();
    for (const message of batch) if (Number(message.fields["n"]) % 2 === 0) message.ack();
    await batch.settled();
    expect((await pending()).map(({ id }) => id)).toEqual(ids.filter((_, index) => index % 2 === 1));
  });

  it("batch.ack() is for the rest, and a second ack changes nothing", async () => {
    const { consumer, add, pending, events } = open();
    await add(...range(10));
    const batch = await consumer.fetch();
    batch.messages[0]?.ack();
    batch.messages[0]?.ack();
    batch.ack();
    const { acknowledged } = await batch.settled();
    expect(acknowledged).toEqual(batch.messages.map((message) => message.id));
    expect(await pending()).toEqual([]);
    expect(events.all("acknowledged").map((event) => event.messages)).toEqual([10]);
  });

  it("coalesces the acknowledgements of one turn into one command", async () => {
    const { consumer, add, server } = open();
    await add(...range(10));
    const batch = await consumer.fetch();
    const calls = async (): Promise<number> =>
      Number(/cmdstat_xack:calls=(\d+)/.exec(String(await server.command("INFO", "commandstats")))?.[1] ?? 0);
    const before = await calls();
    for (const message of batch) message.ack();
    await batch.settled();
    expect((await calls()) - before).toBe(1);
  });

  it("settled() tells each message's end, and does not end the batch", async () => {
    const { consumer, add } = open({ batchSize: 4, prefetch: 0 });
    const [a, b, c, d] = await add(...range(4));
    const batch = await consumer.fetch();
    batch.messages[0]?.ack();
    expect(await batch.settled()).toEqual({
      acknowledged: [a],
      retried: [],
      deadLettered: [],
      tooLate: [],
      open: [b, c, d],
    });
    batch.messages[1]?.ack();
    expect((await batch.settled()).acknowledged).toEqual([a, b]);
    await consumer.fetch();
    expect(await batch.settled()).toEqual({
      acknowledged: [a, b],
      retried: [c, d],
      deadLettered: [],
      tooLate: [],
      open: [],
    });
  });

  it("takes a late acknowledgement as long as the message was not delivered again", async () => {
    const { consumer, add, pending } = open({ batchSize: 2, prefetch: 0, maxDeferred: 2, retry: { baseMs: 60_000 } });
    await add(1, 2);
    let late: { ack(): void } | undefined;
    for await (const batch of consumer) {
      late = batch.messages[0];
      batch.messages[1]?.ack();
      break;
    }
    late?.ack();
    await consumer.close();
    expect(await pending()).toEqual([]);
  });

  it("refuses the acknowledgement of a delivery that a later one has superseded, and says so", async () => {
    const { consumer, add, pending, events } = open({ batchSize: 1, maxWaitMs: 5_000, retry: { baseMs: 1 } });
    const [id] = await add(1);
    const first = await consumer.fetch();
    const second = await consumer.fetch();
    expect(second.messages[0]?.id).toBe(id);
    first.ack();
    expect(events.all("outcomeTooLate")).toMatchObject([{ type: "outcomeTooLate", ids: [id], why: "superseded" }]);
    expect((await first.settled()).tooLate).toEqual([id]);
    expect(await pending()).toHaveLength(1);
    second.ack();
    await second.settled();
    expect(await pending()).toEqual([]);
  });

  it("acknowledges by id, held or not, and names what is not its own", async () => {
    const { consumer, add, server, stream, group, pending } = open({ batchSize: 2, prefetch: 0 });
    const [a, b] = await add(1, 2);
    await consumer.fetch();
    const [c] = await add(3);
    await server.command("XREADGROUP", "GROUP", group, "somebody", "STREAMS", stream, ">");
    expect(await consumer.ack(a as string, c as string)).toEqual({ acknowledged: [a], notOwned: [c] });
    expect((await pending()).map(({ id }) => id)).toEqual([b, c]);
  });

  it("reports an acknowledgement of what somebody else has acknowledged before", async () => {
    const { consumer, add, server, stream, group, events } = open({ batchSize: 2 });
    const ids = await add(1, 2);
    const batch = await consumer.fetch();
    await server.command("XACK", stream, group, ids[0] as string);
    batch.ack();
    await batch.settled();
    expect(events.all("ackIncomplete")).toMatchObject([{ type: "ackIncomplete", sent: 2, acknowledged: 1 }]);
  });
});

function open(options: Parameters<ReturnType<typeof bench>["consumer"]>[0] = {}) {
  const made = bench();
  return { ...made, ...made.consumer(options) };
}
