/**
 * What the consumer does when the server answers, but not as asked. Every fault is made on a real server of its own; the
 * table in docs/guarantees.md names these tests.
 */
import { mkdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { WrongTypeError } from "@redis-batch/core";
import {
  deferred,
  type EventRecorder,
  eventually,
  type RedisServer,
  startSentinel,
  useServer,
  useServers,
} from "@redis-batch/test-support";
import { Redis } from "ioredis";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Consumer, ConsumerEvent, ConsumerOptions, StopReport } from "../src/index.ts";
import { type Bench, numbers, range, useBench } from "./harness.ts";

type Trouble = Extract<ConsumerEvent, { readonly retryInMs: number; readonly error: unknown }>;

interface Trial {
  readonly consumer: Consumer;
  readonly events: EventRecorder<ConsumerEvent>;
  readonly running: Promise<StopReport>;
  /** How often the handler got through with each message. */
  readonly done: ReadonlyMap<number, number>;
  /** Lets the handler, which waits in its first batch, go on. */
  readonly finish: () => void;
  readonly trouble: () => Trouble[];
}

/** A consumer in the middle of its first batch, five more messages read ahead, when the fault begins. */
async function atWork(made: Bench, options: Partial<ConsumerOptions<Readonly<Record<string, string>>>> = {}) {
  const { consumer, events } = made.consumer({
    batchSize: 5,
    maxWaitMs: 10,
    retry: { baseMs: 1, capMs: 50 },
    ...options,
  });
  const done = new Map<number, number>();
  const begun = deferred<void>();
  const finish = deferred<void>();
  const running = consumer.run(async (batch) => {
    begun.resolve();
    await finish.promise;
    for (const n of numbers(batch)) done.set(n, (done.get(n) ?? 0) + 1);
    batch.ack();
  });
  // A test that expects the end of it looks for itself.
  running.catch(() => {});
  await made.add(...range(10));
  await begun.promise;
  const trouble = (): Trouble[] =>
    events.events.filter((event): event is Trouble => "retryInMs" in event && "error" in event);
  return { consumer, events, running, done, finish: finish.resolve, trouble } satisfies Trial;
}

/** Whether this is a failure to read that the server gave this word for. */
const refusedRead =
  (word: string) =>
  (event: ConsumerEvent): boolean =>
    event.type === "readFailed" && event.error.code === "SERVER_STATE" && event.error.message.includes(word);

const refusedAck =
  (word: string) =>
  (event: ConsumerEvent): boolean =>
    event.type === "ackFailed" && event.error.code === "SERVER_STATE" && event.error.message.includes(word);

/** How often a client has asked the server for anything of what a consumer asks, refused or not. */
async function commandsAsked(server: RedisServer): Promise<number> {
  let asked = 0;
  for (const [name, stats] of Object.entries(await server.info("commandstats"))) {
    if (!/^cmdstat_(xreadgroup|xpending|xack|evalsha|eval|xgroup)/.test(name)) continue;
    for (const [, count] of stats.matchAll(/\b(?:calls|rejected_calls)=(\d+)/g)) asked += Number(count);
  }
  return asked;
}

/**
 * The most that a consumer may have asked of the server when it does not loop hot: every attempt that failed was reported,
 * and a failed read was asked together with a look at the pending list; the rest is for heartbeat and renewal.
 */
const mostCommands = (trouble: readonly Trouble[]): number => trouble.length * 4 + 60;

/** The most attempts that fail in the seconds that a fault lasts here, when the pauses between them are real. */
const MOST_ATTEMPTS = 40;

/** The shortest pause between a failed attempt and the next one. */
const shortestPauseMs = (trouble: readonly Trouble[]): number => Math.min(...trouble.map(({ retryInMs }) => retryInMs));

/** After the fault: five more messages, and all that there ever were done and acknowledged → how it ended. */
async function endOf(made: Bench, { consumer, events, running, done }: Trial) {
  await made.add(...range(5).map((n) => n + 10));
  await eventually("every message is done", () => done.size === 15, { timeoutMs: 15_000 });
  await eventually("everything is acknowledged", async () => (await made.pending()).length === 0);
  const { live, ready } = consumer.health();
  await consumer.close();
  return { live, ready, failed: events.all("failed"), ...(await running), times: [...done.values()] };
}

/** Nothing is lost, nothing was given up. */
const ALL_DONE = {
  ...{ live: true, ready: true, failed: [] },
  ...{ released: 0, unconfirmedAcks: 0, abandoned: 0, nameRemoved: true },
};
/** And nothing was done twice, because what the server refuses it has not executed. */
const ALL_DONE_ONCE = { ...ALL_DONE, times: range(15).map(() => 1) };

