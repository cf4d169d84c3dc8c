import { inspect } from "node:util";
import {
  type AclUser,
  addEntry,
  checkLeaks,
  eventually,
  RedisServer,
  startCluster,
  uniqueName,
  useServer,
  useServers,
} from "@redis-batch/test-support";
import { Cluster } from "ioredis";
import { Cluster as ClusterV5, Redis as RedisV5 } from "ioredis-v5";
import { describe, expect, onTestFinished, test } from "vitest";
import { ConfigError, PermissionError } from "../src/errors/errors.ts";
import { RELEASED } from "../src/names/reserved-consumers.ts";
import { connected, useClients } from "./use-clients.ts";

const makeClient = useClients();
const PASSWORD = "correct-horse";
const user = (name: string, rules: string): AclUser => ({ name, password: PASSWORD, rules: `+@all ~* ${rules}` });

describe("a server with passwords", () => {
  const redis = useServer({
    users: [
      { name: "default", password: PASSWORD, rules: "+@all ~*" },
      user("no-xadd", "-xadd"),
      user("other-keys", "resetkeys ~other:*"),
      user("no-xack", "-xack"),
      user("no-command", "-command"),
      user("no-client", "-client"),
      user("no-info", "-info"),
      user("no-select", "-select"),
    ],
  });
  checkLeaks(redis);
  const as = (name: string) => connected(makeClient({ redis: { ...redis.server.as(name).options } }));

  test("lets in who has the right one, by URL and by options", async () => {
    for (const source of [redis.server.url, { ...redis.server.options }]) {
      const { client } = await connected(makeClient({ redis: source }));
      expect(await client.time()).toBeGreaterThan(0);
    }
  });

  // ioredis goes on in database 0, where others' messages are.
  test.each([
    ["ioredis 6", (address: object) => ({ ...address, db: 99 })],
    ["ioredis 5", (address: object) => new RedisV5({ ...address, db: 99, lazyConnect: true })],
  ])("does nothing in another database than the one that is meant, over %s", async (_, source) => {
    const { client } = makeClient({ redis: source(redis.server.options) });
    const error: unknown = await client.connect(["commands"], { timeoutMs: 20_000 }).catch((reason: unknown) => reason);
    expect(ConfigError.is(error) && error.message).toContain("database 99");
    await expect(client.xlen({ stream: "s" })).rejects.toMatchObject({ code: "CONNECTION", outcome: "not-sent" });
    // The next attempts end the same, however many at once. (Node warns of too many listeners on one socket.)
    const warnings: Error[] = [];
    const note = (warning: Error): void => void warnings.push(warning);
    process.on("warning", note);
    onTestFinished(() => void process.off("warning", note));
    const ends = await Promise.allSettled(
      Array.from({ length: 20 }, () => client.connect(["commands"], { timeoutMs: 20_000 })),
    );
    for (const end of ends) expect(end).toMatchObject({ status: "rejected", reason: { code: "CONFIG" } });
    expect(warnings.filter(({ name }) => name === "MaxListenersExceededWarning")).toEqual([]);
  });

  describe.each([
    ["a wrong password", { username: "default", password: "hunter2" }],
    ["an unknown user", { username: "nobody", password: "hunter2" }],
    ["no password", {}],
  ])("refuses %s", (_, credentials) => {
    const address = () => ({ host: redis.server.host, port: redis.server.port, ...credentials });
    const sources = [
      ["ioredis 6", address],
      ["ioredis 5", () => new RedisV5({ ...address(), lazyConnect: true })],
    ] as const;

    test.each(sources)(
      "at once, with a PermissionError that does not tell the password, over %s",
      async (__, source) => {
        const { client, events } = makeClient({ redis: source() });
        const error: unknown = await client
          .connect(["commands", "reader"], { timeoutMs: 20_000 })
          .catch((reason: unknown) => reason);
        expect(PermissionError.is(error)).toBe(true);
        const told = inspect([error, events.events], { depth: null, showHidden: true });
        expect(told).not.toContain("hunter2");
        await expect(client.time()).rejects.toMatchObject({ code: "CONNECTION", outcome: "not-sent" });
      },
    );
  });

  test("nor does it where the right to change the database is missing, until that is granted", async () => {
    const { client } = makeClient({ redis: { ...redis.server.as("no-select").options, db: 1 } });
    const connect = () => client.connect(["commands"], { timeoutMs: 20_000 });
    await expect(connect()).rejects.toMatchObject({ code: "PERMISSION" });
    await expect(client.xlen({ stream: "s" })).rejects.toMatchObject({ code: "CONNECTION", outcome: "not-sent" });
    await expect(connect()).rejects.toMatchObject({ code: "PERMISSION" });
    await redis.server.command("ACL", "SETUSER", "no-select", "+select");
    await connect();
    expect(await client.xlen({ stream: "s" })).toBe(0);
    await redis.server.command("ACL", "SETUSER", "no-select", "-select");
  });

  test("a later connect after the password was fixed succeeds", async () => {
    await redis.server.command("ACL", "SETUSER", "late", "on", ">first", "+@all", "~*");
    const address = { host: redis.server.host, port: redis.server.port, username: "late", password: "second" };
    const { client } = makeClient({ redis: address });
    await expect(client.connect(["commands"], { timeoutMs: 5_000 })).rejects.toMatchObject({ code: "PERMISSION" });
    await redis.server.command("ACL", "SETUSER", "late", ">second");
    const connect = () => client.connect(["commands"], { timeoutMs: 5_000 }).then(() => true);
    await eventually("the new password is taken", connect);
    expect(await client.time()).toBeGreaterThan(0);
  });

  test("a missing right to a command is a PermissionError that names it", async () => {
    const { client } = await as("no-xadd");
    const add = addEntry(client, { stream: uniqueName("s"), fields: ["card", "hunter2"] });
    const error: unknown = await add.catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "PERMISSION", command: "xadd", retryable: false });
    expect(String(error)).toMatch(/xadd: .*ACL SETUSER/);
    expect(inspect(error, { depth: null, showHidden: true })).not.toContain("hunter2");
  });

  test("a missing right to a key is a PermissionError as well", async () => {
    const { client } = await as("other-keys");
    const error = { code: "PERMISSION", command: "xlen" };
    await expect(client.xlen({ stream: uniqueName("s") })).rejects.toMatchObject(error);
    expect(await client.xlen({ stream: "other:stream" })).toBe(0);
  });

  test("a missing right inside a script is one that names the operation, and nothing is done", async () => {
    const { client } = await as("no-xack");
    const stream = uniqueName("s");
    await client.xgroupCreate({ stream, group: "g", position: "start" });
    const id = await addEntry(client, { stream, fields: ["n", 1] });
    const own = { stream, group: "g", consumer: "c" };
    await client.xreadgroup({ ...own, count: 1 });
    await expect(client.ackOwned({ ...own, ids: [id] })).rejects.toMatchObject({
      code: "PERMISSION",
      command: "ackOwned",
    });
    const moving = client.moveToDeadLetters({ ...own, id, reason: "r", error: "" });
    await expect(moving).rejects.toMatchObject({ code: "PERMISSION", command: "moveToDeadLetters" });
    expect(await client.xpendingRange({ ...own, from: "-", to: "+", count: 10 })).toMatchObject([
      { id, deliveries: 1 },
    ]);
  });

  test("where COMMAND is not granted, nothing is known about the server's commands", async () => {
    const { client } = await as("no-command");
    expect(await client.knowsCommands(["xadd"])).toBeNull();
  });

  test("where CLIENT is not granted, a read that should end early just runs out", async () => {
    const { client } = await as("no-client");
    const stream = uniqueName("s");
    await client.xgroupCreate({ stream, group: "g", position: "start" });
    const controller = new AbortController();
    const read = client.xreadgroup({ stream, group: "g", consumer: "c", count: 1, blockMs: 100 }, controller.signal);
    controller.abort();
    expect(await read).toEqual([]);
  });

  test("where INFO is not granted, everything works", async () => {
    const { client } = await as("no-info");
    expect(await client.time()).toBeGreaterThan(0);
  });

  test("a Cluster is not waited for longer than allowed when the password is wrong", async () => {
    const nodes = [{ host: redis.server.host, port: redis.server.port }];
    const lent = new Cluster(nodes, { lazyConnect: true, redisOptions: { password: "hunter2" } });
    const { client } = makeClient({ redis: lent });
    const error: unknown = await client.connect(["commands"], { timeoutMs: 500 }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: expect.stringMatching(/PERMISSION|CONNECTION/) as unknown });
    expect(inspect(error, { depth: null, showHidden: true })).not.toContain("hunter2");
  });
});

