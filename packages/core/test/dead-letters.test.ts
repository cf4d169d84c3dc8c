import { readFileSync } from "node:fs";
import {
  addEntry,
  checkLeaks,
  EventRecorder,
  FaultProxy,
  RedisServer,
  runWorker,
  uniqueName,
  useServer,
} from "@redis-batch/test-support";
import { Redis } from "ioredis";
import { describe, expect, onTestFinished, test } from "vitest";
import { type DeadLetter, DeadLetters, type DeadLettersEvent, type DeadLettersOptions } from "../src/index.ts";
import { groupKey } from "../src/names/keys.ts";
import { RELEASED } from "../src/names/reserved-consumers.ts";
import { createRedisStreamClient } from "../src/redis/redis-stream-client.ts";

const redis = useServer();
checkLeaks(redis);

const GROUP = "billing";

/** A stream with a group, its dead letters, and a client to look and change beside them. */
async function setUp(options: Partial<DeadLettersOptions> = {}, server: RedisServer = redis.server) {
  const events = new EventRecorder<DeadLettersEvent>();
  const stream = options.stream ?? uniqueName("orders");
  const address = { stream, group: GROUP };
  const client = createRedisStreamClient({ redis: server.url, blockMs: 0 });
  onTestFinished(() => client.close());
  await client.connect(["commands", "reader"], { timeoutMs: 10_000 });
  await client.xgroupCreate({ ...address, position: "start" });
  const deadLetters = new DeadLetters({ redis: server.url, ...address, observer: events.observe, ...options });
  onTestFinished(() => deadLetters.close());
  const deadLetterAll = async (reason = "rejected"): Promise<string[]> => {
    const entries = await client.xreadgroup({ ...address, consumer: "c1", count: 100_000 });
    const ids = entries.map(({ id }) => id);
    const one = (id: string) =>
      client.moveToDeadLetters({ ...address, consumer: "c1", id, reason, error: "no such order" });
    for (let start = 0; start < ids.length; start += 500) await Promise.all(ids.slice(start, start + 500).map(one));
    return ids;
  };
  const deadLetter = async (fields: readonly (string | Buffer)[], reason?: string): Promise<string> => {
    await addEntry(client, { stream, fields });
    const [id = ""] = await deadLetterAll(reason);
    return id;
  };
  const pending = (group = GROUP) => client.xpendingRange({ stream, group, from: "-", to: "+", count: 1_000 });
  const length = () => client.xlen({ stream });
  return { server, events, stream, address, client, deadLetters, deadLetter, deadLetterAll, pending, length };
}

const history = (entryId: string): string[] => [
  ...["dead.id", entryId, "dead.consumer", "c1", "dead.deliveries", "1"],
  ...["dead.reason", "rejected", "dead.error", "", "dead.at", "1700000000000"],
];
const idsOf = (letters: readonly DeadLetter[]): string[] => letters.map(({ id }) => id);
const onlyLetter = async (deadLetters: DeadLetters): Promise<DeadLetter> => {
  const { letters } = await deadLetters.list();
  expect(letters).toHaveLength(1);
  return letters[0] as DeadLetter;
};

describe("a letter", () => {
  test("is the message byte for byte, of a mebibyte too, with its history", async () => {
    const { deadLetters, deadLetter, client } = await setUp();
    const everyByte = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    const large = Buffer.alloc(2 ** 20, everyByte);
    const fields = [everyByte, large, "dead.id", "mine", "a", "", "a", "2"].map((part) => Buffer.from(part));
    const beforeMs = await client.time();
    const entryId = await deadLetter(fields, "undecodable");
    const letter = await onlyLetter(deadLetters);
    expect(letter).toMatchObject({ entryId, consumer: "c1", deliveries: 1, reason: "undecodable" });
    expect(letter.error).toBe("no such order");
    expect(letter.at.getTime()).toBeGreaterThanOrEqual(beforeMs);
    expect(Buffer.concat([...letter.entries()].flat()).equals(Buffer.concat(fields))).toBe(true);
    expect(letter.fields["a"]).toBe("2");
  });
});