describe("a server that cannot save (MISCONF)", () => {
  const redis = useServer({ own: true });
  const bench = useBench(redis);

  it("is asked again at growing intervals until it can", async () => {
    const made = bench();
    const { server } = made;
    const trial = await atWork(made);
    const [, dir] = (await server.command("CONFIG", "GET", "dir")) as [string, string];
    const inTheWay = join(dir, "dump.rdb");
    mkdirSync(inTheWay);
    // Only a server that has to save its data refuses when it cannot.
    await server.command("CONFIG", "SET", "save", "3600 1");
    await server.command("BGSAVE");
    const status = async (): Promise<string | undefined> =>
      (await server.info("persistence"))["rdb_last_bgsave_status"];
    await eventually("saving has failed", async () => (await status()) === "err");
    await server.command("CONFIG", "RESETSTAT");
    trial.finish();
    await trial.events.waitFor(refusedAck("MISCONF"), { count: 2 });
    await trial.events.waitFor(refusedRead("MISCONF"), { count: 3 });
    expect(await commandsAsked(server)).toBeLessThanOrEqual(mostCommands(trial.trouble()));
    expect(trial.trouble().length).toBeLessThanOrEqual(MOST_ATTEMPTS);
    expect(shortestPauseMs(trial.trouble())).toBeGreaterThanOrEqual(50);
    expect(trial.consumer.health()).toMatchObject({ live: true, ready: true });
    rmdirSync(inTheWay);
    await server.command("BGSAVE");
    await eventually("saving has succeeded", async () => (await status()) === "ok");
    expect(await endOf(made, trial)).toEqual(ALL_DONE_ONCE);
  });
});

describe("a server that is busy with somebody's script (BUSY)", () => {
  const redis = useServer({ config: ["lua-time-limit 20"] });
  const bench = useBench(redis);

  it("is asked again at growing intervals until the script has ended", async () => {
    const made = bench();
    const { server } = made;
    const trial = await atWork(made);
    await server.command("CONFIG", "RESETSTAT");
    const endless = server.command("EVAL", "while true do end", 0);
    endless.catch(() => {});
    const isBusy = (): Promise<boolean> =>
      server.command("PING").then(
        () => false,
        (error: unknown) => String(error).includes("BUSY"),
      );
    await eventually("the server is busy", isBusy);
    trial.finish();
    await trial.events.waitFor(refusedAck("BUSY"), { count: 2 });
    await trial.events.waitFor(refusedRead("BUSY"), { count: 3 });
    await server.command("SCRIPT", "KILL");
    await eventually("the script has ended", async () => !(await isBusy()));
    expect(await commandsAsked(server)).toBeLessThanOrEqual(mostCommands(trial.trouble()));
    expect(trial.trouble().length).toBeLessThanOrEqual(MOST_ATTEMPTS);
    expect(shortestPauseMs(trial.trouble())).toBeGreaterThanOrEqual(50);
    expect(await endOf(made, trial)).toEqual(ALL_DONE_ONCE);
  });
});

