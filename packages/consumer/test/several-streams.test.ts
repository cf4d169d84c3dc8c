import { groupKey } from "@redis-batch/core/internal/names";
import { eventually, useServer } from "@redis-batch/test-support";
import { describe, expect, it } from "vitest";
import {
  type ConsumerEvent,
  type ConsumerOptions,
  DeadLetters,
  type Message,
  Producer,
  UsageError,
} from "../src/index.ts";
import { range, useBench } from "./harness.ts";

const redis = useServer();
const makeBench = useBench(redis);

type Read = Readonly<Record<string, readonly number[]>>;

/** Streams with names of their own, a consumer of all of them, and what it was given. */
function open(count: number) {
  const bench = makeBench();
  const streams = range(count).map((n) => `${bench.stream}-${n}`);
  const given: { stream: string; n: number }[] = [];
  const add = async (stream: string, ...values: readonly number[]): Promise<void> => {
    for (const value of values) await bench.server.command("XADD", stream, "*", "n", value);
  };
  /** The numbers of each stream, in the order in which they were given. */
  const read = (): Read =>
    Object.fromEntries(streams.map((name) => [name, given.filter(({ stream }) => stream === name).map(({ n }) => n)]));
  const note = (batch: Iterable<Pick<Message, "stream" | "fields">>): void => {
    for (const { stream, fields } of batch) given.push({ stream, n: Number(fields["n"]) });
  };
  const pendingOf = async (stream: string): Promise<number> => {
    const [pending] = (await bench.server.command("XPENDING", stream, bench.group)) as [number];
    return pending;
  };
  const consumer = (options: Partial<ConsumerOptions> = {}) =>
    bench.consumer({ stream: undefined, streams, ...options });
  const [first = "", second = "", third = ""] = streams;
  return { ...bench, streams, first, second, third, add, given, read, note, pendingOf, consumer };
}

describe("a consumer of several streams", () => {
  it("gives out batches of one stream, with its name on batch and messages", async () => {
    const { consumer: make, add, first, second, read, note } = open(2);
    await add(first, 1, 2, 3);
    await add(second, 11, 12);
    const { consumer } = make();
    await consumer.run((batch) => {
      expect(new Set([...batch].map(({ stream }) => stream))).toEqual(new Set([batch.stream]));
      note(batch);
      batch.ack();
      if (read()[first]?.length === 3 && read()[second]?.length === 2) void consumer.close();
    });
    expect(read()).toEqual({ [first]: [1, 2, 3], [second]: [11, 12] });
  });

  it("has two connections, however many streams there are", async () => {
    const { consumer: make, add, streams, read, note, server } = open(10);
    const before = await connectionsOf(server);
    const { consumer } = make();
    for (const stream of streams) await add(stream, 1);
    const running = consumer.run((batch) => {
      note(batch);
      batch.ack();
    });
    await eventually("all are read", async () => Object.values(read()).every((numbers) => numbers.length === 1));
    expect((await connectionsOf(server)) - before).toBe(2);
    // One that is added now wakes the one read for all.
    await add(streams[7] ?? "", 2);
    await eventually("the next is read", async () => read()[streams[7] ?? ""]?.length === 2);
    await consumer.close();
    await running;
  });

  it("tells the outcomes of each stream apart, where ids are the same", async () => {
    const { consumer: make, first, second, pendingOf, server, group } = open(2);
    for (const stream of [first, second]) await server.command("XADD", stream, "7-1", "n", 1);
    const { consumer, events } = make();
    const running = consumer.run((batch) => {
      for (const message of batch) {
        if (message.stream === first) message.ack();
        else message.deadLetter("of the second");
      }
    });
    expect(await events.waitFor("deadLettered")).toMatchObject({ stream: second, id: "7-1" });
    await eventually("both are done", async () => (await pendingOf(first)) + (await pendingOf(second)) === 0);
    await consumer.close();
    await running;
    const letters = await Promise.all(
      [first, second].map(async (stream) => {
        await using dead = new DeadLetters({ redis: server.options, stream, group });
        return await dead.count();
      }),
    );
    expect(letters).toEqual([0, 1]);
  });

  it("does not let a busy stream keep a quiet one waiting", async () => {
    const { consumer: make, add, first, second, note, given, server } = open(2);
    await using producer = new Producer({ redis: server.options, stream: first });
    await producer.addMany(range(2_000).map((n) => ({ n })));
    const { consumer } = make({ batchSize: 10, maxWaitMs: 0 });
    let batches = 0;
    await consumer.run(async (batch) => {
      note(batch);
      batch.ack();
      if (++batches === 20) await add(second, 1);
      // The answer of a server, as a handler would wait for one: the quiet stream's message has time to arrive.
      await server.command("PING");
      if (batch.stream === second) void consumer.close();
    });
    expect(given.at(-1)).toEqual({ stream: second, n: 1 });
    // Otherwise it would come after all two hundred of them.
    expect(batches).toBeLessThan(100);
  });

  it("retries and backs off on one stream while the other goes on", async () => {
    const { consumer: make, add, first, second, note, read, pendingOf } = open(2);
    await add(first, 1, 2, 3);
    const { consumer, events } = make({ retry: { baseMs: 20, capMs: 50 }, maxDeliveries: 1_000 });
    let isBack = false;
    const running = consumer.run((batch) => {
      if (batch.stream === first && !isBack) throw new Error("the sink of the first is away");
      note(batch);
      batch.ack();
    });
    expect(await events.waitFor("backingOff")).toMatchObject({ stream: first });
    await add(second, ...range(25));
    await eventually("the second is done", async () => read()[second]?.length === 25);
    expect(events.all("backingOff").some((event) => event.stream === second)).toBe(false);
    isBack = true;
    await eventually("the first is done", async () => (await pendingOf(first)) === 0);
    expect(read()[first]?.toSorted()).toEqual([1, 2, 3]);
    await consumer.close();
    await running;
  });
});

