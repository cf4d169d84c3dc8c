/**
 * The rights that `redis-batch acl` prints. As users with exactly these, everybody does all that the role promises, and the
 * server logs no refusal. What else they could do is asked of the server, for every command that it has.
 */
// oxlint-disable vitest/no-standalone-expect -- the methods of Work are called by the tests, and check what they did
import { Consumer, type ConsumerEvent, DeadLetters, Producer } from "@redis-batch/consumer";
import { deadLetterKey } from "@redis-batch/core";
import {
  aclRules,
  CLUSTER_RULES,
  createRedisStreamClient,
  extrasOf,
  type Role,
  type StreamClient,
} from "@redis-batch/core/internal/connection";
import { bookkeepingKeys, groupKey, RELEASED } from "@redis-batch/core/internal/names";
import { Monitor } from "@redis-batch/monitor";
import { type Executor, Scaler, type ScalerEvent } from "@redis-batch/scaler";
import {
  EventRecorder,
  eventually,
  fairNowMs,
  findServer,
  ownServersOnly,
  RedisServer,
  type ServerVersion,
  startCluster,
} from "@redis-batch/test-support";
import { Cluster, Redis } from "ioredis";
import { Cluster as Cluster5, Redis as Redis5 } from "ioredis-v5";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";

ownServersOnly("several");

const ROLES: readonly Role[] = ["producer", "consumer", "monitor", "scaler", "deadLetters", "groups", "dashboard"];
const STREAM = "{eu}:orders";
const GROUP = "billing";
const DEAD = deadLetterKey(STREAM, GROUP);
const OTHER = "{eu}:other";
/** Keys that no role may touch: of an application, and of another stream in the same slot. */
const FOREIGN = [OTHER, deadLetterKey(OTHER, GROUP), groupKey("consumers", OTHER, GROUP), `${STREAM}2`];

const INSPECT = ["xinfo|stream", "xinfo|groups", "xinfo|consumers"];
const KEYLESS = ["info"];
const NO_MORE = { stream: [], dead: [] };

/**
 * What a role may do to these keys, of all commands that write, read, or are dangerous: as it is printed without `--with`,
 * and what comes with everything that can be requested.
 */
const MAY: Readonly<
  Record<Role, { readonly keyless: readonly string[]; readonly plain: OnKeys; readonly requested: OnKeys }>
> = {
  producer: { keyless: KEYLESS, plain: { stream: ["xadd"], dead: [] }, requested: NO_MORE },
  consumer: {
    keyless: [...KEYLESS, "client|unblock"],
    plain: {
      stream: [
        ...["xreadgroup", "xack", "xclaim", "xpending", "xrange", "xinfo|stream", "xinfo|groups"],
        ...["xgroup|create", "xgroup|createconsumer", "xgroup|delconsumer"],
      ],
      dead: ["xadd", "xrange"],
    },
    requested: { stream: ["xdel", "xackdel"], dead: [] },
  },
  monitor: {
    keyless: KEYLESS,
    plain: { stream: [...INSPECT, "xpending", "xrange", "xclaim", "xgroup|delconsumer"], dead: ["xinfo|stream"] },
    requested: { stream: ["xtrim"], dead: [] },
  },
  scaler: { keyless: KEYLESS, plain: { stream: INSPECT, dead: [] }, requested: NO_MORE },
  deadLetters: {
    keyless: KEYLESS,
    plain: { stream: [], dead: ["xrange", "xrevrange", "xlen", "xinfo|stream"] },
    requested: { stream: ["xrange", "xpending", "xclaim", "xinfo|groups", "xadd"], dead: ["xdel", "xadd"] },
  },
  dashboard: {
    keyless: KEYLESS,
    plain: { stream: [...INSPECT, "xpending"], dead: ["xinfo|stream"] },
    requested: { stream: ["xrange", "xclaim", "xadd"], dead: ["xdel"] },
  },
  groups: {
    keyless: KEYLESS,
    plain: {
      stream: [
        ...[...INSPECT, "xpending", "xlen", "xrange", "xclaim"],
        ...["xgroup|create", "xgroup|setid", "xgroup|destroy"],
      ],
      dead: ["xlen"],
    },
    requested: { stream: ["xack"], dead: ["xadd"] },
  },
};