describe("a server that is full (OOM)", () => {
  const redis = useServer({ config: ["maxmemory-policy noeviction"] });
  const bench = useBench(redis);
  const fill = async (made: Bench): Promise<void> => {
    await made.server.command("CONFIG", "SET", "maxmemory", "1");
    await expect(made.add(0)).rejects.toThrow("OOM");
    onTestFinished(async () => {
      await made.server.command("CONFIG", "SET", "maxmemory", "0");
    });
  };

  it("is emptied all the same: messages are read, tried again, acknowledged, and put among the dead letters", async () => {
    const made = bench();
    const { server } = made;
    // A short lease, so that heartbeats are sent and leases are renewed while the server is full.
    const { consumer, events } = made.consumer({ leaseMs: 500, maxWaitMs: 10, retry: { baseMs: 1, capMs: 50 } });
    await made.add(...range(30));
    const begun = deferred<void>();
    const finish = deferred<void>();
    const done = new Set<number>();
    const running = consumer.run(async (batch) => {
      begun.resolve();
      await finish.promise;
      for (const message of batch) {
        const [n = -1] = numbers([message]);
        if (n === 7) message.deadLetter("unlucky");
        else if (n === 8 && message.deliveries === 1) message.retry();
        else {
          message.ack();
          done.add(n);
        }
      }
    });
    await begun.promise;
    await fill(made);
    const countHeartbeats = async (): Promise<string | undefined> =>
      (await server.info("commandstats"))["cmdstat_hset"];
    const heartbeatsBefore = await countHeartbeats();
    finish.resolve();
    await eventually("every message is done", () => done.size === 29);
    await eventually("every outcome is there", async () => (await made.pending()).length === 0);
    await eventually("heartbeats have gone on", async () => (await countHeartbeats()) !== heartbeatsBefore);
    expect(events.all("deadLettered")).toMatchObject([{ why: "rejected" }]);
    expect(events.events.filter(({ type }) => type.endsWith("Failed"))).toEqual([]);
    await consumer.close();
    expect(await running).toEqual({ released: 0, unconfirmedAcks: 0, abandoned: 0, nameRemoved: true });
  });

  it("lets a consumer join a group that is there, and take over what a dead one left behind", async () => {
    const made = bench();
    const { server, stream, group } = made;
    await made.add(...range(3));
    await server.command("XGROUP", "CREATE", stream, group, 0);
    await server.command("XREADGROUP", "GROUP", group, "dead", "COUNT", 2, "STREAMS", stream, ">");
    const timing = { leaseMs: 500, recoverEveryMs: 100, foreignIdleMs: 1_000, connectTimeoutMs: 1_000 };
    await fill(made);
    const { consumer, events } = made.consumer({ ...timing, maxWaitMs: 10 });
    const done: number[] = [];
    const running = consumer.run((batch) => {
      done.push(...numbers(batch));
      batch.ack();
    });
    await Promise.race([events.waitFor("started"), running]);
    await events.waitFor((event) => event.type === "orphansReleased" && event.messages === 2);
    await eventually("everything is acknowledged", async () => done.length >= 3 && (await made.pending()).length === 0);
    expect(new Set(done)).toEqual(new Set(range(3)));
    await consumer.close();
    expect(await running).toMatchObject({ released: 0, nameRemoved: true });
  });

  it("does not start a consumer whose group would have to be created, and says why", async () => {
    const made = bench();
    await made.add(1);
    await fill(made);
    const { consumer } = made.consumer({ connectTimeoutMs: 500 });
    await expect(consumer.run((batch) => batch.ack())).rejects.toMatchObject({ code: "SERVER_STATE", state: "OOM" });
  });
});

describe("a server that was demoted (READONLY)", () => {
  const redis = useServer({ own: true });
  const bench = useBench(redis);

  it("is asked again, over new connections, until it is the primary again", async () => {
    const made = bench();
    const { server } = made;
    const trial = await atWork(made);
    await server.command("CONFIG", "RESETSTAT");
    // Nobody is there to be followed, so that it keeps its data.
    await server.command("REPLICAOF", "127.0.0.1", "1");
    trial.finish();
    await trial.events.waitFor(refusedAck("READONLY"), { count: 2 });
    await trial.events.waitFor(refusedRead("READONLY"), { count: 3, timeoutMs: 15_000 });
    const reconnects = trial.events.all("connected").length;
    expect(await commandsAsked(server)).toBeLessThanOrEqual(mostCommands(trial.trouble()));
    expect(trial.trouble().length).toBeLessThanOrEqual(MOST_ATTEMPTS);
    expect(shortestPauseMs(trial.trouble())).toBeGreaterThanOrEqual(50);
    expect(reconnects).toBeLessThanOrEqual(trial.trouble().length + 4);
    await server.command("REPLICAOF", "NO", "ONE");
    expect(await endOf(made, trial)).toEqual(ALL_DONE_ONCE);
  });
});

describe("a server that was restarted and loads its data (LOADING)", () => {
  const redis = useServer({
    persistence: "aof",
    config: ["key-load-delay 50"],
    users: [
      { name: "default", rules: "~* &* +@all" },
      { name: "uninformed", password: "knocks", rules: "~* &* +@all -info" },
    ],
  });
  const bench = useBench(redis);

  it.each([
    ["is waited for by the connection, which asks whether it is ready", "default"],
    ["is asked again at growing intervals where the user may not ask whether it is ready", "uninformed"],
  ])("%s", async (_, user) => {
    const made = bench();
    const { server } = made;
    const trial = await atWork(made, { redis: { ...server.as(user).options } });
    await server.command("EVAL", "for n = 1, 12000 do redis.call('SET', 'filler:' .. n, n) end", 0);
    const before = trial.events.events.length;
    const restarted = server.restart();
    await trial.events.waitFor("disconnected", { after: before });
    await eventually("the server loads", async () => (await server.info("persistence"))["loading"] === "1");
    trial.finish();
    if (user === "uninformed") {
      await trial.events.waitFor(refusedAck("LOADING"), { count: 2 });
      await trial.events.waitFor(refusedRead("LOADING"), { count: 2 });
    }
    await restarted;
    expect(await commandsAsked(server)).toBeLessThanOrEqual(mostCommands(trial.trouble()));
    expect(trial.trouble().length).toBeLessThanOrEqual(MOST_ATTEMPTS);
    expect(shortestPauseMs(trial.trouble())).toBeGreaterThanOrEqual(50);
    expect(await endOf(made, trial)).toEqual(ALL_DONE_ONCE);
  });
});