describe("redrive", () => {
  test("gives the message back to its own group, and others see nothing", async () => {
    const { deadLetters, deadLetter, client, stream, pending, length } = await setUp();
    await client.xgroupCreate({ stream, group: "audit", position: "start" });
    const entryId = await deadLetter(["n", "1"]);
    await client.xreadgroup({ stream, group: "audit", consumer: "a1", count: 10 });
    await client.xack({ stream, group: "audit", ids: [entryId] });
    const report = await deadLetters.redrive({ ids: [(await onlyLetter(deadLetters)).id] });
    expect(report).toMatchObject({
      redriven: 1,
      added: 0,
      skipped: 0,
      missing: 0,
      letters: [{ kind: "redriven", entryId }],
    });
    expect(await pending()).toMatchObject([{ id: entryId, consumer: RELEASED, deliveries: 0 }]);
    expect(await pending("audit")).toEqual([]);
    expect(await client.xreadgroup({ stream, group: "audit", consumer: "a1", count: 10 })).toEqual([]);
    expect([await length(), await deadLetters.count()]).toEqual([1, 0]);
  });

  test("does not add what was trimmed, unless asked to; then every group gets it", async () => {
    const { deadLetters, deadLetter, client, stream, address, length } = await setUp();
    await client.xgroupCreate({ stream, group: "audit", position: "start" });
    const value = Buffer.alloc(2 ** 20, 255);
    await deadLetter(["v", value, "v", "again"]);
    const entries = await client.xrange({ stream, from: "-", to: "+", count: 10 });
    await client.xdel({ stream, ids: entries.map(({ id }) => id) });
    expect(await deadLetters.redrive({ filter: "all" })).toMatchObject({
      ...{ skipped: 1, letters: [{ kind: "skipped", why: "entry-trimmed" }] },
    });
    expect([await length(), await deadLetters.count()]).toEqual([0, 1]);
    expect(await deadLetters.redrive({ filter: "all", ifTrimmed: "add" })).toMatchObject({ added: 1, skipped: 0 });
    expect([await length(), await deadLetters.count()]).toEqual([1, 0]);
    for (const group of [address.group, "audit"]) {
      const [entry] = await client.xreadgroup({ stream, group, consumer: "c2", count: 10 });
      expect(entry?.fields.map((part) => part.length)).toEqual([1, value.length, 1, 5]);
      expect(entry?.fields[1]?.equals(value)).toBe(true);
    }
  });

  test("a second time finds the letter missing", async () => {
    const { deadLetters, deadLetter, pending } = await setUp();
    await deadLetter(["n", "1"]);
    const { id } = await onlyLetter(deadLetters);
    await deadLetters.redrive({ ids: [id] });
    expect(await deadLetters.redrive({ ids: [id] })).toMatchObject({
      redriven: 0,
      missing: 1,
      letters: [{ id, kind: "missing" }],
    });
    expect(await pending()).toHaveLength(1);
  });

  test("by several at once redrives each letter exactly once", async () => {
    const { deadLetters, client, stream, address, server, deadLetterAll, pending } = await setUp();
    await client.xaddMany(Array.from({ length: 300 }, (_, n) => ({ stream, fields: ["n", n] })));
    const ids = await deadLetterAll();
    const others = Array.from({ length: 3 }, () => new DeadLetters({ redis: server.url, ...address }));
    onTestFinished(async () => void (await Promise.all(others.map((other) => other.close()))));
    const letters = idsOf((await deadLetters.list({ limit: 1_000 })).letters);
    const reports = await Promise.all([deadLetters, ...others].map((each) => each.redrive({ ids: letters })));
    expect(reports.reduce((sum, { redriven }) => sum + redriven, 0)).toBe(300);
    expect(reports.reduce((sum, { missing }) => sum + missing, 0)).toBe(900);
    expect((await pending()).map(({ id }) => id)).toEqual(ids);
    expect(await deadLetters.count()).toBe(0);
  });

  test("keeps the letter where the message cannot be put: the stream is none any more, the group is not there", async () => {
    const { deadLetters, deadLetter, server, stream } = await setUp();
    await deadLetter(["n", "1"]);
    await server.command("XGROUP", "DESTROY", stream, GROUP);
    await expect(deadLetters.redrive({ filter: "all" })).rejects.toMatchObject({ code: "NO_GROUP" });
    await server.command("SET", stream, "a text");
    for (const ifTrimmed of ["skip", "add"] as const) {
      await expect(deadLetters.redrive({ filter: "all", ifTrimmed })).rejects.toMatchObject({ code: "WRONG_TYPE" });
    }
    expect(await deadLetters.count()).toBe(1);
  });

  test("whose reply is lost can be repeated: no message is lost, none comes twice", async () => {
    await using proxy = await FaultProxy.start(redis.server);
    const { deadLetters, client, stream, deadLetterAll, pending } = await setUp({ redis: proxy.url });
    await client.xaddMany(Array.from({ length: 200 }, (_, n) => ({ stream, fields: ["n", n] })));
    const ids = await deadLetterAll();
    const letters = idsOf((await deadLetters.list({ limit: 1_000 })).letters);
    const cut = proxy.cut("reply", 2_000);
    await expect(deadLetters.redrive({ ids: letters })).rejects.toMatchObject({ code: "CONNECTION" });
    await cut;
    const { redriven, missing } = await deadLetters.redrive({ ids: letters });
    expect(redriven + missing).toBe(200);
    expect(missing).toBeGreaterThan(0);
    expect((await pending()).map(({ id }) => id)).toEqual(ids);
    expect(await deadLetters.count()).toBe(0);
    await deadLetters.close();
  });
});