interface OnKeys {
  readonly stream: readonly string[];
  readonly dead: readonly string[];
}

interface ServerCommand {
  /** Such as `xgroup|create`. */
  readonly name: string;
  /** How many words follow the name, at least. */
  readonly least: number;
}

/** All commands of a server that write, read, or are dangerous. */
async function commandsOf(server: RedisServer): Promise<readonly ServerCommand[]> {
  const categories = ["write", "dangerous", "read"];
  const lists = await Promise.all(
    categories.map((category) => server.command("COMMAND", "LIST", "FILTERBY", "ACLCAT", category)),
  );
  const names = [...new Set((lists as string[][]).flat())];
  const infos = (await server.command("COMMAND", "INFO", ...names)) as [string, number][];
  return infos.map(([name, arity]) => ({ name, least: Math.abs(arity) - name.split("|").length }));
}

/** A command with its key wherever it could stand. */
function callOn(key: string, { name, least }: ServerCommand): readonly string[] {
  if (name === "xread") return ["xread", "STREAMS", key, "0"];
  if (name === "xreadgroup") return ["xreadgroup", "GROUP", GROUP, "c", "STREAMS", key, ">"];
  return [...name.split("|"), ...Array.from({ length: least }, () => key)];
}

/** Which of these commands a user may run on a key, as the server says. */
async function allowed(
  admin: Redis,
  user: string,
  key: string,
  commands: readonly ServerCommand[],
): Promise<readonly string[]> {
  const asked = admin.pipeline();
  for (const command of commands) asked.call("ACL", "DRYRUN", user, ...callOn(key, command));
  const answers = (await asked.exec()) ?? [];
  const wrong = answers.flatMap(([error], index) =>
    error === null ? [] : [`${commands[index]?.name}: ${error.message}`],
  );
  expect(wrong).toEqual([]);
  return commands.filter((_, index) => answers[index]?.[1] === "OK").map(({ name }) => name);
}

interface Place extends AsyncDisposable {
  readonly nodes: readonly RedisServer[];
  readonly cluster: boolean;
}

async function startPlace(version: ServerVersion, cluster: boolean): Promise<Place> {
  const source = await findServer({ version });
  if (source.kind === "external") throw new Error("a version is never an external server");
  if (cluster) {
    const topology = await startCluster({ source, primaries: 2 });
    return { nodes: topology.nodes, cluster, [Symbol.asyncDispose]: () => topology.stop() };
  }
  // Nobody comes in who does not say who they are.
  const users = [
    { name: "default", rules: "off -@all" },
    { name: "admin", password: "admin", rules: "~* &* +@all" },
  ];
  const server = await RedisServer.start({ source, users, speakAs: "admin" });
  return { nodes: [server], cluster, [Symbol.asyncDispose]: () => server.stop() };
}

/** Creates the users of all roles, on each node. */
async function createUsers({ nodes, cluster }: Place, version: ServerVersion): Promise<void> {
  const hasAckDelete = version === "redis-8.6";
  const everything = (role: Role) =>
    extrasOf(role).filter((extra) => extra !== "payloads" && (extra !== "xackdel" || hasAckDelete));
  for (const node of nodes) {
    for (const role of ROLES) {
      for (const [user, options] of [
        [role, { extras: everything(role) }],
        [`plain-${role}`, {}],
        [`least-${role}`, { least: true }],
      ] as const) {
        const rules = aclRules(role, STREAM, { ...options, cluster });
        await node.command("ACL", "SETUSER", user, "reset", "resetchannels", "on", ">p", ...rules);
      }
    }
    await node.command("ACL", "LOG", "RESET");
  }
}

