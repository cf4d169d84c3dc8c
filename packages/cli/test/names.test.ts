/** Streams, groups and consumers whose names are not UTF-8, end to end: they are bytes, and shown as `\xff`. */
import { Consumer, type ConsumerEvent, DeadLetters, nameOfBytes, Producer } from "@redis-batch/consumer";
import { Monitor, toPrometheus } from "@redis-batch/monitor";
import { Scaler } from "@redis-batch/scaler";
import { EventRecorder, eventually, uniqueName, useServer } from "@redis-batch/test-support";
import { Redis } from "ioredis";
import { describe, expect, it } from "vitest";
import { expectEnd, useCli } from "./cli.ts";

const redis = useServer();
const cli = useCli(redis);

// Of all of these UTF-8 makes the same text.
const name = (prefix: string, byte: number): string =>
  nameOfBytes(Buffer.concat([Buffer.from(prefix), Buffer.of(byte)]));

/** Any client's words, byte for byte. */
async function raw(...words: readonly (string | Buffer | number)[]): Promise<unknown> {
  const client = new Redis({ ...redis.server.options, lazyConnect: true });
  try {
    const [command = "", ...args] = words;
    return await client.callBuffer(String(command), ...args);
  } finally {
    client.disconnect();
  }
}

/** A stream with two groups; in each a foreign consumer has a message and never comes back. */
async function makeGroups() {
  const prefix = uniqueName("orders");
  const stream = Buffer.concat([Buffer.from(prefix), Buffer.of(0xff)]);
  const groups = [Buffer.from("group\xff", "latin1"), Buffer.from("group\xfe", "latin1")];
  const stranger = Buffer.from("stranger\xfd", "latin1");
  await raw("XADD", stream, "*", "n", 1);
  for (const group of groups) {
    await raw("XGROUP", "CREATE", stream, group, 0);
    await raw("XREADGROUP", "GROUP", group, stranger, "COUNT", 1, "STREAMS", stream, ">");
  }
  const [one = "", other = ""] = groups.map(nameOfBytes);
  return { stream: name(prefix, 0xff), shown: `${prefix}\\xff`, one, other, stranger: nameOfBytes(stranger) };
}