describe("a server that was emptied (FLUSHALL)", () => {
  const redis = useServer({ own: true });
  const bench = useBench(redis);

  it("has its group created again, and gets the consumer's registration again", async () => {
    const made = bench();
    const { server } = made;
    const trial = await atWork(made, { leaseMs: 500 });
    await server.command("CONFIG", "RESETSTAT");
    await server.command("FLUSHALL");
    trial.finish();
    await trial.events.waitFor((event) => event.type === "groupCreated" && event.recreated);
    await eventually("the consumer is registered", async () => {
      const keys = (await server.command("KEYS", "rb:*")) as string[];
      return keys.some((key) => key.includes(":consumers:"));
    });
    expect(await commandsAsked(server)).toBeLessThanOrEqual(mostCommands(trial.trouble()));
    expect(trial.trouble().length).toBeLessThanOrEqual(MOST_ATTEMPTS);
    expect(shortestPauseMs(trial.trouble())).toBeGreaterThanOrEqual(50);
    // What was read ahead is pending for no consumer any more, and must not be acknowledged in the new group's name.
    await made.add(...range(10));
    expect(await endOf(made, trial)).toMatchObject(ALL_DONE);
  });
});

describe("a key that becomes something else (WRONGTYPE)", () => {
  const redis = useServer({ own: true });
  const bench = useBench(redis);

  it("ends run() with WrongTypeError at once, although a batch is at work", async () => {
    const made = bench();
    const { server } = made;
    const trial = await atWork(made);
    await server.command("CONFIG", "RESETSTAT");
    await server.command("SET", made.stream, "text");
    trial.finish();
    await expect(trial.running).rejects.toThrow(WrongTypeError);
    expect(trial.events.all("failed")).toMatchObject([{ error: { code: "WRONG_TYPE" } }]);
    expect(trial.events.all("stopped")).toHaveLength(1);
    expect(await commandsAsked(server)).toBeLessThanOrEqual(mostCommands(trial.trouble()));
    expect(trial.trouble().length).toBeLessThanOrEqual(MOST_ATTEMPTS);
    expect(shortestPauseMs(trial.trouble())).toBeGreaterThanOrEqual(50);
    expect(trial.trouble().filter(({ error }) => (error as { code: string }).code !== "SERVER_STATE")).toEqual([]);
    expect(trial.consumer.health()).toMatchObject({ live: false, ready: false });
  });
});

describe("a right that is taken away (NOPERM)", () => {
  const redis = useServer({
    users: [
      { name: "default", rules: "~* &* +@all" },
      { name: "worker", password: "works", rules: "~* &* +@all" },
    ],
  });
  const bench = useBench(redis);

  it.each(["xreadgroup", "xack"])(
    "ends run() with PermissionError at once, naming %s, and leaves all pending",
    async (right) => {
      const made = bench();
      const { server } = made;
      await server.command("ACL", "SETUSER", "worker", "+@all");
      const trial = await atWork(made, { redis: { ...server.as("worker").options }, leaseMs: 500 });
      await server.command("ACL", "SETUSER", "worker", `-${right}`);
      await made.add(...range(5).map((n) => n + 10));
      trial.finish();
      await expect(trial.running).rejects.toMatchObject({ code: "PERMISSION", command: right });
      expect(trial.events.all("failed")).toMatchObject([{ error: { code: "PERMISSION" } }]);
      expect(trial.events.all("stopped")).toHaveLength(1);
      expect(trial.trouble()).toEqual([]);
      await server.command("ACL", "SETUSER", "worker", "+@all");
      const { consumer } = made.consumer({ maxWaitMs: 10, recoverEveryMs: 100, leaseMs: 500 });
      const done = new Set(trial.done.keys());
      const running = consumer.run((batch) => {
        for (const n of numbers(batch)) done.add(n);
        batch.ack();
      });
      await eventually("every message is done", () => done.size === 15);
      await eventually("everything is acknowledged", async () => (await made.pending()).length === 0);
      await consumer.close();
      await running;
    },
  );
});

