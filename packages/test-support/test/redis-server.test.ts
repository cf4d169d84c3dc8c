import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { Redis } from "ioredis";
import { describe, expect, test } from "vitest";
import {
  checkLeaks,
  needsOwnServer,
  ownServersOnly,
  RedisServer,
  ReplyError,
  uniqueName,
  useServer,
} from "../src/index.ts";
import { isProcessAlive } from "../src/processes/process-state.ts";
import { roundTrip } from "../src/wire/round-trip.ts";

const redis = useServer();
checkLeaks(redis, { keys: true });

describe("a server", () => {
  test("answers commands, whatever their replies look like", async () => {
    const stream = uniqueName("orders");
    await redis.server.command("XADD", stream, "1-1", "amount", 12);
    expect(await redis.server.command("XRANGE", stream, "-", "+")).toEqual([["1-1", ["amount", "12"]]]);
    expect(await redis.server.command("XLEN", stream)).toBe(1);
    expect(await redis.server.command("GET", uniqueName("missing"))).toBeNull();
    await expect(redis.server.command("INCR", stream)).rejects.toMatchObject({ code: "WRONGTYPE" });
    expect(await redis.server.command("DEL", stream)).toBe(1);
  });

  test("answers with more than fits into one piece", async () => {
    const key = uniqueName("large");
    const large = "0123456789".repeat(100_000);
    await redis.server.command("SET", key, Buffer.from(large));
    expect(await redis.server.command("GET", key)).toBe(large);
    await redis.server.command("DEL", key);
  });

  test("tells what INFO says, field by field", async () => {
    expect((await redis.server.info("server"))["redis_version"]).toMatch(/^\d+\.\d+\.\d+$/);
    expect((await redis.server.info("replication"))["role"]).toBe("master");
  });

  test("takes an ioredis client by its URL and by its options", async () => {
    for (const client of [
      new Redis(redis.server.url, { replyMapping: "legacy" }),
      new Redis({ ...redis.server.options, replyMapping: "legacy" }),
    ]) {
      expect(await client.ping()).toBe("PONG");
      client.disconnect();
    }
  });
});

