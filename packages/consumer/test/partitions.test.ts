/** A stream with partitions: each has one owner at a time, and the messages of a key are processed in order while consumers join, leave and die. */
import { ConfigError, partitionOfKey, partitionStreams, UsageError } from "@redis-batch/core";
import { EventRecorder, eventually, fairNowMs, runWorker, uniqueName, useServer } from "@redis-batch/test-support";
import { afterEach, describe, expect, it } from "vitest";
import { Consumer, type ConsumerEvent, type ConsumerOptions, type Handler, Producer } from "../src/index.ts";
import type { PartitionTask } from "./partitions.worker.ts";

const redis = useServer();
const closing: AsyncDisposable[] = [];
afterEach(async () => {
  await Promise.all(closing.splice(0).map((one) => one[Symbol.asyncDispose]()));
});

type Options = Partial<ConsumerOptions>;
const quick = { leaseMs: 1_500, maxWaitMs: 20, blockMs: 300, batchSize: 10, rebalanceGraceMs: 0 } satisfies Options;

/** One completion, in the order of completion in the whole group. */
type Done = readonly [key: string, n: number, consumer: string, owner: { partition: number; token: number }];

/** A stream of its own, with its producer and consumers. */
function open(partitions = 8) {
  const [stream, group, done] = [uniqueName("orders"), "billing", uniqueName("done")];
  const where = { redis: redis.server.options, stream, partitions };
  const producer = new Producer(where);
  closing.push(producer);
  const counts = new Map<string, number>();
  /** Adds that many messages with keys in turn, each with its number within its key. */
  const add = async (count: number, keys = 40): Promise<void> => {
    const adds = Array.from({ length: count }, (_, at) => {
      const key = `k${at % keys}`;
      const n = (counts.get(key) ?? 0) + 1;
      counts.set(key, n);
      return producer.add({ n }, { key });
    });
    await Promise.all(adds);
  };
  const consumer = (options: Options = {}) => {
    const events = new EventRecorder<ConsumerEvent>();
    const made = new Consumer({ ...where, group, drainMs: 1_000, ...quick, observer: events.observe, ...options });
    closing.push(made);
    return { consumer: made, events };
  };
  const start = (handler: Handler, options: Options = {}) => {
    const made = consumer(options);
    const running = made.consumer.run(handler);
    running.catch(() => {});
    return { ...made, running };
  };
  const worker = async (name: string, { workMs = 0, ...options }: Options & { readonly workMs?: number } = {}) => {
    const task: PartitionTask = {
      ...{ port: redis.server.port, done, workMs },
      options: { stream, partitions, group, name, ...quick, ...options },
    };
    const process = await runWorker(new URL("partitions.worker.ts", import.meta.url), { args: [JSON.stringify(task)] });
    closing.push(process);
    await process.waitForLine("ready");
    return process;
  };
  const completions = async (): Promise<readonly Done[]> =>
    ((await redis.server.command("LRANGE", done, 0, -1)) as string[]).map((text) => JSON.parse(text) as Done);
  /** Waits until all that was added is done → the completions. */
  const finished = async (): Promise<readonly Done[]> => {
    let all: readonly Done[] = [];
    const wanted = [...counts.values()].reduce((sum, count) => sum + count, 0);
    await eventually(
      "everything is done",
      async () => {
        all = await completions();
        const different = new Set(all.map(([key, n]) => `${key} ${n}`)).size;
        if (different === wanted) return true;
        throw new Error(`${different} of ${wanted} are done`);
      },
      { timeoutMs: 30_000 },
    );
    return all;
  };
  return { ...where, group, producer, add, consumer, start, worker, completions, finished };
}

/** For each key the numbers in the order in which each was done first. */
function inOrder(all: readonly Done[]): boolean {
  const last = new Map<string, number>();
  for (const [key, n] of all) {
    const before = last.get(key) ?? 0;
    if (n > before + 1) return false;
    last.set(key, Math.max(n, before));
  }
  return true;
}

const owned = ({ consumer }: { readonly consumer: Consumer }): string[] =>
  consumer.health().streams.map(({ stream }) => stream);

