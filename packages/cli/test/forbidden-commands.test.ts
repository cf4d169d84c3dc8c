/**
 * Servers, and proxies before them, that do not offer a command: what is optional is done without, what is needed is named.
 * `rename-command` takes it away for everybody, scripts included. On the oldest and the newest server we support.
 */
import { Writable } from "node:stream";
import { Consumer, type ConsumerEvent, DeadLetters, PermissionError, Producer } from "@redis-batch/consumer";
import { SENT_COMMANDS } from "@redis-batch/core/internal/connection";
import { Monitor } from "@redis-batch/monitor";
import { Scaler } from "@redis-batch/scaler";
import {
  EventRecorder,
  eventually,
  findServer,
  ownServersOnly,
  RedisServer,
  type ServerVersion,
} from "@redis-batch/test-support";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { parseCommandLine } from "../src/command-line/parse.ts";
import { run as runDoctor } from "../src/commands/doctor.ts";
import { doctor } from "../src/table/doctor.ts";
import { Terminal } from "../src/terminal.ts";

ownServersOnly();
// Each waits nearly all the time, for leases and idle times to pass.
vi.setConfig({ maxConcurrency: 12 });

const STREAM = "orders";
const GROUP = "billing";
const LEAVING = "left-in-the-middle";
const REGISTRY = `rb:{${STREAM}}:consumers:${STREAM}:${GROUP}`;
const OTHERS = `rb:{${STREAM}}:consumers:${STREAM}:other`;

/** Each set is taken away by itself; of all together nothing may be needed. */
const OPTIONAL: readonly (readonly string[])[] = [
  ...[["CLIENT"], ["COMMAND"], ["INFO"], ["ACL"], ["HELLO"], ["CLUSTER"]],
  ...[["EVALSHA"], ["SCRIPT"], ["EVAL"], ["FUNCTION", "FCALL", "FCALL_RO"]],
  ...[["ZADD"], ["ZRANGE"], ["ZMSCORE"], ["ZREM"], ["ZREMRANGEBYSCORE"], ["ZCOUNT"], ["PTTL"]],
  ...[["CONFIG"], ["WAIT"], ["SCAN"]],
  // These are never sent. (Read by nobody, and each of them still alone: a library underneath might.)
  ...[["DEBUG"], ["MEMORY"], ["OBJECT"], ["KEYS"], ["PUBLISH", "SUBSCRIBE"]],
  ...[["SELECT"], ["MULTI", "EXEC", "WATCH"], ["XAUTOCLAIM", "XSETID"], ["UNLINK", "XTRIM"]],
];
/** Only in the newer of the two. */
const NEWER_OPTIONAL = [["XACKDEL", "XDELEX"]];

/** Of those that are sent; SCRIPT and XACKDEL only help where another one is missing, and are none themselves. */
const DONE_WITHOUT = SENT_COMMANDS.map((name) => name.toUpperCase()).filter(
  (name) => name !== "SCRIPT" && name !== "XACKDEL",
);

type Part = "producer" | "consumer" | "monitor" | "scaler";

/** What somebody cannot work without, and what the error then names. */
const NEEDED: readonly (readonly [Part, without: readonly string[], named: string])[] = [
  ["producer", ["XADD"], "xadd: "],
  ["consumer", ["XREADGROUP"], "xreadgroup: "],
  ["consumer", ["XPENDING"], "xpending: "],
  ["consumer", ["XACK"], "xack: "],
  ["consumer", ["XCLAIM"], "calls XCLAIM"],
  ["consumer", ["TIME"], "calls TIME"],
  ["consumer", ["HGET"], "calls HGET"],
  ["consumer", ["HSET"], "calls HSET"],
  ["consumer", ["EVAL", "EVALSHA"], "'eval"],
  ["consumer", ["EVAL", "SCRIPT"], "'eval"],
  ["monitor", ["XINFO"], "xinfo: "],
  ["monitor", ["TIME"], "time: "],
  ["monitor", ["HGETALL"], "HGETALL: "],
  ["scaler", ["XINFO"], "xinfo: "],
  ["scaler", ["XRANGE"], "xrange: "],
];

interface Finding {
  readonly area: string;
  readonly severity: string;
  readonly finding: string;
}

/** The doctor, in this process: what it found. */
async function examine(server: RedisServer): Promise<readonly Finding[]> {
  let printed = "";
  const stdout = new Writable({
    write(chunk: Buffer, _encoding, done) {
      printed += String(chunk);
      done();
    },
  });
  const terminal = new Terminal({ stdout, stderr: stdout, env: { REDIS_URL: server.url } });
  const parsed = parseCommandLine(["doctor", STREAM, GROUP, "--json"], [doctor]);
  if (parsed.kind !== "run") throw new Error("the doctor was called wrongly");
  type Call = Parameters<typeof runDoctor>[0];
  await runDoctor({ ...parsed, terminal, commands: [], signal: new AbortController().signal } as unknown as Call);
  return (JSON.parse(printed) as { readonly findings: readonly Finding[] }).findings;
}