describe("a server that takes no more clients (maxclients)", () => {
  const redis = useServer({
    users: [
      { name: "default", rules: "~* &* +@all" },
      { name: "uninformed", password: "knocks", rules: "~* &* +@all -info" },
    ],
  });
  const bench = useBench(redis);

  it.each(["default", "uninformed"])("is knocked at until it lets the consumer in again (user %s)", async (user) => {
    const made = bench();
    const { server } = made;
    const control = new Redis(server.options);
    onTestFinished(() => control.disconnect());
    await control.ping();
    const trial = await atWork(made, { redis: { ...server.as(user).options } });
    await control.config("SET", "maxclients", 1);
    const rejected = async (): Promise<number> =>
      Number(/rejected_connections:(\d+)/.exec(await control.info("stats"))?.[1]);
    const rejectedBefore = await rejected();
    await control.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
    trial.finish();
    await trial.events.waitFor("ackFailed", { count: 3 });
    await eventually("it was refused both connections twice", async () => (await rejected()) >= rejectedBefore + 4);
    // Pauses of 50 ms and more that double: no more than a handful of attempts for each of the two connections.
    expect((await rejected()) - rejectedBefore).toBeLessThanOrEqual(MOST_ATTEMPTS);
    expect(trial.consumer.health()).toMatchObject({ live: true, ready: false });
    await control.config("SET", "maxclients", 10_000);
    expect(await endOf(made, trial)).toEqual(ALL_DONE_ONCE);
  });
});

describe("a server that hangs", () => {
  const redis = useServer({ own: true });
  const bench = useBench(redis);

  it("is reported once when reads have stalled, and once when they go on", async () => {
    const made = bench();
    const trial = await atWork(made, { blockMs: 100 });
    await made.server.freeze();
    trial.finish();
    await trial.events.waitFor("readStalled", { timeoutMs: 20_000 });
    expect(trial.consumer.health()).toMatchObject({ live: true, ready: false });
    await made.server.thaw();
    await trial.events.waitFor("readStallEnded");
    expect(await endOf(made, trial)).toMatchObject(ALL_DONE);
    const stalls = trial.events.events.filter(({ type }) => type.startsWith("readStall"));
    expect(stalls.map(({ type }) => type)).toEqual(["readStalled", "readStallEnded"]);
  });
});

describe("a primary that dies under Sentinels", () => {
  const sentinel = useServers((source) => startSentinel({ source, downAfterMs: 1_000 }));
  const bench = useBench({
    get server() {
      return sentinel.servers.primary;
    },
    skipReason: undefined,
  });

  // On a busy machine the Sentinel may take the replica for down as well, and has to begin its failover again.
  it("is followed to its successor, and every message is done there", async () => {
    const made = bench();
    const trial = await atWork(made, { redis: { ...sentinel.servers.options }, blockMs: 200 });
    const [successor] = sentinel.servers.replicas as readonly [RedisServer];
    // WAIT speaks for what its own connection has written, and that is nothing.
    const offset = async (server: RedisServer) => (await server.info("replication"))["master_repl_offset"];
    const written = await offset(made.server);
    await eventually("the replica has it all", async () => Number(await offset(successor)) >= Number(written));
    await made.server.kill();
    trial.finish();
    await trial.events.waitFor("ackFailed");
    await eventually(
      "the successor is the primary",
      async () => (await successor.info("replication"))["role"] === "master",
      {
        timeoutMs: 80_000,
      },
    );
    for (const n of range(5)) await successor.command("XADD", made.stream, "*", "n", n + 10);
    await eventually("every message is done", () => trial.done.size === 15, { timeoutMs: 30_000 });
    const acknowledged = (): number =>
      trial.events.all("acknowledged").reduce((sum, { messages }) => sum + messages, 0);
    await eventually("everything is acknowledged", () => acknowledged() >= 15);
    expect(await commandsAsked(successor)).toBeLessThanOrEqual(mostCommands(trial.trouble()));
    expect(trial.trouble().length).toBeLessThanOrEqual(MOST_ATTEMPTS);
    expect(shortestPauseMs(trial.trouble())).toBeGreaterThanOrEqual(50);
    expect(await successor.command("XPENDING", made.stream, made.group)).toEqual([0, null, null, null]);
    await trial.consumer.close();
    expect(await trial.running).toMatchObject({ released: 0, unconfirmedAcks: 0 });
  });
});