const withoutCommands = (...names: readonly string[]) => names.map((name) => `rename-command ${name} ""`);

describe("a server that does not offer a command", () => {
  const redis = useServer({ config: withoutCommands("XADD", "COMMAND", "INFO", "CLIENT") });
  const open = () => connected(makeClient({ redis: redis.server.url }));

  test("refuses it with a PermissionError that does not repeat the payload", async () => {
    const { client } = await open();
    const add = addEntry(client, { stream: "s", fields: ["card", "hunter2"] });
    const error: unknown = await add.catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "PERMISSION", command: "xadd", refusal: "command", retryable: false });
    expect(inspect(error, { depth: null, showHidden: true })).not.toContain("hunter2");
  });

  test("inside a script the error names operation and command, by the line that the server tells", async () => {
    const { client } = await open();
    const add = client.addOnce({ stream: "s", fields: ["card", "hunter2"], idempotencyKey: "k", rememberMs: 1_000 });
    const error: unknown = await add.catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "PERMISSION", command: "addOnce", refusal: "command" });
    expect(String(error)).toContain(
      "addOnce calls XADD: the server, or a proxy in front of it, does not offer this command",
    );
    expect(inspect(error, { depth: null, showHidden: true })).not.toContain("hunter2");
  });

  test("says which ones it offers, also where COMMAND is not", async () => {
    const { client } = await open();
    expect(await client.knowsCommands(["xadd"])).toBeNull();
    expect(await client.info()).toBeNull();
    const names = ["command", "info", "client", "time", "eval", "script", "zadd"] as const;
    const offered = await Promise.all(names.map((name) => client.isOffered(name)));
    expect(offered).toEqual([false, false, false, true, true, true, true]);
  });

  test("without CLIENT, a read that should end early just runs out", async () => {
    const { client } = await open();
    const stream = uniqueName("s");
    await client.xgroupCreate({ stream, group: "g", position: "start" });
    const controller = new AbortController();
    const read = client.xreadgroup({ stream, group: "g", consumer: "c", count: 1, blockMs: 100 }, controller.signal);
    controller.abort();
    expect(await read).toEqual([]);
  });

  test("comes back without INFO after the connection was lost, over ioredis 5 and 6", async () => {
    for (const source of [{ ...redis.server.options }, new RedisV5({ ...redis.server.options, lazyConnect: true })]) {
      const { client, events } = await connected(makeClient({ redis: source }));
      await redis.server.restart();
      await events.waitFor(({ type, role }) => type === "connected" && role === "commands", { count: 2 });
      expect(await client.time()).toBeGreaterThan(0);
      await client.close();
    }
  });
});

