import { jsonCodec } from "@redis-batch/core";
import { groupKey } from "@redis-batch/core/internal/names";
import { deferred, eventually, useServer } from "@redis-batch/test-support";
import { describe, expect, it } from "vitest";
import { range, useBench } from "./harness.ts";

const bench = useBench(useServer());

function open(options: Parameters<ReturnType<typeof bench>["consumer"]>[0] = {}) {
  const made = bench();
  const opened = { ...made, ...made.consumer({ maxWaitMs: 10, retry: { baseMs: 5, capMs: 20 }, ...options }) };
  /** The group's dead letters, as lists of names and values. */
  const deadLetters = async (): Promise<Record<string, string>[]> => {
    const reply = (await made.server.command("XRANGE", groupKey("dead", made.stream, made.group), "-", "+")) as [
      string,
      string[],
    ][];
    return reply.map(([, fields]) => {
      const named: Record<string, string> = {};
      for (const pair of range(fields.length / 2)) named[fields[2 * pair] as string] = fields[2 * pair + 1] as string;
      return named;
    });
  };
  return { ...opened, deadLetters };
}

describe("batch.ack()", () => {
  it("acknowledges the rest: what was given retry() is redelivered", async () => {
    const { consumer, add, pending } = open({ batchSize: 3, maxWaitMs: 1_000 });
    const [first, second, third] = await add("a", "b", "c");
    const batch = await consumer.fetch();
    batch.messages[1]?.retry({ reason: "later" });
    batch.ack();
    expect(await batch.settled()).toMatchObject({ acknowledged: [first, third], retried: [second] });
    expect((await pending()).map(({ id }) => id)).toEqual([second]);
    const again = await consumer.fetch();
    expect(again.messages.map(({ id }) => id)).toEqual([second]);
    again.ack();
    await again.settled();
    expect(await pending()).toEqual([]);
  });
});

describe("deadLetter()", () => {
  it("moves a message, whole and with its history, into the dead letters, and nothing else", async () => {
    const { consumer, add, pending, deadLetters, events } = open({ batchSize: 2, maxWaitMs: 1_000 });
    const [first, second] = await add("poison", "fine");
    const batch = await consumer.fetch();
    batch.messages[0]?.deadLetter("no such customer");
    batch.ack();
    expect(await batch.settled()).toMatchObject({ deadLettered: [first], acknowledged: [second] });
    expect(await pending()).toEqual([]);
    expect(await deadLetters()).toEqual([
      {
        n: "poison",
        "dead.id": first,
        "dead.consumer": consumer.name,
        "dead.deliveries": "1",
        "dead.reason": "rejected",
        "dead.error": "no such customer",
        "dead.at": expect.stringMatching(/^\d{13}$/) as string,
      },
    ]);
    expect(events.all("deadLettered")).toMatchObject([
      { type: "deadLettered", id: first, why: "rejected", error: "no such customer" },
    ]);
  });

  it("leaves a message pending that is too wide to be moved, says so, and goes on", async () => {
    const { consumer, server, stream, add, pending, events } = open({ batchSize: 2, maxWaitMs: 1_000 });
    const wide = String(await server.command("XADD", stream, "*", ...range(9_000).map(String)));
    const [other] = await add("other");
    const batch = await consumer.fetch();
    batch.messages[0]?.deadLetter("too wide");
    batch.messages[1]?.deadLetter("bad");
    expect(await batch.settled()).toMatchObject({ retried: [wide], deadLettered: [other] });
    expect(events.all("deadLetterFailed")).toMatchObject([{ messages: 1, error: { code: "COMMAND" } }]);
    expect(consumer.state).toBe("running");
    expect((await pending()).map(({ id }) => id)).toEqual([wide]);
  });

  it("keeps the first outcome of a message", async () => {
    const { consumer, add, deadLetters } = open({ batchSize: 1, maxWaitMs: 1_000 });
    await add(1);
    const batch = await consumer.fetch();
    batch.messages[0]?.ack();
    batch.messages[0]?.deadLetter("too late");
    batch.messages[0]?.retry();
    expect((await batch.settled()).acknowledged).toHaveLength(1);
    expect(await deadLetters()).toEqual([]);
  });
});