/** A group with three messages in the hands of somebody who never comes back: half is one of ours, half a stranger. */
async function leaveMessages(server: RedisServer): Promise<void> {
  await server.command("XGROUP", "CREATE", STREAM, GROUP, 0, "MKSTREAM");
  for (const consumer of ["stranger", LEAVING]) {
    await server.command("XADD", STREAM, "*", "how", "ack");
    await server.command("XREADGROUP", "GROUP", GROUP, consumer, "COUNT", 9, "STREAMS", STREAM, ">");
  }
  await server.command("HSET", REGISTRY, LEAVING, deadHeartbeat());
}

const deadHeartbeat = (): string =>
  JSON.stringify({ v: 1, at: Date.now() - 3_600_000, incarnation: "x", leaseMs: 300 });

/** Everything that anybody does with a group → what the doctor found meanwhile. */
async function workAndLook(server: RedisServer): Promise<readonly Finding[]> {
  const redis = server.options;
  await leaveMessages(server);

  const producer = new Producer({ redis, stream: STREAM });
  await producer.add({ how: "ack" });
  await producer.add({ how: "retry" });
  await producer.add({ how: "dead" });
  const once = [await producer.add({ how: "ack" }, { idempotencyKey: "k" })];
  once.push(await producer.add({ how: "ack" }, { idempotencyKey: "k" }));
  expect(new Set(once).size).toBe(1);
  await producer.close();

  const events = new EventRecorder<ConsumerEvent>();
  const consumer = new Consumer({
    ...{ redis, stream: STREAM, group: GROUP, observer: events.observe, onAck: "delete" },
    ...{ batchSize: 2, maxWaitMs: 20, blockMs: 100, retry: { baseMs: 1, capMs: 5 }, leaseMs: 2_000 },
    ...{ recoverEveryMs: 100, foreignIdleMs: 1_000, drainMs: 5_000 },
  });
  const ended: string[] = [];
  const running = consumer.run((batch) => {
    for (const message of batch) {
      const how = message.fields["how"];
      if (how === "dead") message.deadLetter("as it should");
      else if (how === "retry" && message.deliveries === 1) message.retry({ delayMs: 1 });
      else message.ack();
      if (how !== "retry" || message.deliveries > 1) ended.push(how ?? "");
    }
  });
  // Rejects with what it failed of; a failure that nobody waits for is none of its own.
  const failed = running.then(() => Promise.reject(new Error("it ended by itself")));
  failed.catch(() => {});
  const pendingOf = async (group: string): Promise<unknown> =>
    ((await server.command("XPENDING", STREAM, group)) as unknown[])[0];
  const working = eventually(
    "every message has its end",
    async () => ended.length >= 6 && (await pendingOf(GROUP)) === 0,
    {
      timeoutMs: 25_000,
    },
  );
  await Promise.race([failed, working]);

  await using letters = new DeadLetters({ redis, stream: STREAM, group: GROUP });
  expect(await letters.count()).toBe(1);

  // What a monitor finds, and cleans up, in a group whose consumer leaves that to it.
  await server.command("XGROUP", "CREATE", STREAM, "other", "$");
  await server.command("XADD", STREAM, "*", "how", "ack");
  await server.command("XREADGROUP", "GROUP", "other", "gone", "COUNT", 1, "STREAMS", STREAM, ">");
  await server.command("HSET", OTHERS, "gone", deadHeartbeat());
  await using other = new Consumer({
    redis,
    stream: STREAM,
    group: "other",
    maxWaitMs: 20,
    blockMs: 100,
    observer: () => {},
  });
  const others = other.run((batch) => batch.ack());
  const found = await examine(server);
  const monitor = new Monitor({ redis, stream: STREAM, groups: "all", graceMs: 0 });
  const scaler = new Scaler({ redis, stream: STREAM, group: GROUP });
  const look = async (): Promise<void> => {
    const report = await monitor.inspect();
    expect(report.groups.map(({ group }) => group)).toEqual([GROUP, "other"]);
    await eventually("somebody is there who takes it", async () => (await server.command("HLEN", OTHERS)) === 2);
    const { groups } = await monitor.cleanUp();
    expect(groups.find(({ group }) => group === "other")).toMatchObject({ removed: ["gone"] });
    await eventually("it was taken", async () => (await pendingOf("other")) === 0);
    expect((await scaler.decide()).direction).toEqual(expect.any(String));
  };
  try {
    await look();
  } finally {
    await Promise.all([monitor.close(), scaler.close()]);
  }

  await other.close();
  await others;
  expect(await consumer.close()).toMatchObject({ unconfirmedAcks: 0, abandoned: 0, nameRemoved: true });
  await running;
  // What was done without is no news each time.
  expect(events.all("failed")).toEqual([]);
  expect(events.all("recoveryFailed")).toEqual([]);
  return found;
}