describe("a server of our own", () => {
  ownServersOnly();

  test("keeps what it confirmed over SIGKILL and restart, on the same port, with persistence aof", async () => {
    await using server = await RedisServer.start({ persistence: "aof" });
    const { port, pid } = server;
    await server.command("XADD", "orders", "*", "amount", 12);
    await server.kill();
    expect(server.running).toBe(false);
    await expect(server.command("PING")).rejects.toThrow("ECONNREFUSED");
    await server.restart();
    expect(await server.command("XLEN", "orders")).toBe(1);
    expect(server.port).toBe(port);
    expect(server.pid).not.toBe(pid);
  });

  test("has its data edited before a restart, while no client can reach it", async () => {
    await using server = await RedisServer.start({ persistence: "aof", listen: "tcp" });
    await server.command("SET", "kept", "1");
    const seen: unknown[] = [];
    await server.restart({
      async edit(command) {
        seen.push(await command("GET", "kept"));
        await command("SET", "edited", "1");
        seen.push(await server.command("PING").catch(() => "unreachable"));
      },
    });
    expect(seen).toEqual(["1", "unreachable"]);
    expect(await server.command("MGET", "kept", "edited")).toEqual(["1", "1"]);
  });

  test("has its data edited also while the server rewrites its file by itself", async () => {
    await using server = await RedisServer.start({ persistence: "aof", listen: "tcp" });
    await server.restart({
      async edit(command) {
        // Slow enough to be at work when the edit ends.
        await command("CONFIG", "SET", "rdb-key-save-delay", 1_000);
        for (let key = 0; key < 300; key++) await command("SET", `key ${key}`, "1");
        await command("BGREWRITEAOF");
      },
    });
    expect(await server.command("DBSIZE")).toBe(300);
  });

  test("loses everything over a restart with persistence none", async () => {
    await using server = await RedisServer.start();
    await server.command("XADD", "orders", "*", "amount", 12);
    await server.restart();
    expect(await server.command("XLEN", "orders")).toBe(0);
  });

  test("answers nothing while frozen, its connections open, and goes on when thawed", async () => {
    await using server = await RedisServer.start();
    const client = new Redis({ ...server.options, replyMapping: "legacy" });
    await client.ping();
    await server.freeze();
    let answered = false;
    const reply = client.set("answered", "yes").then(() => {
      answered = true;
      return answered;
    });
    // The connection is accepted by the kernel, but nobody behind it replies.
    await expect(roundTrip(server.address, ["PING"], 100)).rejects.toThrow("PING: no reply in 100 ms");
    expect(answered).toBe(false);
    await server.thaw();
    await reply;
    client.disconnect();
  });

  test("can be stopped and killed while frozen, and stopped twice", async () => {
    const server = await RedisServer.start();
    await server.freeze();
    await server.stop();
    await server.stop();
    expect(server.running).toBe(false);
  });

  test("leaves no process, no folder and no listener behind", async () => {
    const server = await RedisServer.start({ listen: "socket", persistence: "aof" });
    const { pid } = server;
    const folder = dirname(server.address.path ?? "");
    expect(await server.command("PING")).toBe("PONG");
    expect(existsSync(folder)).toBe(true);
    await server.stop();
    expect(existsSync(folder)).toBe(false);
    // In a container it is none of this machine's processes.
    expect(pid !== undefined && isProcessAlive(pid)).toBe(false);
  });

  test("shows its log when it does not start", async () => {
    await expect(RedisServer.start({ config: ["no-such-directive yes"] })).rejects.toThrow(
      /ended \(exit code 1\).*no-such-directive/s,
    );
  });

  test("knows its users, and lets each do what its rules say", async () => {
    await using server = await RedisServer.start({
      users: [{ name: "producer", password: "p@ss:word/1", rules: "%W~orders* +xadd" }],
    });
    const { options, url } = server.as("producer");
    const byOptions = new Redis({ ...options, replyMapping: "legacy", enableReadyCheck: false });
    const byUrl = new Redis(url, { replyMapping: "legacy", enableReadyCheck: false });
    for (const client of [byOptions, byUrl]) {
      expect(await client.xadd("orders", "*", "amount", "1")).toMatch(/^\d+-\d+$/);
      await expect(client.xlen("orders")).rejects.toThrow("NOPERM");
      client.disconnect();
    }
    expect(await server.command("XLEN", "orders")).toBe(2);
    expect(() => server.as("nobody")).toThrow('without an ACL user "nobody"');
  });

  test("starts when its default user may do nothing, and speaks as another", async () => {
    await using server = await RedisServer.start({
      users: [
        { name: "default", rules: "off" },
        { name: "admin", password: "secret", rules: "~* &* +@all" },
      ],
      speakAs: "admin",
    });
    expect(await server.command("ACL", "WHOAMI")).toBe("admin");
    await server.restart();
    expect(await server.command("ACL", "WHOAMI")).toBe("admin");
  });

  test.each(["server", "mutual"] as const)("speaks TLS (%s)", async (mode) => {
    await using server = await RedisServer.start({ tls: mode });
    expect(await server.command("PING")).toBe("PONG");
    const client = new Redis({ ...server.options, replyMapping: "legacy" });
    expect(await client.ping()).toBe("PONG");
    client.disconnect();
    expect(server.url).toMatch(/^rediss:/);
  });

  test("refuses a client without certificate under mutual TLS", async () => {
    await using server = await RedisServer.start({ tls: "mutual" });
    const { ca } = server.address.tls ?? {};
    const client = new Redis({
      ...server.options,
      tls: { ca },
      replyMapping: "legacy",
      retryStrategy: () => null,
      maxRetriesPerRequest: 0,
    });
    client.on("error", () => undefined);
    await expect(client.ping()).rejects.toThrow(/closed|ECONNRESET|certificate|MaxRetries/i);
    client.disconnect();
  });
});

describe("the shared server of REDIS_BATCH_TEST_URL", () => {
  test("lends its commands, and refuses what only an own server can", async (context) => {
    needsOwnServer(context, redis.server);
    const shared = RedisServer.external(redis.server.url);
    expect(shared.external).toBe(true);
    expect(await shared.command("PING")).toBe("PONG");
    await expect(shared.kill()).rejects.toThrow("only a server of our own can be killed; this one is shared");
    await expect(shared.restart()).rejects.toThrow("shared");
    await expect(shared.freeze()).rejects.toThrow("shared");
    await shared.stop();
    expect(await redis.server.command("PING")).toBe("PONG");
  });
});

test("an error reply is thrown with its code", async () => {
  await expect(redis.server.command("NOSUCHCOMMAND")).rejects.toBeInstanceOf(ReplyError);
});