describe("retry()", () => {
  it.each([0, 10_000])(
    "is an outcome, which deadLetter() does not change, and ack() takes back (delay %i)",
    async (delayMs) => {
      const { consumer, add, deadLetters, pending } = open({ batchSize: 2, maxWaitMs: 1_000 });
      await add(1, 2);
      const batch = await consumer.fetch();
      const [first, second] = batch.messages;
      for (const message of batch) message.retry({ delayMs });
      first?.deadLetter("too late");
      second?.ack();
      expect(await batch.settled()).toMatchObject({
        retried: [first?.id],
        acknowledged: [second?.id],
        deadLettered: [],
      });
      expect(await deadLetters()).toEqual([]);
      expect((await pending()).map(({ id }) => id)).toEqual([first?.id]);
    },
  );

  it("brings a message again after the delay that was asked for, not before", async () => {
    const { consumer, add } = open({ batchSize: 1 });
    await add(1);
    const offeredAtMs: number[] = [];
    await consumer.run((batch) => {
      offeredAtMs.push(performance.now());
      if (offeredAtMs.length === 1) return batch.messages[0]?.retry({ delayMs: 200 });
      batch.ack();
      void consumer.close();
    });
    expect((offeredAtMs[1] as number) - (offeredAtMs[0] as number)).toBeGreaterThanOrEqual(199);
  });

  it("refuses a delay that is none", async () => {
    const { consumer, add } = open({ batchSize: 1, maxWaitMs: 1_000 });
    await add(1);
    const [message] = (await consumer.fetch()).messages;
    expect(() => message?.retry({ delayMs: -1 })).toThrow("delayMs must be a number from 0");
    expect(() => message?.retry({ delayMs: Number.NaN })).toThrow("delayMs");
  });
});

describe("maxDeliveries", () => {
  it("offers a message `maxDeliveries` times, then moves it to the dead letters with the last error", async () => {
    const { consumer, add, pending, deadLetters, events } = open({ maxDeliveries: 3 });
    await add("poison", "fine");
    const deliveries: number[] = [];
    const running = consumer.run((batch) => {
      const poison = batch.messages.find((message) => message.fields["n"] === "poison");
      for (const message of batch) if (message !== poison) message.ack();
      if (poison === undefined) return;
      deliveries.push(poison.deliveries);
      throw new TypeError("cannot read it");
    });
    await events.waitFor("deadLettered");
    await consumer.close();
    await running;
    expect(deliveries).toEqual([1, 2, 3]);
    expect(await deadLetters()).toMatchObject([
      {
        n: "poison",
        "dead.deliveries": "3",
        "dead.reason": "maxDeliveries",
        "dead.error": "TypeError: cannot read it",
      },
    ]);
    expect(await pending()).toEqual([]);
  });

  it("is unlimited under fetch(): nothing is given up that nobody asked to give up", async () => {
    const { consumer, add, deadLetters } = open({ batchSize: 1, maxWaitMs: 1_000, retry: { baseMs: 1 } });
    await add(1);
    let deliveries = 0;
    while (deliveries < 20) deliveries = (await consumer.fetch()).messages[0]?.deliveries ?? deliveries;
    expect(await deadLetters()).toEqual([]);
  });

  it("does not count a delivery after which the handler named nothing", async () => {
    const { consumer, add, events, deadLetters } = open({ batchSize: 1, maxDeliveries: 2 });
    await add(1);
    const running = consumer.run(() => {});
    await events.waitFor("nothingSettled", { count: 5 });
    await consumer.close();
    await running;
    expect(await deadLetters()).toEqual([]);
  });

  it("dead-letters what an earlier process of this name left behind once too often, without offering it", async () => {
    const { consumer, add, server, stream, group, events, deadLetters } = open({ name: "worker-1", maxDeliveries: 3 });
    const [id] = await add("crasher", "other");
    await server.command("XGROUP", "CREATE", stream, group, 0);
    await server.command("XREADGROUP", "GROUP", group, "worker-1", "STREAMS", stream, ">");
    await server.command("XCLAIM", stream, group, "worker-1", 0, id as string, "RETRYCOUNT", 3);
    const offered: unknown[] = [];
    const running = consumer.run((batch) => {
      offered.push(...batch.messages.map((message) => message.fields["n"]));
      batch.ack();
    });
    await events.waitFor("deadLettered");
    await eventually("the other one is offered", () => offered.length > 0);
    await consumer.close();
    await running;
    expect(offered).toEqual(["other"]);
    expect(await deadLetters()).toMatchObject([
      { n: "crasher", "dead.deliveries": "3", "dead.reason": "maxDeliveries" },
    ]);
  });
});