describe("what a consumer of several streams says of itself in each group", () => {
  it("is what it does there, and whether its handlers are at work elsewhere", async () => {
    const { consumer: make, add, first, second, server, group } = open(2);
    const { consumer, events } = make({ leaseMs: 600 });
    let letGo = (): void => {};
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    const running = consumer.run(async (batch) => {
      if (batch.stream === first) await held;
      batch.ack();
    });
    await add(first, 1, 2);
    await events.waitFor("batch");
    const said = async (stream: string) => {
      const text = await server.command("HGET", groupKey("consumers", stream, group), consumer.name);
      return JSON.parse(String(text)) as Readonly<Record<string, unknown>>;
    };
    const expected = new Map([
      [first, { inFlight: 2, batchesElsewhere: 0, freePlaces: 0, busyElsewhereRatio: 0 }],
      [second, { inFlight: 0, batchesElsewhere: 1, freePlaces: 0, busyElsewhereRatio: 1 }],
    ]);
    for (const [stream, facts] of expected) {
      await eventually("its heartbeat says so", async () => {
        const seen = await said(stream);
        return Object.entries(facts).every(([name, value]) => seen[name] === value);
      });
    }
    letGo();
    await eventually("the place is free", async () => (await said(second))["freePlaces"] === 1);
    expect(await said(second)).toMatchObject({ inFlight: 0, batchesElsewhere: 0 });
    await consumer.close();
    await running;
  });
});

describe("a loop of fetch()", () => {
  it("ends when the consumer is closed, and leaves time for that", async () => {
    const { consumer: make, add, first } = open(2);
    await add(first, 1);
    const { consumer, events } = make({ maxWaitMs: 0 });
    const loop = async (): Promise<void> => {
      for (;;) (await consumer.fetch()).ack();
    };
    const ended = loop().catch((error: unknown) => error);
    await events.waitFor("acknowledged");
    await consumer.close();
    expect(await ended).toBeInstanceOf(UsageError);
  });

  it("rejects instead of saying that there is nothing while a stream rests", async () => {
    const { consumer: make, add, first, second, server } = open(2);
    const { consumer, events } = make({ maxWaitMs: 0 });
    await add(second, 1);
    (await consumer.fetch()).ack();
    await server.command("SET", first, "another program's");
    await eventually("the stream rests", async () => {
      await consumer.fetch().catch(() => undefined);
      return events.all("streamFailed").length > 0;
    });
    await expect(consumer.fetch()).rejects.toMatchObject({ code: "WRONG_TYPE" });
    await add(second, 2);
    await eventually("the other one is read", async () => {
      const batch = await consumer.fetch().catch(() => []);
      return [...batch].length === 1;
    });
    expect(consumer.health().streams.map(({ isAtWork }) => isAtWork)).toEqual([false, true]);
  });
});