describe("a Cluster that does not offer commands", () => {
  const config = withoutCommands("INFO", "CLIENT", "COMMAND", "EVAL");
  const cluster = useServers((source) => startCluster({ source, primaries: 2, config }));

  test("is connected to and asked without INFO, and scripts are loaded into each of its masters", async () => {
    for (const lent of [
      new Cluster(cluster.servers.startupNodes, { lazyConnect: true }),
      new ClusterV5(cluster.servers.startupNodes, { lazyConnect: true }),
    ]) {
      const { client } = await connected(makeClient({ redis: lent }));
      for (const stream of ["a", "b", "c", "d"].map(uniqueName)) {
        const options = { stream, fields: ["n", 1], rememberMs: 60_000, idempotencyKey: "k" };
        const ends = [await client.addOnce(options), await client.addOnce(options)];
        expect(ends.map(({ added }) => added)).toEqual([true, false]);
      }
      await client.close();
    }
  });
});

describe("scripts", () => {
  test.each([
    [[], "eval"],
    [["EVALSHA"], "eval"],
    [["SCRIPT"], "eval"],
    [["EVALSHA", "SCRIPT"], "eval"],
    [["EVAL"], "script load"],
  ])("run on a server without %j", async (missing) => {
    await using server = await RedisServer.start({ config: withoutCommands(...missing) });
    const { client } = await connected(makeClient({ redis: server.url }));
    const add = (key: string) =>
      client.addOnce({ stream: "s", fields: ["n", 1], rememberMs: 60_000, idempotencyKey: key });
    const ends = [await add("a"), await add("b"), await add("a")];
    expect(ends.map(({ added }) => added)).toEqual([true, true, false]);
    // Each of several at once, as well: what the first has found out is not known to the others.
    const together = await Promise.all(["c", "d", "c"].map(add));
    expect(together.map(({ added }) => added)).toEqual([true, true, false]);
    // Another script of the same connection.
    const lease = { leaseKey: "rb:{s}:lease:x", stateKey: null, holder: "me", leaseMs: 10_000, heardOf: 0 };
    expect(await client.holdLease(lease)).toMatchObject({ isHeld: true });
  });

  test.each([
    [["EVAL", "EVALSHA"], "addOnce: .*unknown command 'eval"],
    [["EVAL", "SCRIPT"], "addOnce: .*unknown command 'eval'"],
  ])("name EVAL where nothing else helps: without %j", async (missing, words) => {
    await using server = await RedisServer.start({ config: withoutCommands(...missing) });
    const { client } = await connected(makeClient({ redis: server.url }));
    const add = client.addOnce({ stream: "s", fields: ["n", 1], rememberMs: 60_000, idempotencyKey: "a" });
    const error: unknown = await add.catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "PERMISSION", command: "addOnce", refusal: "command" });
    expect(String(error)).toMatch(new RegExp(words));
  });
});