const refusals = async (place: Place): Promise<readonly string[]> => {
  const logs = await Promise.all(place.nodes.map((node) => node.command("ACL", "LOG")));
  return logs.flatMap((log) => (log as unknown[][]).map((entry) => entry.map(String).join(" ")));
};

const executor: Executor = {
  name: "numbers",
  status: async () => ({ desired: 1, ready: 1, startingMs: [], startUpsMs: [] }),
  scale: async () => {},
};

/** All that the roles do, by users with these rights. */
class Work {
  readonly #place: Place;
  readonly #major: 5 | 6;

  constructor(place: Place, major: 5 | 6) {
    this.#place = place;
    this.#major = major;
  }

  as(user: string) {
    const { nodes, cluster } = this.#place;
    const login = { username: user, password: "p" };
    const seeds = nodes.map(({ host, port }) => ({ host, port }));
    if (cluster) {
      // Ours ask no node for CLUSTER INFO, which no role may do; a client that is used as it is would wait for it.
      const options = { lazyConnect: true, enableReadyCheck: false, redisOptions: login };
      return this.#major === 5 ? new Cluster5(seeds, options) : new Cluster(seeds, options);
    }
    const options = { ...seeds[0], ...login, lazyConnect: true };
    return this.#major === 5 ? new Redis5(options) : new Redis(options);
  }

  /** The node that has the stream answers; others point to it. */
  async admin(...words: readonly (string | number)[]): Promise<unknown> {
    let reply: unknown;
    for (const node of this.#place.nodes) {
      try {
        return await node.command(...words);
      } catch (error) {
        if (!String(error).includes("MOVED")) throw error;
        reply = error;
      }
    }
    throw reply;
  }