describe.each(["redis-7.0", "redis-8.6"] satisfies ServerVersion[])("on %s", (version) => {
  beforeAll(async () => {
    await findServer({ version });
  });

  const start = async (without: readonly string[]): Promise<RedisServer> => {
    const source = await findServer({ version });
    if (source.kind === "external") throw new Error("a version is never an external server");
    return RedisServer.start({ source, config: without.map((name) => `rename-command ${name} ""`) });
  };
  const sets = [...OPTIONAL, ...(version === "redis-8.6" ? NEWER_OPTIONAL : [])];
  // EVALSHA by itself is of no use without EVAL or SCRIPT.
  const all = sets.flat().filter((name) => name !== "EVAL");

  test.concurrent.each([
    ...sets.map((without) => ({ names: without.join(", "), without })),
    { names: "all", without: all },
  ])("everything works without $names", async ({ without }) => {
    await using server = await start(without);
    const found = await workAndLook(server);
    // It is no old server, nothing that is needed is missing, and what is done without is named: all of it, and no more.
    expect(found.filter(({ area, severity }) => area === "version" && severity === "problem")).toEqual([]);
    const told = found.filter(({ area }) => area === "commands");
    expect(told.filter(({ severity }) => severity === "problem")).toEqual([]);
    const named = told.flatMap(({ finding }) => finding.replace(/ (is|are) not offered: .*$/s, "").split(", "));
    expect(named.toSorted()).toEqual(without.filter((name) => DONE_WITHOUT.includes(name)).toSorted());
  });

  test("a consumer works without XINFO, XDEL and XTRIM, which others need", async () => {
    await using server = await start(["XINFO", "XDEL", "XTRIM"]);
    await server.command("XADD", STREAM, "*", "n", 1);
    const events = new EventRecorder<ConsumerEvent>();
    const consumer = new Consumer({
      ...{ redis: server.options, stream: STREAM, group: GROUP, observer: events.observe },
      ...{ maxWaitMs: 20, blockMs: 100, recoverEveryMs: 100 },
    });
    const running = consumer.run((batch) => batch.ack());
    await events.waitFor("acknowledged");
    expect(await consumer.close()).toMatchObject({ unconfirmedAcks: 0, nameRemoved: true });
    await running;
    expect(events.all("recoveryFailed")).toEqual([]);
  });

  test.concurrent.each(NEEDED.map(([part, without, named]) => ({ part, without, named, names: without.join(", ") })))(
    "without $names, the error of a $part names the one command that is needed, and what to do",
    async ({ part, without, named }) => {
      await using server = await start(without);
      const error = await use(part, server).then(
        () => new Error("nothing was needed"),
        (thrown: unknown) => thrown,
      );
      expect(error).toMatchObject({ code: "PERMISSION", refusal: "command" });
      expect(PermissionError.is(error) && error.message).toContain(named);
      expect(String(error)).toMatch(/does not offer this command: .*Allow it there/);
      expect(String(error)).not.toMatch(/7\.0|Valkey/);
      const found = (await examine(server)).filter(({ area }) => area === "commands");
      for (const name of without.filter((one) => one !== "SCRIPT")) {
        expect(found.map(({ finding }) => finding).join("\n")).toMatch(new RegExp(`\\b${name}\\b.* not offered`));
      }
    },
  );
});

/** Works until it fails, or has succeeded. */
async function use(part: Part, server: RedisServer): Promise<void> {
  const redis = server.options;
  await server.command("XGROUP", "CREATE", STREAM, GROUP, 0, "MKSTREAM");
  switch (part) {
    case "producer": {
      await using producer = new Producer({ redis, stream: STREAM });
      await producer.add({ n: 1 });
      return;
    }
    case "monitor": {
      await using monitor = new Monitor({ redis, stream: STREAM, group: GROUP });
      await monitor.inspect();
      return;
    }
    case "scaler": {
      await using scaler = new Scaler({ redis, stream: STREAM, group: GROUP });
      await scaler.decide();
      return;
    }
    case "consumer": {
      for (const n of [1, 2]) await server.command("XADD", STREAM, "*", "n", n);
      await using consumer = new Consumer({
        ...{ redis, stream: STREAM, group: GROUP, observer: () => {} },
        ...{ maxWaitMs: 20, blockMs: 100, leaseMs: 500, drainMs: 0 },
      });
      // One is acknowledged at once, the other is held until its lease has to be renewed.
      await consumer.run((batch, { signal }) => {
        batch.messages[0]?.ack();
        return new Promise((resolve) => {
          signal.addEventListener("abort", () => resolve(undefined));
        });
      });
    }
  }
}