describe("poison", () => {
  it("is soon alone: its neighbours are done after few attempts", async () => {
    const { consumer, add, events, deadLetters } = open({ batchSize: 16, maxDeliveries: 8 });
    await add(...range(15), "poison");
    const sizesWithPoison: number[] = [];
    const done = new Set<string>();
    const running = consumer.run((batch) => {
      if (batch.messages.some((message) => message.fields["n"] === "poison")) {
        sizesWithPoison.push(batch.size);
        throw new Error("the bulk insert failed");
      }
      for (const message of batch) done.add(message.fields["n"] as string);
      batch.ack();
    });
    await events.waitFor("deadLettered", { timeoutMs: 20_000 });
    await eventually("its neighbours are done", () => done.size === 15);
    await consumer.close();
    await running;
    expect(await deadLetters()).toMatchObject([{ n: "poison" }]);
    expect(sizesWithPoison).toHaveLength(8);
    expect(sizesWithPoison.slice(4)).toEqual([1, 1, 1, 1]);
    for (const [index, size] of sizesWithPoison.entries())
      expect(size).toBeLessThanOrEqual(Math.max(1, 16 / 2 ** index));
  });
});

describe("several poison messages, all that is left,", () => {
  const isPoison = (message: { readonly fields: Readonly<Record<string, string>> }): boolean =>
    message.fields["n"]?.startsWith("poison") === true;

  it("go to the dead letters: they failed while the sink was there", async () => {
    const { consumer, add, pending, deadLetters, events } = open({ batchSize: 20, maxDeliveries: 5 });
    await add(...range(5).map((n) => `poison${n}`), ...range(15));
    const running = consumer.run((batch) => {
      for (const message of batch) if (!isPoison(message)) message.ack();
      if (batch.messages.some(isPoison)) throw new Error("some could not be written");
    });
    await events.waitFor("deadLettered", { count: 5, timeoutMs: 20_000 });
    await eventually("nothing is pending", async () => (await pending()).length === 0);
    await consumer.close();
    await running;
    expect(await deadLetters()).toHaveLength(5);
    expect(events.all("backingOff")).toEqual([]);
  });

  it("go to the dead letters even when nothing else has ever succeeded, after maxOutageMs", async () => {
    const { consumer, add, pending, deadLetters, events } = open({ maxDeliveries: 3, maxOutageMs: 300 });
    await add(...range(4).map((n) => `poison${n}`));
    const running = consumer.run(() => {
      throw new Error("never");
    });
    await events.waitFor("deadLettered", { count: 4, timeoutMs: 20_000 });
    await eventually("nothing is pending", async () => (await pending()).length === 0);
    await consumer.close();
    await running;
    expect(await deadLetters()).toHaveLength(4);
    expect(events.all("backingOff").length).toBeGreaterThan(0);
  });
});