describe("on a server of their own, the dead letters", () => {
  test("are redriven while it is full; what would have to be added stays", async () => {
    await using server = await RedisServer.start();
    const { deadLetters, deadLetter, client, stream, pending } = await setUp({}, server);
    const first = await deadLetter(["n", "1"]);
    const second = await deadLetter(["n", "2"]);
    await client.xdel({ stream, ids: [first] });
    await server.command("CONFIG", "SET", "maxmemory", 1);
    const redriving = deadLetters.redrive({ filter: "all", ifTrimmed: "add" });
    await expect(redriving).rejects.toMatchObject({ code: "SERVER_STATE", state: "OOM" });
    expect(await deadLetters.count()).toBe(1);
    expect((await deadLetters.list()).letters).toMatchObject([{ entryId: first }]);
    expect((await pending()).map(({ id }) => id)).toEqual([second]);
    expect(await deadLetters.discard({ filter: "all" })).toBe(1);
    await Promise.all([deadLetters.close(), client.close()]);
  });

  test("are still there when it has died in the middle of redriving: each as a letter, or pending", async () => {
    await using server = await RedisServer.start({ persistence: "aof" });
    const { deadLetters, client, stream, deadLetterAll, pending, events } = await setUp({}, server);
    await client.xaddMany(Array.from({ length: 900 }, (_, n) => ({ stream, fields: ["n", n] })));
    const ids = await deadLetterAll();
    let killing: Promise<void> | undefined;
    const redriving = deadLetters.redrive({
      filter: "all",
      onProgress: ({ redriven }) => {
        if (redriven > 300) killing ??= server.kill();
      },
    });
    await expect(redriving).rejects.toMatchObject({ code: "CONNECTION" });
    await killing;
    const before = events.events.length;
    await server.restart();
    await events.waitFor("connected", { after: before });
    await client.connect(["commands", "reader"], { timeoutMs: 10_000 });
    const { letters } = await deadLetters.list({ limit: 10_000 });
    const dead = letters.map(({ entryId }) => entryId);
    expect(dead.length).toBeLessThanOrEqual(600);
    expect([...(await pending()).map(({ id }) => id), ...dead]).toEqual(ids);
    await Promise.all([deadLetters.close(), client.close()]);
  });
});