describe("a server that is full", () => {
  const redis = useServer({ config: ["maxmemory-policy noeviction"] });
  checkLeaks(redis);

  test("refuses adds for now, and still takes acknowledgements, hand-backs, dead letters and heartbeats", async () => {
    const { client } = await connected(makeClient({ redis: redis.server.url }));
    const stream = uniqueName("s");
    const own = { stream, group: "g", consumer: "c" };
    await client.xgroupCreate({ stream, group: "g", position: "start" });
    const ids: string[] = [];
    for (const n of [1, 2, 3, 4]) ids.push(await addEntry(client, { stream, fields: ["n", n] }));
    const [first = "", second = "", third = "", fourth = ""] = ids;
    await client.xreadgroup({ ...own, count: 4 });
    await redis.server.command("CONFIG", "SET", "maxmemory", "1");
    const full = { code: "SERVER_STATE", state: "OOM", retryable: true };
    await expect(addEntry(client, { stream, fields: ["n", 5] })).rejects.toMatchObject(full);
    await expect(
      client.addOnce({ stream, fields: ["n", 5], idempotencyKey: "k", rememberMs: 1_000 }),
    ).rejects.toMatchObject(full);
    expect(await client.xack({ ...own, ids: [first] })).toBe(1);
    expect(await client.ackOwned({ ...own, ids: [second] })).toMatchObject({ acknowledged: [second] });
    expect(await client.moveToDeadLetters({ ...own, id: third, reason: "r", error: "" })).toMatchObject({
      kind: "dead-lettered",
    });
    const address = { stream, group: "g" };
    await client.scheduleLater({ ...address, delays: [{ id: fourth, delayMs: 1 }] });
    const { due } = await eventually("it is due", async () => {
      const read = await client.readDue({ ...address, limit: 1 });
      return read.due.length > 0 && read;
    });
    expect(await client.forgetDue({ ...address, due })).toBe(1);
    expect(await client.countHang({ ...address, id: fourth, rememberMs: 60_000 })).toBe(1);
    await client.touchConsumer(own);
    expect(await client.release({ ...address, from: "c", to: RELEASED, offered: [fourth], neverOffered: [] })).toEqual({
      ...{ moved: 1, trimmed: [] },
    });
    const bounds = { after: null, scan: 9, count: 9, maxBytes: 99, suspectFrom: 9, suspects: 0, notWanted: [] };
    expect((await client.take({ ...own, ...bounds })).entries).toHaveLength(1);
    const uncount = { stream, group: "g", from: "c", to: "c", neverOffered: [fourth], offered: [] };
    expect(await client.release(uncount)).toMatchObject({ moved: 1 });
    expect((await client.renewOwned({ ...own, ids: [fourth] })).get(fourth)).toBe("kept");
    expect((await client.redeliverOwn({ ...own, messages: [{ id: fourth, deliveries: 1 }] })).entries).toHaveLength(1);
    // A consumer that empties it must not seem dead.
    const heartbeat = { ...own, incarnation: "i", leaseMs: 60_000, details: {} };
    expect(await client.heartbeat({ ...heartbeat, join: { freshMs: 1_000 } })).toMatchObject({ kind: "ok" });
    await redis.server.command("CONFIG", "SET", "maxmemory", "0");
    await addEntry(client, { stream, fields: ["n", 5] });
  });
});