describe("a sink that is down", () => {
  it("dead-letters nothing: one message at a time is tried, none of it counts, and afterwards everything flows", async () => {
    const { consumer, add, pending, deadLetters, events } = open({ batchSize: 10, maxDeliveries: 4 });
    await add(...range(40));
    let isDown = true;
    const done = new Map<string, number>();
    const running = consumer.run((batch) => {
      if (isDown) throw new Error("connection refused");
      for (const message of batch) done.set(message.fields["n"] as string, message.deliveries);
      batch.ack();
    });
    await events.waitFor("backingOff", { count: 12 });
    const sinceOpen = events.events.slice(events.events.findIndex(({ type }) => type === "backingOff"));
    const tried = sinceOpen.filter((event) => event.type === "batch");
    expect(tried.every((event) => event.type === "batch" && event.messages === 1)).toBe(true);
    isDown = false;
    await eventually("everything is done", async () => done.size === 40 && (await pending()).length === 0);
    await consumer.close();
    await running;
    expect(await deadLetters()).toEqual([]);
    expect(events.all("resumed")).toHaveLength(1);
    expect(Math.max(...done.values())).toBeLessThanOrEqual(3);
  });
});

describe("a payload that the codec cannot read", () => {
  it("goes to the dead letters, raw, and is never offered", async () => {
    const made = bench();
    const { consumer, events } = made.consumer({ codec: jsonCodec<number>({ field: "n" }), maxWaitMs: 10 });
    await made.add(1, "{not json", 3);
    const values: number[] = [];
    const done = deferred<void>();
    const running = consumer.run((batch) => {
      values.push(...batch.messages.map((message) => message.value));
      batch.ack();
      if (values.length === 2) done.resolve();
    });
    await done.promise;
    expect(await events.waitFor("deadLettered")).toMatchObject({ why: "undecodable" });
    await consumer.close();
    await running;
    expect(values).toEqual([1, 3]);
    const dead = await made.server.command("XRANGE", groupKey("dead", made.stream, made.group), "-", "+");
    expect(JSON.stringify(dead)).toContain("{not json");
    expect(await made.pending()).toEqual([]);
  });
});

describe("a returned outcome", () => {
  it("names the end of each message, and of the rest", async () => {
    const { consumer, add, deadLetters, pending } = open({ batchSize: 3, retry: { baseMs: 60_000 } });
    const ids = await add(1, 2, 3);
    await consumer.run((batch) => {
      const [first, second] = batch.messages;
      if (first === undefined || second === undefined) return;
      void consumer.close();
      return {
        deadLetter: [{ message: first, reason: "bad" }],
        retry: [{ message: second, delayMs: 60_000 }],
        ack: "rest",
      };
    });
    expect(await deadLetters()).toHaveLength(1);
    expect((await pending()).map(({ id }) => id)).toEqual([ids[1]]);
  });

  it("is carried out as a whole or not at all", async () => {
    const { consumer, add, events, pending } = open({ batchSize: 2, retry: { baseMs: 60_000 } });
    await add(1, 2);
    await consumer.run((batch) => {
      void consumer.close();
      return { ack: batch.messages, retry: batch.messages };
    });
    expect(String(events.all("handlerFailed")[0]?.error)).toContain("names one message twice");
    expect(await pending()).toHaveLength(2);
  });
});

describe('onAck: "delete"', () => {
  it("removes an entry as soon as every group has finished it, not before", async () => {
    const made = bench();
    const opened = (group: string) =>
      made.consumer({ group, onAck: "delete", batchSize: 3, maxWaitMs: 1_000 }).consumer;
    const [billing, audit] = [opened("billing"), opened("audit")];
    const ids = await made.add(1, 2, 3);
    const left = async (): Promise<unknown[]> =>
      ((await made.server.command("XRANGE", made.stream, "-", "+")) as [string][]).map(([id]) => id);
    const first = await billing.fetch();
    const second = await audit.fetch();
    first.ack();
    await first.settled();
    expect(await left()).toEqual(ids);
    second.messages[0]?.ack();
    second.messages[2]?.ack();
    expect((await second.settled()).acknowledged).toHaveLength(2);
    expect(await left()).toEqual([ids[1]]);
  });

  it("keeps everything by default", async () => {
    const { consumer, add, server, stream } = open({ batchSize: 1, maxWaitMs: 1_000 });
    await add(1);
    const batch = await consumer.fetch();
    batch.ack();
    await batch.settled();
    expect(await server.command("XLEN", stream)).toBe(1);
  });
});