describe("many letters", () => {
  test("a hundred thousand are listed, looped over, redriven and discarded in bounded memory", async () => {
    const { address, client, stream, server } = await setUp();
    const group = "read to the end";
    // What a hundred thousand calls of dead-letter leave, without the calls.
    for (let start = 0; start < 100_000; start += 5_000) {
      const fields = Array.from({ length: 5_000 }, (_, n) => ["n", start + n, "text", "x".repeat(400)]);
      const ids = await client.xaddMany(fields.map((each) => ({ stream, fields: each })));
      const letters = fields.map((each, n) => [...each, ...history(String(ids[n]))]);
      await client.xaddMany(letters.map((each) => ({ stream: groupKey("dead", stream, group), fields: each })));
    }
    await client.xgroupCreate({ ...address, group, position: "end" });
    await using worker = await runWorker(new URL("dead-letters.worker.ts", import.meta.url), {
      args: [server.url, stream, group],
    });
    expect(await worker.exited).toMatchObject({ code: 0 });
    const told = JSON.parse(worker.lines.at(-1) ?? "{}") as Record<string, number>;
    expect(told).toMatchObject({ listed: 100_000, looped: 100_000, redriven: 10_000, discarded: 90_000, left: 0 });
    // The letters together are more than 60 MB.
    expect(told["mostBytes"]).toBeLessThan(30_000_000);
  });
});

test("the documented rights suffice, and are needed", async () => {
  const password = "of-this-test";
  const users = documentedRights().map(({ name, rules }) => ({ name, password, rules }));
  await using server = await RedisServer.start({
    users: [{ name: "default", password, rules: "~* &* +@all" }, ...users],
    speakAs: "default",
  });
  const { deadLetter, client, stream } = await setUp({ stream: "orders" }, server);
  const open = (name: string) => {
    const deadLetters = new DeadLetters({ redis: server.as(name).options, stream, group: GROUP });
    onTestFinished(() => deadLetters.close());
    return deadLetters;
  };
  const [looking, discarding, redriving, adding] = ["looking", "discarding", "redriving", "adding"].map(open) as [
    ...[DeadLetters, DeadLetters, DeadLetters, DeadLetters],
  ];
  for (let n = 0; n < 4; n++) await deadLetter(["n", `${n}`]);
  const ids = idsOf((await looking.list()).letters);
  expect(await looking.count()).toBe(4);
  for await (const letter of looking) expect(ids).toContain(letter.id);
  await expect(looking.discard({ ids })).rejects.toMatchObject({ code: "PERMISSION" });
  expect(await discarding.discard({ filter: "all", limit: 1 })).toBe(1);
  await expect(discarding.redrive({ filter: "all" })).rejects.toMatchObject({ code: "PERMISSION" });
  expect(await redriving.redrive({ filter: "all", limit: 1 })).toMatchObject({ redriven: 1 });
  await server.command("XTRIM", stream, "MAXLEN", 0);
  await expect(redriving.redrive({ filter: "all", ifTrimmed: "add" })).rejects.toMatchObject({ code: "PERMISSION" });
  expect(await redriving.count()).toBe(2);
  expect(await adding.redrive({ filter: "all", ifTrimmed: "add" })).toMatchObject({ added: 2 });
  await Promise.all([looking, discarding, redriving, adding, client].map((each) => each.close()));
});

/** The README's rights for dead letters: each of them grants what those above it grant as well. */
function documentedRights(): readonly { readonly name: string; readonly rules: string }[] {
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  const [, section = ""] = readme.split("These are the rights:");
  const [reading = "", asking = "", connecting = "", ...more] = [...section.matchAll(/^```text\n(.*?)^```$/gms)].map(
    ([, rules = ""]) => rules.trim().replaceAll("\n", " "),
  );
  const grants = [`${reading} ${asking} ${connecting}`, ...more.slice(0, 3)];
  return ["looking", "discarding", "redriving", "adding"].map((name, index) => ({
    name,
    rules: grants.slice(0, index + 1).join(" "),
  }));
}

describe("a borrowed client", () => {
  test("lends its configuration, and is neither used nor closed", async () => {
    await using borrowed = Object.assign(new Redis({ ...redis.server.options, lazyConnect: true }), {
      [Symbol.asyncDispose]: async () => borrowed.disconnect(),
    });
    const { deadLetters, events } = await setUp({ redis: borrowed });
    expect(await deadLetters.count()).toBe(0);
    await deadLetters.close();
    expect(borrowed.status).toBe("wait");
    expect(events.events.map(({ type }) => type)).toEqual(["connected", "closed"]);
  });
});