describe("without reading ahead", () => {
  it("leaves a stream's messages in the stream while the handler works on another one", async () => {
    const { consumer: make, add, first, second, pendingOf, server } = open(2);
    const { consumer, events } = make({ prefetch: 0, blockMs: 10_000 });
    let letGo = (): void => {};
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    const running = consumer.run(async (batch) => {
      if (batch.stream === first) await held;
      batch.ack();
    });
    await events.waitFor("started");
    await add(first, 1);
    await events.waitFor("batch");
    await eventually("no read waits", async () => !String(await server.command("CLIENT", "LIST")).includes("flags=b"));
    await add(second, 2);
    expect(await pendingOf(second)).toBe(0);
    letGo();
    await events.waitFor((event) => event.type === "batch" && event.stream === second);
    await consumer.close();
    await running;
    expect(await pendingOf(second)).toBe(0);
  });
});

describe("a lost connection", () => {
  it("is reported by one of the streams that are read over it, each time", async () => {
    const { consumer: make, add, first, second, note, read, server } = open(3);
    const { consumer, events } = make();
    const running = consumer.run((batch) => {
      note(batch);
      batch.ack();
    });
    await events.waitFor("started");
    for (const [time, stream] of [first, second].entries()) {
      await eventually("the read waits at the server", async () =>
        String(await server.command("CLIENT", "LIST")).includes("cmd=xreadgroup"),
      );
      const before = events.all("readFailed").length;
      await server.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
      await eventually("it is reported", () => events.all("readFailed").length > before);
      await add(stream, time);
      await eventually("streams are read again", async () => read()[stream]?.length === 1);
      expect(
        new Set(
          events
            .all("readFailed")
            .slice(before)
            .map((event) => event.stream),
        ).size,
      ).toBe(1);
    }
    await consumer.close();
    await running;
  });
});

describe("a stream that cannot be worked on", () => {
  it("rests alone, is seen in the health, and is worked on when it can be", async () => {
    const { consumer: make, add, first, second, note, read, server, group } = open(2);
    const { consumer, events } = make();
    const running = consumer.run((batch) => {
      note(batch);
      batch.ack();
    });
    await events.waitFor("started");
    await server.command("SET", first, "another program's");
    expect(await events.waitFor("streamFailed")).toMatchObject({ stream: first, error: { code: "WRONG_TYPE" } });
    await add(second, 1, 2, 3);
    await eventually("the second goes on", async () => read()[second]?.length === 3);
    expect(consumer.health()).toMatchObject({
      ...{ state: "running", live: true, ready: false },
      streams: [
        { stream: first, isAtWork: false, intake: "resting", error: { code: "WRONG_TYPE" } },
        { stream: second, isAtWork: true, intake: "open" },
      ],
    });
    await server.command("DEL", first);
    await server.command("XGROUP", "CREATE", first, group, "0", "MKSTREAM");
    await add(first, 4);
    expect(await events.waitFor("streamResumed")).toMatchObject({ stream: first });
    await eventually("the first is worked on again", async () => read()[first]?.length === 1);
    expect(consumer.health()).toMatchObject({ ready: true, streams: [{ isAtWork: true }, { isAtWork: true }] });
    await consumer.close();
    expect(await running).toMatchObject({ unconfirmedAcks: 0, nameRemoved: true });
  });

  it("whose group was deleted gets it back, and the others are not kept waiting", async () => {
    const { consumer: make, add, first, second, note, read, server, group } = open(2);
    const { consumer, events } = make({ blockMs: 10_000 });
    const running = consumer.run((batch) => {
      note(batch);
      batch.ack();
    });
    await events.waitFor("started");
    await server.command("XGROUP", "DESTROY", first, group);
    await add(first, 1);
    await add(second, 1);
    await eventually("both are read", async () => read()[first]?.length === 1 && read()[second]?.length === 1);
    expect(events.all("groupCreated").filter(({ stream }) => stream === first)).toHaveLength(2);
    await consumer.close();
    await running;
  });

  it("fails the consumer if it is the last, and at the start", async () => {
    const { consumer: make, first, second, server } = open(2);
    await server.command("SET", first, "another program's");
    await expect(make().consumer.run(() => {})).rejects.toMatchObject({ code: "WRONG_TYPE" });
    await server.command("DEL", first);
    const { consumer, events } = make();
    const running = consumer.run(() => {});
    running.catch(() => {});
    await events.waitFor("started");
    await server.command("SET", first, "another program's");
    await events.waitFor("streamFailed");
    await server.command("SET", second, "another program's");
    await expect(running).rejects.toMatchObject({ code: "WRONG_TYPE" });
  });
});

