import { WrongTypeError } from "@redis-batch/core";
import { uniqueName, useServer } from "@redis-batch/test-support";
import { Redis } from "ioredis";
import { describe, expect, it, onTestFinished } from "vitest";
import { numbers, range, useBench } from "./harness.ts";

const redis = useServer();
const bench = useBench(redis);

function open(options: Parameters<ReturnType<typeof bench>["consumer"]>[0] = {}) {
  const made = bench();
  return { ...made, ...made.consumer(options) };
}

describe("messages of other clients", () => {
  it("reads a plain XADD of flat fields like any message", async () => {
    const { consumer, server, stream } = open({ batchSize: 1 });
    const id = String(await server.command("XADD", stream, "*", "order", "17", "amount", "12.50", "order", "18"));
    const [message] = (await consumer.fetch()).messages;
    expect(message?.id).toBe(id);
    expect(message?.fields).toEqual({ order: "18", amount: "12.50" });
    expect(Object.getPrototypeOf(message?.fields)).toBeNull();
    expect([...(message?.entries() ?? [])].map(String)).toEqual(["order,17", "amount,12.50", "order,18"]);
    expect(message?.addedAt?.getTime()).toBe(Number(id.split("-")[0]));
    expect(message?.value).toEqual(message?.fields);
  });

  it("reads an explicit id beyond 2^53 without rounding it", async () => {
    const { consumer, server, stream, pending } = open({ batchSize: 1 });
    const id = "18446744073709551614-18446744073709551613";
    await server.command("XADD", stream, id, "n", 1);
    const batch = await consumer.fetch();
    expect(batch.messages[0]?.id).toBe(id);
    batch.ack();
    await batch.settled();
    expect(await pending()).toEqual([]);
  });

  it("brings every byte of binary names and values, and 1 MiB of them", async () => {
    const { consumer, server, stream } = open({ batchSize: 2, maxWaitMs: 5_000 });
    const client = new Redis(server.options);
    onTestFinished(() => client.disconnect());
    const everyByte = Buffer.from(range(256));
    const large = Buffer.alloc(1024 * 1024, everyByte);
    await client.xadd(stream, "*", everyByte, everyByte, "empty", "");
    await client.xadd(stream, "*", "large", large);
    const [small, big] = (await consumer.fetch()).messages;
    expect([...(small?.entries() ?? [])]).toEqual([
      [everyByte, everyByte],
      [Buffer.from("empty"), Buffer.alloc(0)],
    ]);
    expect([...(big?.entries() ?? [])][0]?.[1].equals(large)).toBe(true);
  });

  it("keeps field names that would break an ordinary object", async () => {
    const { consumer, server, stream } = open({ batchSize: 1 });
    await server.command("XADD", stream, "*", "__proto__", "polluted", "constructor", "c");
    const [message] = (await consumer.fetch()).messages;
    expect(message?.fields["__proto__"]).toBe("polluted");
    expect(Object.keys(message?.fields ?? {})).toEqual(["__proto__", "constructor"]);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });
});

describe("names", () => {
  it.each(["with spaces and\ttabs", "Übergrößen-流れ-🌊", "{orders}:eu", "a{b", "colon:and%percent"])(
    "works on the stream %j",
    async (name) => {
      const stream = `${uniqueName("odd")} ${name}`;
      const { consumer, server } = open({ stream, group: `group ${name}`, name: `consumer ${name}`, batchSize: 1 });
      await server.command("XADD", stream, "*", "n", 1);
      const batch = await consumer.fetch();
      batch.ack();
      expect((await batch.settled()).acknowledged).toHaveLength(1);
      expect((await consumer.close()).nameRemoved).toBe(true);
    },
  );

  it("fails with WrongTypeError on a key that is not a stream, and leaves it as it was", async () => {
    const { consumer, server, stream } = open();
    await server.command("RPUSH", stream, "a", "b");
    await expect(consumer.fetch()).rejects.toThrow(WrongTypeError);
    await expect(consumer.fetch()).rejects.toThrow("something other than a stream");
    expect(consumer.health()).toMatchObject({ live: false, ready: false });
    await expect(consumer.run(() => {})).rejects.toThrow(WrongTypeError);
    expect(await server.command("LRANGE", stream, 0, -1)).toEqual(["a", "b"]);
  });
});

describe("groups", () => {
  it("reads from the beginning of a stream that is older than the group", async () => {
    const { consumer, add } = open({ batchSize: 3 });
    await add(1, 2, 3);
    expect(numbers(await consumer.fetch())).toEqual([1, 2, 3]);
  });

  it("begins at the end, or after an id, when told to", async () => {
    const made = bench();
    const [, second] = await made.add(1, 2, 3);
    const late = made.consumer({ group: "late", startFrom: "end", batchSize: 1 });
    const after = made.consumer({ group: "after", startFrom: second as string, batchSize: 1 });
    expect(numbers(await after.consumer.fetch())).toEqual([3]);
    expect((await late.consumer.fetch()).size).toBe(0);
    await made.add(4);
    expect(numbers(await late.consumer.fetch())).toEqual([4]);
    expect(late.events.all("groupCreated")).toMatchObject([
      { type: "groupCreated", position: "end", recreated: false },
    ]);
  });

  it("joins a group that exists where it stands", async () => {
    const { consumer, add, server, stream, group, events } = open({ batchSize: 1 });
    const [first] = await add(1, 2);
    await server.command("XGROUP", "CREATE", stream, group, first as string);
    expect(numbers(await consumer.fetch())).toEqual([2]);
    expect(events.all("groupCreated")).toEqual([]);
  });

  it("shares the work with other consumers of the group: each message goes to one", async () => {
    const made = bench();
    await made.add(...range(200));
    const consumers = range(4).map(() => made.consumer({ batchSize: 7, maxWaitMs: 10 }).consumer);
    const seen: number[] = [];
    await Promise.all(
      consumers.map((consumer) =>
        consumer.run(async (batch) => {
          seen.push(...numbers(batch));
          batch.ack();
          if (seen.length === 200) for (const other of consumers) void other.close();
        }),
      ),
    );
    expect(seen.toSorted((a, b) => a - b)).toEqual(range(200));
    expect(await made.pending()).toEqual([]);
  });

  it("finds what an earlier process left pending under the same name", async () => {
    const made = bench();
    await made.add(1, 2);
    await made.server.command("XGROUP", "CREATE", made.stream, made.group, 0);
    await made.server.command("XREADGROUP", "GROUP", made.group, "worker-1", "STREAMS", made.stream, ">");
    const { consumer, events } = made.consumer({ name: "worker-1", batchSize: 2, maxWaitMs: 5_000 });
    const batch = await consumer.fetch();
    expect(batch.messages.map(({ deliveries }) => deliveries)).toEqual([2, 2]);
    expect(events.all("undeliveredFound")).toMatchObject([{ type: "undeliveredFound", messages: 2 }]);
    batch.ack();
    await batch.settled();
    expect(await made.pending()).toEqual([]);
  });
});

describe("a lent client", () => {
  it("is duplicated: it keeps its options and stays open and usable", async () => {
    const made = bench();
    const client = new Redis(made.server.options);
    onTestFinished(() => client.disconnect());
    await made.add(1);
    const { consumer } = made.consumer({ redis: client, batchSize: 1 });
    (await consumer.fetch()).ack();
    await consumer.close();
    expect(client.options.maxRetriesPerRequest).toBe(20);
    expect(await client.ping()).toBe("PONG");
  });
});