  async createUser(name: string, rules: readonly string[]): Promise<void> {
    for (const node of this.#place.nodes) await node.command("ACL", "SETUSER", name, "reset", "on", ">p", ...rules);
  }

  async produce(): Promise<void> {
    await using producer = new Producer({ redis: this.as("producer"), stream: STREAM });
    for (const how of ["ack", "retry", "later", "dead", "dead"]) await producer.add({ how });
    const once = [await producer.add({ how: "ack" }, { idempotencyKey: "k" })];
    once.push(await producer.add({ how: "ack" }, { idempotencyKey: "k" }));
    expect(new Set(once).size).toBe(1);
  }

  /** A message in the hands of somebody who died. */
  async leaveOrphan(): Promise<void> {
    await this.admin("XADD", STREAM, "*", "how", "ack");
    await this.admin("XREADGROUP", "GROUP", GROUP, "dead", "COUNT", 1, "STREAMS", STREAM, ">");
    const heartbeat = { v: 1, at: Date.now() - 3_600_000, incarnation: "x", leaseMs: 300 };
    await this.admin("HSET", groupKey("consumers", STREAM, GROUP), "dead", JSON.stringify(heartbeat));
  }

  /** A consumer that is alive, and does nothing. */
  async join(consumer: string): Promise<void> {
    await this.admin("XGROUP", "CREATECONSUMER", STREAM, GROUP, consumer);
    const heartbeat = { v: 1, at: Date.now(), incarnation: "x", leaseMs: 60_000 };
    await this.admin("HSET", groupKey("consumers", STREAM, GROUP), consumer, JSON.stringify(heartbeat));
  }

  async consume(user: string, expected: number): Promise<void> {
    const events = new EventRecorder<ConsumerEvent>();
    const consumer = new Consumer({
      ...{ redis: this.as(user), stream: STREAM, group: GROUP, observer: events.observe },
      ...{ onAck: user === "consumer" ? "delete" : "keep", batchSize: 2, maxWaitMs: 20, blockMs: 100 },
      ...{ leaseMs: 2_000, recoverEveryMs: 100, retry: { baseMs: 1, capMs: 5 } },
    });
    let ended = 0;
    const running = consumer.run((batch) => {
      for (const message of batch) {
        const { how } = message.fields;
        if (how === "later" && message.deliveries === 1) message.retry({ delayMs: 3_600_000 });
        else if (how === "retry" && message.deliveries === 1) message.retry({ delayMs: 1 });
        else if (how === "dead") message.deadLetter("as it should");
        else message.ack();
        if (how !== "retry" || message.deliveries > 1) ended++;
      }
    });
    await Promise.race([running, eventually("every message has an outcome", async () => ended >= expected)]);
    const mayRemove = user !== "least-consumer";
    expect(await consumer.close()).toMatchObject({ unconfirmedAcks: 0, nameRemoved: mayRemove });
    await running;
    for (const type of ["failed", "recoveryFailed", "deadLetterFailed", "delaysInMemory"] as const) {
      expect(events.all(type)).toEqual([]);
    }
  }

  /** Works on several streams, of which it keeps the messages of each customer in order, as the only one in each group. */
  async consumeInOrder(streams: readonly string[], group: string, user: string): Promise<void> {
    const mayRemove = user !== "least-several";
    for (const stream of streams) {
      await this.admin("XGROUP", "CREATE", stream, group, "$", "MKSTREAM");
      for (const [n, customer] of ["ada", "bob", "ada", "bob"].entries()) {
        await this.admin("XADD", stream, "*", "customer", customer, "n", n);
      }
      if (!mayRemove) continue;
      // The first message is in the hands of somebody who died.
      await this.admin("XREADGROUP", "GROUP", group, "dead", "COUNT", 1, "STREAMS", stream, ">");
      const heartbeat = { v: 1, at: Date.now() - 3_600_000, incarnation: "x", leaseMs: 300 };
      await this.admin("HSET", groupKey("consumers", stream, group), "dead", JSON.stringify(heartbeat));
    }
    const events = new EventRecorder<ConsumerEvent>();
    const ordered = {
      ...{ redis: this.as(user), streams, group, orderBy: "customer", observer: events.observe },
      ...{
        batchSize: 2,
        maxWaitMs: 20,
        blockMs: 100,
        leaseMs: 600,
        recoverEveryMs: 100,
        retry: { baseMs: 1, capMs: 5 },
      },
    };
    const consumer = new Consumer(ordered);
    const done: string[] = [];
    const running = consumer.run((batch) => {
      for (const messages of batch.byKey().values()) {
        for (const message of messages) {
          const { n, customer } = message.fields;
          if (n === "1" && message.deliveries === 1) {
            message.retry();
            break;
          }
          done.push(`${message.stream} ${customer} ${n}`);
          message.ack();
        }
      }
    });
    const isDone = async (): Promise<boolean> => done.length === 4 * streams.length;
    await Promise.race([running, eventually("all is done", isDone)]);
    for (const stream of streams) {
      const of = (customer: string) => done.filter((name) => name.startsWith(`${stream} ${customer}`));
      expect([...of("ada"), ...of("bob")]).toEqual(
        ["ada 0", "ada 2", "bob 1", "bob 3"].map((name) => `${stream} ${name}`),
      );
      expect(await this.admin("HGET", groupKey("consumers", stream, group), "rb:alone")).toBe(consumer.name);
    }
    const another = new Consumer({ ...ordered, redis: this.as(user), observer: () => {} });
    await expect(another.run(() => {})).rejects.toMatchObject({ code: "CONFIG" });
    await another.close();
    expect(await consumer.close()).toMatchObject({ unconfirmedAcks: 0, nameRemoved: mayRemove });
    await running;
    for (const type of ["failed", "streamFailed", "recoveryFailed", "readFailed"] as const) {
      expect(events.all(type)).toEqual([]);
    }
  }

  async buryTheDead(): Promise<void> {
    await using letters = new DeadLetters({ redis: this.as("deadLetters"), stream: STREAM, group: GROUP });
    const { letters: page } = await letters.list();
    expect((await letters.list({ newestFirst: true })).letters).toHaveLength(2);
    expect((await letters.summarise()).examined).toBe(2);
    expect(page).toHaveLength(2);
    expect(await letters.redrive({ ids: page.slice(0, 1).map(({ id }) => id) })).toMatchObject({ redriven: 1 });
    expect(await letters.discard({ ids: page.slice(1).map(({ id }) => id) })).toBe(1);
  }

  async watch(): Promise<void> {
    await using monitor = new Monitor({ redis: this.as("monitor"), stream: STREAM, group: GROUP, graceMs: 0 });
    const [group] = (await monitor.inspect()).groups;
    expect(group?.later.messages).toBe(3);
    expect((await monitor.cleanUp()).groups[0]).toMatchObject({
      removed: expect.arrayContaining(["dead"]) as string[],
    });
    await monitor.trim();
    expect(await monitor.pause({ by: "me" })).toMatchObject({ by: "me" });
    expect(await monitor.resume()).toMatchObject({ by: "me" });
    const running = monitor.run({ intervalMs: 100 });
    await Promise.race([running, eventually("it leads", async () => monitor.health().leading === true)]);
    await monitor.close();
    await running;
  }

  async scale(): Promise<void> {
    const events = new EventRecorder<ScalerEvent>();
    const scaler = new Scaler({ redis: this.as("scaler"), stream: STREAM, group: GROUP, observer: events.observe });
    const running = scaler.run({ intervalMs: 100, executor });
    await Promise.race([running, events.waitFor("decided")]);
    await scaler.close();
    await running;
  }

  async manage(): Promise<void> {
    const client = createRedisStreamClient({ redis: this.as("groups"), blockMs: 0 });
    await client.connect(["commands"], { timeoutMs: 5_000 });
    try {
      await manageGroups(client);
    } finally {
      await client.close();
    }
  }
}

async function manageGroups(client: StreamClient): Promise<void> {
  const [stream, group] = [STREAM, "new"];
  await client.xgroupCreate({ stream, group, position: "start" });
  await client.xgroupSetId({ stream, group, position: "end" });
  await client.xinfoConsumers({ stream, group });
  await client.dueTimes({ stream, group, ids: ["1-1"] });
  await client.xlen({ stream: deadLetterKey(stream, group) });
  await client.registry({ stream, group });
  const move = { from: "nobody", to: RELEASED, foreignIdleMs: 0, toUnregistered: true };
  await client.handOver({ stream, group, ...move, ids: ["1-1"] });
  // As the commands on single messages do.
  await client.xack({ stream, group, ids: ["1-1"] });
  await client.release({ stream, group, from: "nobody", to: RELEASED, offered: ["1-1"], neverOffered: [] });
  await client.forgetDue({ stream, group, due: [{ id: "1-1", atMs: 1 }] });
  await client.moveToDeadLetters({ stream, group, consumer: "nobody", id: "1-1", reason: "rejected", error: "" });
  expect(await client.xgroupDestroy({ stream, group })).toBe(true);
  await client.unlink({ keys: bookkeepingKeys(stream, group) });
}

interface Setting {
  readonly version: ServerVersion;
  readonly cluster: boolean;
  readonly major: 5 | 6;
}

const SETTINGS: readonly Setting[] = [
  { version: "redis-7.0", cluster: false, major: 6 },
  { version: "redis-7.0", cluster: true, major: 5 },
  { version: "redis-8.6", cluster: false, major: 5 },
  { version: "redis-8.6", cluster: true, major: 6 },
  { version: "valkey-9.1", cluster: false, major: 6 },
  { version: "valkey-9.1", cluster: true, major: 6 },
];

describe.each(SETTINGS)("on $version, cluster: $cluster, ioredis $major", ({ version, cluster, major }) => {
  let place: Place;
  let work: Work;
  const printed = vi.spyOn(console, "warn");

  beforeAll(async () => {
    place = await startPlace(version, cluster);
    await createUsers(place, version);
    work = new Work(place, major);
  });
  afterAll(() => place?.[Symbol.asyncDispose]());

  test("each role does all it promises, and nothing is refused or printed", async () => {
    await work.produce();
    await work.admin("XGROUP", "CREATE", STREAM, GROUP, 0);
    await work.leaveOrphan();
    await work.consume("plain-consumer", 7);
    await work.buryTheDead();
    await work.produce();
    await work.consume("consumer", 6);
    await work.produce();
    await work.consume("least-consumer", 5);
    await work.leaveOrphan();
    await work.join("alive");
    await work.watch();
    // The server does not know the lag any more: a message that waits was deleted.
    await work.produce();
    const [, , [id] = []] = (await work.admin("XRANGE", STREAM, "-", "+")) as string[][];
    await work.admin("XDEL", STREAM, id ?? "");
    await work.scale();
    await work.manage();
    expect(await refusals(place)).toEqual([]);
    expect(printed.mock.calls).toEqual([]);
  });

  test("a consumer of several streams, which keeps messages in order, needs the rights to each and to read them together", async () => {
    // In a Cluster two of them are in one slot, and the third has a connection of its own.
    const streams = [STREAM, "{eu}:refunds", "mails"];
    await work.createUser("several", aclRules("consumer", streams, { cluster }));
    await work.createUser("least-several", aclRules("consumer", streams, { cluster, least: true }));
    await work.consumeInOrder(streams, "ordered", "several");
    await work.consumeInOrder(streams, "least-ordered", "least-several");
    expect(await refusals(place)).toEqual([]);
    for (const stream of streams) {
      expect(await work.admin("HEXISTS", groupKey("consumers", stream, "ordered"), "rb:alone")).toBe(0);
    }
    expect(printed.mock.calls).toEqual([]);
  });

  test("no role may do anything else, to any key, by any command of the server", async () => {
    const [server] = place.nodes;
    if (server === undefined) throw new Error("no server");
    const commands = await commandsOf(server);
    expect(commands.length).toBeGreaterThan(150);
    const known = new Set(commands.map(({ name }) => name));
    const found: Record<string, OnKeys & { readonly foreign: readonly string[] }> = {};
    const expected: typeof found = {};
    const sorted = (...names: readonly string[]) => [...new Set(names)].filter((name) => known.has(name)).toSorted();
    const admin = new Redis({ ...server.options, enableReadyCheck: false });
    try {
      for (const role of ROLES) {
        const { keyless, plain, requested } = MAY[role];
        for (const [user, more] of [
          [`plain-${role}`, NO_MORE],
          [role, requested],
        ] as const) {
          const on = async (key: string) => sorted(...(await allowed(admin, user, key, commands)));
          found[user] = {
            ...{ stream: await on(STREAM), dead: await on(DEAD) },
            foreign: sorted(...(await Promise.all(FOREIGN.map(on))).flat()),
          };
          expected[user] = {
            stream: sorted(...keyless, ...plain.stream, ...more.stream),
            ...{ dead: sorted(...keyless, ...plain.dead, ...more.dead), foreign: sorted(...keyless) },
          };
        }
      }
    } finally {
      admin.disconnect();
    }
    expect(found).toEqual(expected);
  });

  test("a script gives no more rights", async () => {
    await work.admin("XADD", STREAM, "*", "n", 1);
    await work.admin("XADD", DEAD, "*", "n", 1);
    const state = async () => [await work.admin("DUMP", STREAM), await work.admin("DUMP", DEAD)];
    const before = await state();
    const own = groupKey("consumers", STREAM, GROUP);
    const attempts = [STREAM, DEAD].flatMap((key) => [
      ...[
        ["DEL", key],
        ["UNLINK", key],
        ["SET", key, "x"],
        ["GETDEL", key],
        ["RENAME", key, own],
        ["RENAME", own, key],
      ],
      ...[
        ["COPY", own, key, "REPLACE"],
        ["RESTORE", key, "0", "x", "REPLACE"],
        ["EXPIRE", key, "1"],
        ["XSETID", key, "1-1"],
      ],
      ...[["XTRIM", key, "MAXLEN", "0"], ["XDEL", key, "1-1"], ["FLUSHALL"], ["XADD", OTHER, "*", "n", "1"]],
    ]);
    const end = async (asked: Promise<unknown>) => asked.then(() => "done", String);
    for (const role of ROLES) {
      const client = work.as(`plain-${role}`);
      try {
        for (const words of attempts) {
          const [name = "", ...rest] = words;
          const lua = `return redis.call('${name}', unpack(ARGV))`;
          const ends = [
            await end(client.call(name, ...rest)),
            await end(client.call("eval", lua, "1", STREAM, ...rest)),
          ];
          expect([
            role,
            words,
            ...ends.map((text) => /NOPERM|permission|ACL failure|can't (run|access)/i.test(text)),
          ]).toEqual([role, words, true, true]);
        }
      } finally {
        client.disconnect();
      }
    }
    expect(await state()).toEqual(before);
  });

  test("who lacks a right learns which, for which key, and how to grant it", async () => {
    await work.createUser(
      "nobody",
      aclRules("producer", STREAM, { cluster, least: true }).filter((rule) => !rule.includes("+xadd")),
    );
    await using producer = new Producer({ redis: work.as("nobody"), stream: STREAM });
    const pattern = "~{eu}:orders";
    await expect(producer.add({ n: 1 })).rejects.toMatchObject({
      ...{ code: "PERMISSION", command: "xadd", rules: [`(${pattern} +xadd)`] },
      message: expect.stringContaining(
        `A producer needs it. Grant it: ACL SETUSER <user> "(${pattern} +xadd)"`,
      ) as string,
    });
    await using letters = new DeadLetters({ redis: work.as("plain-deadLetters"), stream: STREAM, group: GROUP });
    await expect(letters.discard({ ids: ["1-1"] })).rejects.toMatchObject({
      message: expect.stringContaining("A manager of dead letters needs it.") as string,
      rules: ["(~rb:{eu}:dead:{eu}%3Aorders:* +xdel)"],
    });
    await work.createUser(
      "half",
      aclRules("monitor", STREAM, { cluster }).map((rule) => rule.replace(" +hget ", " ")),
    );
    await work.leaveOrphan();
    await using monitor = new Monitor({
      redis: work.as("half"),
      stream: STREAM,
      group: GROUP,
      graceMs: 0,
      observer: () => {},
    });
    await expect(monitor.cleanUp()).rejects.toMatchObject({
      message: expect.stringMatching(/calls HGET: this user lacks a right/) as string,
      rules: ["(~rb:{eu}:consumers:{eu}%3Aorders:* +hget)"],
    });
  });

  // Only a Cluster is asked for its slots.
  test.each(cluster ? CLUSTER_RULES : [])(
    "without %s it is no Cluster that cannot be found, but a right that is missing, at once",
    async (missing) => {
      const rules = aclRules("producer", STREAM, { cluster }).filter((rule) => rule !== missing);
      await work.createUser("outside", rules);
      await using producer = new Producer({ redis: work.as("outside"), stream: STREAM, observer: () => {} });
      const sinceMs = fairNowMs();
      await expect(producer.add({ n: 1 })).rejects.toMatchObject({
        ...{ code: "PERMISSION", rules: CLUSTER_RULES },
        message: expect.stringContaining("Grant it: ACL SETUSER <user> +cluster|slots") as string,
      });
      expect(fairNowMs() - sinceMs).toBeLessThan(2_000);
    },
  );
});