describe("a replica", () => {
  const redis = useServer({ own: true });

  test("refuses writes for now, and the connection is made again because the primary may be elsewhere", async () => {
    await using replica = await RedisServer.start({ replicaOf: redis.server });
    const { client, events } = await connected(makeClient({ redis: replica.url }));
    const add = addEntry(client, { stream: uniqueName("s"), fields: ["n", 1] });
    await expect(add).rejects.toMatchObject({ code: "SERVER_STATE", state: "READONLY", retryable: true });
    await events.waitFor(({ type, role }) => type === "connected" && role === "commands", { count: 2 });
    await client.close();
  });
});

describe("a server that is busy with somebody's script", () => {
  const redis = useServer({ config: ["lua-time-limit 20"] });
  checkLeaks(redis);

  test("refuses for now, and works again afterwards", async () => {
    const { client } = await connected(makeClient({ redis: redis.server.url }));
    const endless = redis.server.command("EVAL", "while true do end", 0);
    endless.catch(() => {});
    const stream = uniqueName("s");
    const busy = await eventually("the server is busy", () =>
      addEntry(client, { stream, fields: ["n", 1] }).then(
        () => undefined,
        (reason: unknown) => reason,
      ),
    );
    expect(busy).toMatchObject({ code: "SERVER_STATE", state: "BUSY", retryable: true });
    await redis.server.command("SCRIPT", "KILL");
    await eventually("the script has ended", () => addEntry(client, { stream, fields: ["n", 2] }));
  });
});

describe("a server that has forgotten its scripts", () => {
  const redis = useServer({ own: true });
  checkLeaks(redis);

  test("is told them again", async () => {
    const { client } = await connected(makeClient({ redis: redis.server.url }));
    const options = { stream: uniqueName("s"), fields: ["n", 1], rememberMs: 60_000 };
    const first = await client.addOnce({ ...options, idempotencyKey: "a" });
    await redis.server.command("SCRIPT", "FLUSH");
    const second = await client.addOnce({ ...options, idempotencyKey: "b" });
    const third = await client.addOnce({ ...options, idempotencyKey: "c" });
    const entries = await client.xrange({ stream: options.stream, from: "-", to: "+", count: 10 });
    expect(entries.map(({ id }) => id)).toEqual([first.id, second.id, third.id]);
  });
});