describe("pulling from several streams", () => {
  it("fetch() gives batches in turn, and an empty one without a stream when there is nothing", async () => {
    const { consumer: make, add, first, second, note, read } = open(2);
    await add(first, ...range(30));
    await add(second, ...range(30));
    const { consumer } = make();
    const streams: (string | null)[] = [];
    for (let calls = 0; calls < 6; calls++) {
      const batch = await consumer.fetch();
      streams.push(batch.stream);
      note(batch);
      batch.ack();
    }
    // The first read may have been for one of them alone.
    expect(new Set(streams.slice(0, 4))).toEqual(new Set([first, second]));
    expect(read()).toEqual({ [first]: range(30), [second]: range(30) });
    const empty = await consumer.fetch();
    expect([empty.size, empty.stream, empty.reason]).toEqual([0, null, "wait"]);
  });

  it("for await ends with the consumer, paused it gives nothing, and ackIn acknowledges by stream and id", async () => {
    const { consumer: make, add, first, second, note, given, pendingOf } = open(2);
    const { consumer, events } = make();
    await add(first, 1);
    for await (const batch of consumer) {
      note(batch);
      const [message] = batch;
      if (message === undefined) throw new Error("an empty batch");
      await expect(consumer.ack(message.id)).rejects.toThrow(UsageError);
      await expect(consumer.ackIn("another", message.id)).rejects.toThrow(UsageError);
      expect(await consumer.ackIn(message.stream, message.id)).toEqual({ acknowledged: [message.id], notOwned: [] });
      if (given.length === 2) break;
      consumer.pause();
      await add(second, 2);
      const held = await events.waitFor("intakeHeld");
      expect(held).toMatchObject({ by: "paused" });
      consumer.resume();
    }
    expect(given).toEqual([
      { stream: first, n: 1 },
      { stream: second, n: 2 },
    ]);
    expect([await pendingOf(first), await pendingOf(second)]).toEqual([0, 0]);
  });
});

describe("what a consumer of several streams leaves", () => {
  it("is worked on by another one, stream by stream", async () => {
    const { consumer: make, add, first, second, note, read } = open(2);
    await add(first, 1, 2);
    await add(second, 3, 4);
    const seen = new Set<ConsumerEvent["type"]>();
    const { consumer, events } = make({ drainMs: 0 });
    const running = consumer.run(() => new Promise(() => {}), {});
    await events.waitFor("batch");
    expect(await consumer.close()).toMatchObject({ nameRemoved: true });
    await running;
    for (const { type } of events.events) seen.add(type);
    expect(seen).toContain("stopped");
    const { consumer: next } = make();
    await next.run((batch) => {
      note(batch);
      batch.ack();
      if (Object.values(read()).flat().length === 4) void next.close();
    });
    expect(read()).toEqual({ [first]: [1, 2], [second]: [3, 4] });
  });
});

async function connectionsOf(server: { command(...words: readonly string[]): Promise<unknown> }): Promise<number> {
  return String(await server.command("CLIENT", "LIST", "TYPE", "NORMAL"))
    .trim()
    .split("\n").length;
}
