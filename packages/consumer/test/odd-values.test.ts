/** Whatever a handler throws, returns or passes, nothing ends the process, and nothing of a payload reaches a log. */

import { jsonCodec } from "@redis-batch/core";
import { groupKey } from "@redis-batch/core/internal/names";
import {
  eventually,
  FaultProxy,
  ODD_VALUES,
  runWorker,
  sealable,
  uniqueName,
  useServer,
} from "@redis-batch/test-support";
import { describe, expect, it, vi } from "vitest";
import { ConfigError, Consumer, type ConsumerOptions, type Message } from "../src/index.ts";
import { range, useBench } from "./harness.ts";

const SECRET = "hunter2";
const redis = useServer({ own: true });
const bench = useBench(redis);

function open(options: Partial<ConsumerOptions> = {}) {
  const made = bench();
  return { ...made, ...made.consumer({ batchSize: 1, maxWaitMs: 10, retry: { baseMs: 1, capMs: 1 }, ...options }) };
}

describe("a worker without an observer", () => {
  const WORKER = new URL("odd-values.worker.ts", import.meta.url);
  const xadd = (stream: string, n: unknown) => redis.server.command("XADD", stream, "*", "n", String(n));

  /** Runs it until nothing is open any more → what it has said, and the errors of the dead letters. */
  async function run(how: string, messages: number) {
    const stream = uniqueName("stream");
    const dead = groupKey("dead", stream, "billing");
    for (const n of range(messages)) await xadd(stream, `${SECRET} ${n}`);
    await using worker = await runWorker(WORKER, { args: [redis.server.url, stream, how] });
    const isThrough = async (): Promise<boolean> => {
      const [info] = (await redis.server.command("XINFO", "GROUPS", stream)) as unknown[][];
      const read = new Map(range((info?.length ?? 0) / 2).map((at) => [info?.[2 * at], info?.[2 * at + 1]]));
      return read.get("pending") === 0 && read.get("entries-read") === messages;
    };
    await eventually(
      "all messages have an end",
      async () => {
        if (worker.stderr.includes("Node.js v")) throw new Error(worker.stderr);
        return isThrough().catch(() => false);
      },
      { timeoutMs: 60_000 },
    );
    worker.kill("SIGTERM");
    expect(await worker.exited).toEqual({ code: 0, signal: null });
    expect(worker.lines).toEqual(["ended"]);
    expect(worker.stderr).not.toContain(SECRET);
    const letters = (await redis.server.command("XRANGE", dead, "-", "+")) as [string, string[]][];
    const errors = letters.map(([, fields]) => fields[fields.indexOf("dead.error") + 1] ?? "");
    const warnings = worker.stderr.split("\n").filter((line) => line.includes("RedisBatchWarning: "));
    return { errors, warnings, stream };
  }

  it.each(["throw", "reject"])("goes on, and tries again, whatever its handler throws (%s)", async (how) => {
    const { errors, warnings } = await run(how, ODD_VALUES.length);
    expect(errors).toEqual([]);
    expect(warnings.length).toBeGreaterThan(0);
  });

  it("goes on when its handler returns promises that nobody waits for", async () => {
    const { warnings } = await run("promises", 3);
    const failures = warnings.filter((line) => line.includes("the handler failed"));
    expect(failures[0]).toContain("the handler returned an array, which gives no outcome to the 1 message");
  });

  it("goes on whatever it gives as a reason for a dead letter", async () => {
    const { errors } = await run("dead-letter", ODD_VALUES.length);
    expect(errors).toHaveLength(ODD_VALUES.length);
    for (const error of errors) expect(error.length).toBeLessThan(10_000);
    expect(errors).toContain("a value that cannot be written as text");
  });

  it.each(["decode", "schema"])(
    "dead-letters what its codec gives a promise for, and tells no payload (%s)",
    async (how) => {
      const { errors, warnings } = await run(how, 3);
      expect(errors).toHaveLength(3);
      for (const error of errors) expect(error).toContain("a promise");
      expect(warnings).toHaveLength(2);
    },
  );

  it("tells trouble in one line a kind and minute, with stream, group and the error's message", async () => {
    const { warnings, stream } = await run("undecodable", 50);
    // The first, and when it ends all others.
    expect(warnings).toHaveLength(2);
    for (const line of warnings) {
      expect(line).toContain(`consumer of "${stream}", group "billing": message `);
      expect(line).toMatch(/\(undecodable\): message \S+: cannot read it/);
    }
    expect(warnings[1]).toContain("(the last of 49 similar warnings within a minute)");
  });

  it("reports what a failing handler threw, and where", async () => {
    const { warnings } = await run("fail", 5);
    const failures = warnings.filter((line) => line.includes("the handler failed"));
    expect(failures.length).toBeLessThanOrEqual(2);
    expect(failures[0]).toMatch(/: Error: cannot reach the disk at .*odd-values\.worker\.ts/);
  });
});