describe("the producer of a stream with partitions", () => {
  it("adds to the partition of the key, in order, and spreads what has none", async () => {
    const { producer, stream } = open(4);
    const streams = partitionStreams(stream, 4);
    for (let n = 0; n < 20; n++) void producer.add({ n }, { key: "A-17" });
    for (let n = 0; n < 20; n++) void producer.add({ n: `free ${n}` });
    await producer.add({ n: 20 }, { key: "A-17" });
    const lengths = await Promise.all(streams.map((one) => redis.server.command("XLEN", one)));
    const home = partitionOfKey("A-17", 4);
    expect(lengths).toEqual([5, 5, 5, 5].map((count, at) => (at === home ? count + 21 : count)));
    const entries = (await redis.server.command("XRANGE", streams[home] ?? "", "-", "+")) as [string, string[]][];
    const numbers = entries.filter(([, fields]) => fields.includes("A-17")).map(([, fields]) => Number(fields[1]));
    expect(numbers).toEqual(Array.from({ length: 21 }, (_, n) => n));
    expect(await redis.server.command("EXISTS", stream)).toBe(0);
  });

  it("is refused where the stream has another number of them, and adds nothing", async () => {
    const { add, stream, redis: server } = open(4);
    await add(1);
    const other = new Producer({ redis: server, stream, partitions: 5 });
    closing.push(other);
    const refused: unknown = await other.add({ n: 1 }).catch((error: unknown) => error);
    expect(ConfigError.is(refused)).toBe(true);
    expect(String(refused)).toContain("has 4 partitions, and not 5");
    await expect(other.connect()).rejects.toThrow("has 4 partitions, and not 5");
    const foreign = partitionStreams(stream, 5).filter((one) => !partitionStreams(stream, 4).includes(one));
    for (const one of foreign) expect(await redis.server.command("EXISTS", one)).toBe(0);
  });

  it("is refused if it was not told of them: no plain stream gets messages that nobody reads", async () => {
    const { add, stream, redis: server } = open(4);
    await add(1);
    const plain = new Producer({ redis: server, stream });
    closing.push(plain);
    const rule = `"${stream}" has 4 partitions: set \`partitions: 4\``;
    const one: unknown = await plain.add({ n: 1 }, { key: "k0" }).catch((error: unknown) => error);
    expect(ConfigError.is(one)).toBe(true);
    expect(String(one)).toContain(rule);
    const many = await plain.addMany([{ n: 2 }, { n: 3 }]);
    expect(many.added).toBe(0);
    for (const { error } of many.failures) expect(error.message).toContain(rule);
    await expect(plain.connect()).rejects.toThrow(rule);
    expect(await redis.server.command("EXISTS", stream)).toBe(0);
  });
});