describe("names that are not UTF-8", () => {
  it("are worked with by their bytes: adding, taking over, dead letters, leaving", async () => {
    const { stream, one, other, stranger } = await makeGroups();
    const producer = new Producer({ redis: redis.server.options, stream });
    await producer.add({ n: 2 });
    const once = [
      await producer.add({ n: 3 }, { idempotencyKey: "k" }),
      await producer.add({ n: 3 }, { idempotencyKey: "k" }),
    ];
    expect(new Set(once).size).toBe(1);
    await producer.close();
    const events = new EventRecorder<ConsumerEvent>();
    const consumer = new Consumer({
      ...{ redis: redis.server.options, stream, group: one, name: name("me", 0xfc), observer: events.observe },
      ...{ maxWaitMs: 10, blockMs: 100, recoverEveryMs: 100, foreignIdleMs: 1_000, leaseMs: 2_000 },
    });
    const got: string[] = [];
    const running = consumer.run((batch) => {
      for (const message of batch) {
        got.push(message.fields["n"] ?? "");
        if (message.fields["n"] === "2") message.deadLetter("no");
        else message.ack();
      }
    });
    await events.waitFor((event) => event.type === "orphansReleased" && event.from === stranger);
    await eventually("all are done", async () => got.length === 3);
    expect(await consumer.close()).toMatchObject({ nameRemoved: true });
    await running;
    expect(got.toSorted()).toEqual(["1", "2", "3"]);
    await using letters = new DeadLetters({ redis: redis.server.options, stream, group: one });
    expect((await letters.list()).letters).toMatchObject([{ consumer: name("me", 0xfc) }]);
    expect(await letters.redrive({ filter: "all" })).toMatchObject({ redriven: 1 });
    // The other group, whose name differs in that one byte, has seen nothing of it.
    await using others = new DeadLetters({ redis: redis.server.options, stream, group: other });
    expect(await others.count()).toBe(0);
  });

  it("are those of several streams of one consumer, and of the one that is alone in its group", async () => {
    const prefix = uniqueName("orders");
    const streams = [name(prefix, 0xff), name(prefix, 0xfe)] as const;
    const [group, me] = [name("group", 0x80), name("me", 0xfc)];
    const consumer = new Consumer({
      ...{ redis: redis.server.options, streams, group, name: me, orderBy: "key", batchSize: 2, maxWaitMs: 10 },
    });
    const got: string[] = [];
    const running = consumer.run((batch) => {
      for (const [key, messages] of batch.byKey()) got.push(`${batch.stream} ${key} ${messages.length}`);
      batch.ack();
    });
    await eventually("it has joined", async () => (await raw("EXISTS", ...streams.map(bytes))) === 2);
    for (const stream of streams) for (const key of ["k", "k"]) await raw("XADD", bytes(stream), "*", "key", key);
    await eventually("all are done", async () => got.length >= 2);
    expect(new Set(got.map((each) => each.split(" ")[0]))).toEqual(new Set(streams));
    for (const [index, shown] of [`${prefix}\\xff`, `${prefix}\\xfe`].entries()) {
      const registry = `rb:{${streams[index]}}:consumers:${streams[index]}:${group}`;
      expect(await raw("HGET", bytes(registry), "rb:alone")).toEqual(bytes(me));
      // It is a mark and not a consumer.
      expect(await cli.json(["consumers", shown, "group\\x80"])).toMatchObject({
        consumers: [{ consumer: "me\\xfc" }],
      });
    }
    const typed = `${prefix}\\xff,${prefix}\\xfe`;
    expectEnd(await cli.run(["consume", typed, "group\\x80", "--idle-exit", "1ms"]), 6, "me\\xfc", "in order");
    expectEnd(await cli.run(["monitor", typed, "group\\x80"]), 2, "<stream> is one stream here");
    expect(await consumer.close()).toMatchObject({ nameRemoved: true });
    await running;
  });

  it("are looked at, cleaned up and counted by their bytes", async () => {
    const { stream, one, other, stranger } = await makeGroups();
    const gone = name("gone", 0x80);
    const registry = `rb:{${stream}}:consumers:${stream}:${one}`;
    await raw("XGROUP", "CREATECONSUMER", ...[stream, one, gone].map(bytes));
    const heartbeat = { v: 1, at: Date.now() - 3_600_000, incarnation: "x", leaseMs: 300 };
    await raw("HSET", bytes(registry), bytes(gone), JSON.stringify(heartbeat));
    await using monitor = new Monitor({ redis: redis.server.options, stream, groups: "all", graceMs: 0 });
    const report = await monitor.inspect();
    expect(report.groups.map(({ group }) => group).toSorted()).toEqual([one, other].toSorted());
    expect(report.groups.find(({ group }) => group === one)?.consumers.map(({ consumer }) => consumer)).toEqual(
      [gone, stranger].toSorted(),
    );
    // One series each: a scrape with one twice would be refused as a whole.
    const metrics = toPrometheus(report);
    for (const shown of ["group\\\\xff", "group\\\\xfe"]) expect(metrics).toContain(`group="${shown}"`);
    const { groups } = await monitor.cleanUp();
    expect(groups.find(({ group }) => group === one)).toMatchObject({ removed: [gone] });
    await using scaler = new Scaler({ redis: redis.server.options, stream, group: one, foreignIdleMs: 60_000 });
    expect(await scaler.collect()).toMatchObject({ pending: 1, waiting: 0 });
  });

  it("are shown escaped by every command, which take them as they are shown", async () => {
    const { shown, stream, one } = await makeGroups();
    await raw("XGROUP", "CREATECONSUMER", ...[stream, one, name("me", 0xfc)].map(bytes));
    const groups = await cli.json(["groups", shown]);
    expect(groups).toMatchObject({ groups: [{ group: "group\\xfe" }, { group: "group\\xff" }] });
    expectEnd(await cli.run(["consumers", shown, "group\\xff"]), 0, "stranger\\xfd");
    expect(await cli.json(["consumers", shown, "group\\xff"])).toMatchObject({
      consumers: [{ consumer: "me\\xfc" }, { consumer: "stranger\\xfd" }],
    });
    expectEnd(await cli.run(["streams", "--match", `${shown.slice(0, -4)}*`]), 0, shown);
    expectEnd(await cli.run(["pending", shown, "group\\xff", "--consumer", "stranger\\xfd"]), 0, "stranger\\xfd");
    expectEnd(await cli.run(["monitor", shown, "group\\xff"]), 0, "stranger\\xfd");
    const reassign = ["reassign", shown, "group\\xff", "--from", "stranger\\xfd", "--to", "me\\xfc", "--yes"];
    expectEnd(await cli.run([...reassign, "--min-idle", "0", "--to-unregistered"]), 0, "stranger\\xfd");
    expectEnd(await cli.run(["pending", shown, "group\\xff", "--consumer", "me\\xfc"]), 0, "me\\xfc");
    // A message of ours quotes a name so that it can be typed.
    expectEnd(await cli.run(["pending", shown, "none\\xff"]), 5, "none\\xff", `'${shown}'`);
    expectEnd(await cli.run(["group", "delete", shown, "group\\xff", "--lose-pending", "--yes"]), 0);
    expect(await cli.json(["groups", shown])).toMatchObject({ groups: [{ group: "group\\xfe" }] });
    // What would be taken for a byte is doubled.
    expectEnd(await cli.run(["group", "create", shown, "text\\\\xff", "--yes"]), 0);
    expect(await cli.json(["groups", shown])).toMatchObject({
      groups: [{ group: "group\\xfe" }, { group: "text\\xff" }],
    });
  });
});

function bytes(text: string): Buffer {
  return Buffer.concat(Array.from(text, (character) => byteOf(character)));
}

/** As the bytes in a name are written, without the code under test. */
function byteOf(character: string): Buffer {
  const code = character.codePointAt(0) ?? 0;
  return code >= 0xdc80 && code <= 0xdcff ? Buffer.of(code - 0xdc00) : Buffer.from(character);
}