describe("what a handler returns", () => {
  const noOutcomes: readonly (readonly [what: string, returned: unknown])[] = [
    ["the results of a Promise.all", [undefined, undefined]],
    ["rows", { rows: [1], rowCount: 1 }],
    ["a number", 1],
    ["a text", "done"],
    ["an acknowledgement that is none", { ack: true }],
    // What cannot even be awaited has thrown before it is returned.
    ...ODD_VALUES.filter(([what]) => !/revoked|traps/.test(what)),
  ];

  it.each(noOutcomes)("is ignored when it is no outcome and every message has one (%s)", async (_what, returned) => {
    const { consumer, add, pending, events } = open({ batchSize: 2, maxWaitMs: 5_000 });
    await add(1, 2);
    await consumer.run(async (batch) => {
      batch.ack();
      void consumer.close();
      return returned as never;
    });
    expect(await pending()).toEqual([]);
    expect(events.all("handlerFailed")).toEqual([]);
  });

  it.each([
    [
      "the results of a Promise.all",
      [undefined],
      "the handler returned an array, which gives no outcome to the 1 message",
    ],
    ["a text", "done", "the handler returned text, which gives no outcome to the 1 message"],
    ["an acknowledgement that is none", { ack: true }, 'ack must be "rest", or a list of messages, got a boolean'],
    ["ids instead of messages", { ack: ["1-0"] }, 'ack must be "rest", or a list of messages, got an array'],
    ["a word that is no end", { ack: "all" }, 'ack must be "rest", or a list of messages, got text'],
    ["nothing in a list", { retry: [null] }, 'retry must be "rest", or a list of messages, got an array'],
    ["a reason without a message", { deadLetter: "bad" }, "deadLetter must be a list of { message, reason }, got text"],
    ["an unknown end", { acks: [] }, 'unknown name "acks"'],
  ])("is one clear message while a message has none (%s)", async (_what, returned, words) => {
    const { consumer, add, events } = open({ batchSize: 2, maxWaitMs: 5_000 });
    await add(1, 2);
    await consumer.run((batch) => {
      batch.messages[0]?.ack();
      void consumer.close();
      return returned as never;
    });
    const [failed, ...more] = events.all("handlerFailed");
    expect(more).toEqual([]);
    expect(failed?.error).toMatchObject({ code: "USAGE", message: expect.stringContaining(words) as string });
  });

  it("is carried out whole, or not at all: a delay that is none stops the rest as well", async () => {
    const { consumer, add, pending, events } = open({ batchSize: 2, maxWaitMs: 5_000 });
    await add(1, 2);
    await consumer.run((batch) => {
      const [first, second] = batch.messages;
      void consumer.close();
      return { ack: [first], retry: [{ message: second, delayMs: "5" }] } as never;
    });
    expect(await pending()).toHaveLength(2);
    expect(events.all("handlerFailed")[0]?.error).toMatchObject({
      message: expect.stringContaining("delayMs") as string,
    });
  });
});

describe("what is passed to a message", () => {
  it.each(ODD_VALUES)("may be %s as a reason to try it again", async (_what, reason) => {
    const { consumer, add, pending } = open({ maxDeliveries: 1, maxWaitMs: 5_000 });
    await add(1);
    await consumer.run((batch) => {
      for (const message of batch) message.retry({ reason: reason as string });
      void consumer.close();
    });
    expect(await pending()).toEqual([]);
  });

  it.each([["5"], [null], [5n], [{}], [Symbol("s")], [-1], [Number.NaN], [86_400_001]])(
    "is refused as a delay when it is none (%s)",
    async (delayMs) => {
      const { consumer, add } = open({ maxWaitMs: 5_000 });
      await add(1);
      const [message] = await consumer.fetch();
      expect(() => message?.retry({ delayMs: delayMs as number })).toThrow("delayMs must be a number from 0");
      expect(() => message?.retry(5_000 as never)).toThrow("retry: expected options");
    },
  );
});

it("a batch keeps its messages, whatever a handler does with the list it got", async () => {
  const { consumer, add, pending, events } = open({ batchSize: 3, maxWaitMs: 5_000 });
  await add(1, 2, 3);
  await consumer.run((batch) => {
    const taken = (batch.messages as unknown[]).splice(0);
    expect(taken).toHaveLength(3);
    expect(batch.size).toBe(3);
    expect([...batch]).toHaveLength(3);
    if (events.all("batch").length > 1) {
      batch.ack();
      void consumer.close();
    }
  });
  // Without an outcome they were redelivered at once, and did not have to wait for `maxHoldMs`.
  expect(events.all("batchEnded")[0]).toMatchObject({ messages: 3, unsettled: 3 });
  expect(await pending()).toEqual([]);
});