describe("the consumers of a stream with partitions", () => {
  it("share them evenly, and stop only those that move", async () => {
    const { start } = open(8);
    const first = start((batch) => batch.ack());
    await eventually("it owns all", async () => owned(first).length === 8);
    const second = start((batch) => batch.ack());
    await eventually("each owns four", async () => owned(first).length === 4 && owned(second).length === 4);
    expect(first.events.all("partitionGivenUp")).toHaveLength(4);
    const third = start((batch) => batch.ack());
    const counts = (): number[] => [first, second, third].map((one) => owned(one).length);
    await eventually("three share them", async () => counts().join() === "3,3,2");
    expect(new Set([first, second, third].flatMap(owned)).size).toBe(8);
    expect(first.events.all("partitionGivenUp").length + second.events.all("partitionGivenUp").length).toBe(6);
    await third.consumer.close();
    await eventually("two share them again", async () =>
      [owned(first), owned(second)].every((own) => own.length === 4),
    );
    for (const { events } of [first, second, third]) expect(events.all("partitionLost")).toEqual([]);
  });

  it("have one's partitions soon after it has left, and a new one its share, also with the default lease", async () => {
    const { start } = open(8);
    const slow = { leaseMs: 60_000 };
    const first = start((batch) => batch.ack(), slow);
    await eventually("it owns all", async () => owned(first).length === 8);
    const beganMs = fairNowMs();
    const second = start((batch) => batch.ack(), slow);
    await eventually("each owns four", async () => owned(first).length === 4 && owned(second).length === 4);
    const sharedMs = fairNowMs();
    expect(sharedMs - beganMs).toBeLessThan(4_000);
    await second.consumer.close();
    await eventually("the first has all", async () => owned(first).length === 8);
    expect(fairNowMs() - sharedMs).toBeLessThan(3_000);
  });

  it("keep each key in order while others join, leave, die and stand still", async () => {
    const { add, worker, finished, completions } = open(8);
    const options = { workMs: 2, retry: { baseMs: 20, capMs: 100 } };
    const a = await worker("a", options);
    const load = { isEnough: false };
    const adding = (async () => {
      for (let round = 0; round < 10 || !load.isEnough; round++) {
        await add(200);
        if (round > 8) await finished();
      }
    })();
    const workers = async (): Promise<ReadonlySet<string>> => new Set((await completions()).map(([, , name]) => name));
    await eventually("some is done", async () => (await completions()).length > 50);
    const b = await worker("b", options);
    await b.waitForLine(/partitionTaken/);
    const c = await worker("c", options);
    await c.waitForLine(/partitionTaken/);
    b.kill();
    const d = await worker("d", options);
    await d.waitForLine(/partitionTaken/, { timeoutMs: 15_000 });
    // Long enough to lose what it owns, while it believes to own it.
    const after = d.lines.length;
    c.kill("SIGSTOP");
    await d.waitForLine(/partitionTaken/, { timeoutMs: 15_000, after });
    c.kill("SIGCONT");
    await eventually("each of them has worked", async () => (await workers()).size === 4).finally(() => {
      load.isEnough = true;
    });
    a.send("close");
    await a.exited;
    await adding;
    expect(inOrder(await finished())).toBe(true);
  });

  it("take a dead one's partitions within its lease, with what it had open", async () => {
    const { add, worker, finished, group, stream } = open(4);
    const dying = await worker("dying", { workMs: 60_000 });
    await add(40);
    await dying.waitForLine(/groupCreated/);
    await eventually("it works", async () => (await pendingOf(stream, 4, group)) > 0);
    const heir = await worker("heir");
    await heir.waitForLine(/started/);
    dying.kill();
    const diedMs = fairNowMs();
    await heir.waitForLine(/"partitionTaken"/, { timeoutMs: 15_000 });
    const all = await finished();
    expect(fairNowMs() - diedMs).toBeLessThan(3 * quick.leaseMs + 1_000);
    expect(inOrder(all)).toBe(true);
    expect(new Set(all.map(([, , name]) => name))).toEqual(new Set(["heir"]));
  });

  it("give their batches the token of the ownership, which grows from owner to owner", async () => {
    const { add, worker, completions } = open(1);
    await add(5, 1);
    const first = await worker("first");
    await eventually("it is done", async () => (await completions()).length === 5);
    first.send("close");
    await first.exited;
    await add(5, 1);
    await worker("second");
    await eventually("it is done", async () => (await completions()).length === 10);
    const owners = (await completions()).map(([, , , owner]) => owner);
    expect(new Set(owners.map(({ partition }) => partition))).toEqual(new Set([0]));
    const [before, after] = [owners[0]?.token ?? 0, owners[9]?.token ?? 0];
    expect(after).toBeGreaterThan(before);
    expect(owners.map(({ token }) => token)).toEqual([before, after].flatMap((token) => Array<number>(5).fill(token)));
  });

  it("leave them to others while they are paused, but keep them if there is nobody else", async () => {
    const { start, add } = open(4);
    const seen: string[] = [];
    const note =
      (name: string): Handler =>
      (batch) => {
        for (const message of batch) seen.push(`${name} ${message.fields["n"]}`);
        batch.ack();
      };
    const first = start(note("first"));
    await eventually("it owns all", async () => owned(first).length === 4);
    first.consumer.pause();
    const second = start(note("second"));
    await eventually("the other owns all", async () => owned(second).length === 4 && owned(first).length === 0);
    await add(20);
    await eventually("all is done", async () => seen.length === 20);
    expect(seen.every((text) => text.startsWith("second"))).toBe(true);
    await second.consumer.close();
    first.consumer.resume();
    await add(20);
    await eventually("all is done", async () => seen.length === 40, { timeoutMs: 15_000 });
  });

  it("of which one owns nothing gets an empty batch from fetch(), in time", async () => {
    const { start, consumer } = open(1);
    const only = start((batch) => batch.ack());
    await eventually("it owns it", async () => owned(only).length === 1);
    const idle = consumer({ maxWaitMs: 300 });
    const sinceMs = fairNowMs();
    const batch = await idle.consumer.fetch();
    expect([batch.size, batch.reason]).toEqual([0, "wait"]);
    expect(fairNowMs() - sinceMs).toBeLessThan(2_000);
    expect(idle.consumer.health()).toMatchObject({ ready: true, intake: "open", streams: [] });
  });

  it("leave what a handler hangs on to others, and the consumer whose handlers all hang says that it is not live", async () => {
    const { start, add } = open(2);
    const options = { maxHoldMs: 500, drainMs: 200, retry: { baseMs: 20, capMs: 50 } };
    const hanging = start(() => new Promise(() => {}), options);
    await eventually("it owns all", async () => owned(hanging).length === 2);
    await add(10, 10);
    await hanging.events.waitFor("heldTooLong");
    const seen = new Set<string>();
    start((batch) => {
      for (const { id, stream } of batch) seen.add(`${stream} ${id}`);
      batch.ack();
    }, options);
    await eventually("the other one does all", async () => seen.size === 10, { timeoutMs: 15_000 });
    await eventually("it owns nothing", async () => owned(hanging).length === 0);
    expect(hanging.consumer.health()).toMatchObject({ live: false, ready: false, handlersHung: 1 });
  });

  it("find out together that the sink is down, and spend no deliveries on it", async () => {
    const { start, add } = open(8);
    let isDown = true;
    const seen = new Map<string, number>();
    const attempts: number[] = [];
    const { events } = start(
      (batch) => {
        attempts.push(batch.size);
        if (isDown) throw new Error("the sink is down");
        for (const message of batch) seen.set(message.id + message.stream, message.deliveries);
        batch.ack();
      },
      { maxDeliveries: 4, retry: { baseMs: 10, capMs: 40 } },
    );
    // One message in each partition is too little for each of them to tell.
    await add(16, 16);
    await events.waitFor("backingOff");
    const before = attempts.length;
    await eventually("it is tried again and again", async () => attempts.length > before + 20);
    isDown = false;
    await eventually("all are done", async () => seen.size === 16);
    await events.waitFor("resumed");
    await add(16, 16);
    await eventually("all are done", async () => seen.size === 32);
    expect(events.all("deadLettered")).toEqual([]);
    expect(Math.max(...seen.values())).toBeGreaterThan(1);
  });

  it("go on with the others where one cannot be read, and with that one when it can", async () => {
    const { start, stream, partitions } = open(4);
    const [broken = "", ...others] = partitionStreams(stream, partitions);
    await redis.server.command("SET", broken, "not a stream");
    const seen: string[] = [];
    const { events, consumer } = start((batch) => {
      for (const message of batch) seen.push(message.stream);
      batch.ack();
    });
    expect(await events.waitFor("streamFailed")).toMatchObject({ stream: broken, error: { code: "WRONG_TYPE" } });
    for (const one of others) await redis.server.command("XADD", one, "*", "n", "1");
    await eventually("the others are read", async () => new Set(seen).size === 3);
    const states = new Set<string>();
    for (let failures = events.all("streamFailed").length; events.all("streamFailed").length < failures + 2; ) {
      const { ready, live, streams } = consumer.health();
      const { isAtWork, error } = streams.find((one) => one.stream === broken) ?? {};
      states.add([ready, live, isAtWork, error?.code].join());
      await redis.server.command("PING");
    }
    expect([...states]).toEqual(["false,true,false,WRONG_TYPE"]);
    await redis.server.command("DEL", broken);
    await redis.server.command("XADD", broken, "*", "n", "1");
    await eventually("this one too", async () => seen.includes(broken), { timeoutMs: 15_000 });
    expect(events.all("streamResumed")).toMatchObject([{ stream: broken }]);
    await eventually("it is ready", () => consumer.health().ready);
    expect(consumer.state).toBe("running");
  });

  it("refuse another number of partitions or none, and options that do not go together", async () => {
    const { consumer, add, stream, redis: server } = open(4);
    await add(1);
    await expect(consumer({ partitions: 3 }).consumer.fetch()).rejects.toThrow("has 4 partitions, and not 3");
    const none = { partitions: undefined, rebalanceGraceMs: undefined };
    await expect(consumer(none).consumer.fetch()).rejects.toThrow("has 4 partitions: set");
    await expect(consumer(none).consumer.run(() => {})).rejects.toThrow(ConfigError);
    expect(await redis.server.command("EXISTS", stream)).toBe(0);
    const make = (options: Options) => () =>
      new Consumer({ redis: server, stream, group: "g", partitions: 4, ...options });
    expect(make({ stream: undefined, streams: ["a", "b"] })).toThrow("partitions are those of one stream");
    expect(make({ stream: "{orders}" })).toThrow("braces");
    expect(make({ partitions: 0 })).toThrow("from 1 to 256");
  });

  it.each([
    ["key", undefined, "others in the group"],
    [undefined, "key", "it has orderBy, and others"],
  ])("with orderBy %o let nobody in with %o, whose work would break the order", async (here, other, why) => {
    const { start, consumer } = open(4);
    const first = start((batch) => batch.ack(), { orderBy: here });
    await eventually("it owns all", async () => owned(first).length === 4);
    const refused: unknown = await consumer({ orderBy: other })
      .consumer.run(() => {})
      .catch((error: unknown) => error);
    expect(ConfigError.is(refused)).toBe(true);
    expect(String(refused)).toContain(why);
    expect(owned(first)).toHaveLength(4);
    await first.consumer.close();
    const next = start((batch) => batch.ack(), { orderBy: other });
    await eventually("nobody is there any more, so it owns all", async () => owned(next).length === 4);
  });

  it.each([
    ["without a key at the producer", undefined, true],
    ["and not with one", "k1", false],
  ])("say that orderBy has nothing to keep in order, %s", async (_, key, isReported) => {
    const { producer, start } = open(1);
    for (let n = 0; n < 20; n++) await producer.add({ n, customer: "A" }, key === undefined ? {} : { key });
    let done = 0;
    const { events } = start(
      (batch) => {
        done += batch.size;
        batch.ack();
      },
      { orderBy: "customer" },
    );
    await eventually("all are done", () => done === 20);
    expect(events.all("partitionKeysMissing")).toHaveLength(isReported ? 1 : 0);
    expect(events.all("keysMissing")).toEqual([]);
  });

  it("count the caller of fetch() who is still at work on what was taken away, until it comes back", async () => {
    const { add, consumer, worker, finished } = open(2);
    const options = { orderBy: "key", drainMs: 200, maxHoldMs: 60_000 };
    const slow = consumer(options);
    await add(1);
    const batch = await slow.consumer.fetch();
    expect(batch.size).toBe(1);
    expect(slow.consumer.health()).toMatchObject({ live: true, handlersHung: 0 });
    slow.consumer.pause();
    await worker("other");
    expect((await finished()).map((one) => one.slice(0, 3))).toEqual([["k0", 1, "other"]]);
    await eventually("it is known to be at work", () => slow.consumer.health().handlersHung === 1);
    expect(slow.consumer.health()).toMatchObject({ live: false, ready: false });
    slow.consumer.resume();
    await slow.consumer.fetch();
    expect(slow.consumer.health()).toMatchObject({ live: true, handlersHung: 0 });
  });

  it("acknowledge by stream and id only what is theirs", async () => {
    const { consumer, stream, producer } = open(2);
    const { consumer: made } = consumer();
    const [first = ""] = partitionStreams(stream, 2);
    const id = await producer.add({ n: 1 }, { key: "A" });
    const batch = await made.fetch();
    expect(batch.size).toBe(1);
    await expect(made.ack(id)).rejects.toThrow(UsageError);
    expect(await made.ackIn(batch.messages[0]?.stream ?? "", id)).toMatchObject({ acknowledged: [id] });
    await made.close();
    await expect(made.ackIn(first, id)).rejects.toThrow(UsageError);
  });
});

async function pendingOf(stream: string, partitions: number, group: string): Promise<number> {
  let pending = 0;
  for (const one of partitionStreams(stream, partitions)) {
    const reply = (await redis.server.command("XPENDING", one, group).catch(() => [0])) as [number];
    pending += reply[0];
  }
  return pending;
}