describe("a batch that the handler freezes, with every message of it", () => {
  const ends: readonly (readonly [how: string, end: (message: Message) => void, pending: number])[] = [
    ["acknowledged", (message) => message.ack(), 0],
    ["dead-lettered", (message) => message.deadLetter("bad"), 0],
    ["deferred", (message) => message.retry(), 2],
    ["left", () => {}, 2],
  ];

  it.each(ends)("is settled like any other (%s)", async (_how, end, left) => {
    const { consumer, add, pending, events } = open({ batchSize: 2, maxWaitMs: 5_000 });
    await add(1, 2);
    await consumer.run((batch) => {
      Object.freeze(batch);
      for (const message of batch) {
        Object.freeze(message);
        end(message);
      }
      void consumer.close();
    });
    expect(events.all("handlerFailed")).toEqual([]);
    expect(await pending()).toHaveLength(left);
  });
});

it("a batch and its messages can be written as JSON, which tells nothing of their payload", async () => {
  const { consumer, add } = open({ maxWaitMs: 5_000 });
  const [id] = await add(SECRET);
  const json = JSON.stringify(await consumer.fetch());
  expect(json).toContain(id);
  expect(json).not.toContain(SECRET);
});

it("a codec that is an async function is refused before there is a message", () => {
  const codec = { ...jsonCodec(), decode: async () => ({}) };
  const { server, stream, group } = bench();
  const make = (): unknown => new Consumer({ redis: server.options, stream, group, codec: codec as never });
  expect(make).toThrow(ConfigError);
  expect(make).toThrow("codec.decode must be synchronous");
});

it("options are copied: nothing of them is looked at after they were given, by the reader neither", async () => {
  const { server, stream, group, add } = bench();
  const { options, seal } = sealable<ConsumerOptions>({
    redis: { ...server.options },
    ...{ stream, group, batchSize: 1, maxWaitMs: 10, retry: { baseMs: 1, capMs: 1 }, observer: () => {} },
  });
  await using consumer = new Consumer(options);
  seal();
  const [first] = await add(1);
  const batch = await consumer.fetch();
  expect(batch.messages.map(({ id }) => id)).toEqual([first]);
  batch.messages[0]?.retry();
  // Both connections are opened again.
  await server.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
  await eventually("it is redelivered", async () => (await consumer.fetch().catch(() => undefined))?.size === 1);
});

it("a refused connection is reported at once, and why, and not after a timeout", async () => {
  const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  const proxy = await FaultProxy.start(redis.server);
  const { url } = proxy;
  await proxy.stop();
  const consumer = new Consumer({ redis: url, stream: "orders", group: "billing", connectTimeoutMs: 600_000 });
  const running = consumer.run(() => {});
  await vi.waitFor(() => expect(warn).toHaveBeenCalled(), { timeout: 20_000 });
  expect(warn.mock.calls).toEqual([
    [
      expect.stringMatching(/^consumer of "orders", group "billing": cannot connect, retrying: .*ECONNREFUSED/),
      { type: "RedisBatchWarning", code: "connectFailed" },
    ],
  ]);
  warn.mockRestore();
  await consumer.close();
  await running;
});

it("acknowledges tens of thousands of ids, and refuses what is no id before anything is done", async () => {
  const { consumer, server, stream, group } = open({ batchSize: 10_000, maxWaitMs: 5_000, prefetch: 0 });
  await server.command("XGROUP", "CREATE", stream, group, "0", "MKSTREAM");
  const script = "for n = 1, tonumber(ARGV[1]) do redis.call('XADD', KEYS[1], '1-' .. n, 'n', n) end";
  await server.command("EVAL", script, 1, stream, 20_000);
  await server.command("XREADGROUP", "GROUP", group, consumer.name, "COUNT", 10_000, "STREAMS", stream, ">");
  const ids = range(20_000).map((n) => `1-${n + 1}`);
  for (const wrong of [["abc"], [undefined], [ids], [{ id: "1-1" }], ["1"]]) {
    await expect(consumer.ack(...(wrong as never[]))).rejects.toThrow("ack: expected entry ids");
  }
  const report = await consumer.ack(...ids);
  expect(new Set(report.acknowledged)).toEqual(new Set(ids.slice(0, 10_000)));
  expect(new Set(report.notOwned)).toEqual(new Set(ids.slice(10_000)));
});
