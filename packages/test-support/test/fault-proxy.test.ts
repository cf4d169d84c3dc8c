import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { Redis } from "ioredis";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import {
  checkLeaks,
  eventually,
  FaultProxy,
  needsOwnServer,
  RedisServer,
  uniqueName,
  useServer,
} from "../src/index.ts";
import { roundTrip } from "../src/wire/round-trip.ts";

const redis = useServer();
checkLeaks(redis, { keys: true });

let proxy: FaultProxy;
beforeEach(async () => {
  proxy = await FaultProxy.start(redis.server, { seed: 42 });
  return () => proxy.stop();
});

/** With `resends: false` a command whose connection breaks is rejected at once. */
function connectClient({ resends = true } = {}): Redis {
  const common = { ...proxy.options, replyMapping: "legacy", enableReadyCheck: false } as const;
  const client = new Redis(resends ? common : { ...common, maxRetriesPerRequest: 0, retryStrategy: () => null });
  client.on("error", () => undefined);
  onTestFinished(() => client.disconnect());
  return client;
}

async function connectSocket(through: FaultProxy = proxy): Promise<Socket> {
  const socket = connect({ host: "127.0.0.1", port: through.address.port, noDelay: true });
  socket.on("error", () => undefined);
  onTestFinished(() => void socket.destroy());
  await once(socket, "connect");
  return socket;
}

/** What clients call a connection that broke under a command. */
const BROKEN = /ECONNRESET|closed|max retries/i;

function closeOf(socket: Socket): Promise<void> {
  return new Promise((resolve) => void socket.once("close", () => resolve()));
}

async function elapsedMs(action: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await action();
  return performance.now() - startMs;
}

describe("without faults", () => {
  test("passes everything on, and counts it", async () => {
    const key = uniqueName("large");
    const client = connectClient();
    const large = "0123456789".repeat(500_000);
    await client.set(key, large);
    expect(await client.get(key)).toBe(large);
    await client.del(key);
    expect(proxy.connections).toBe(1);
    expect(proxy.bytes.request).toBeGreaterThan(large.length);
    expect(proxy.bytes.reply).toBeGreaterThan(large.length);
  });

  test("passes the end of a connection on, in both directions", async () => {
    const socket = await connectSocket();
    socket.end("QUIT\r\n");
    let received = "";
    socket.setEncoding("latin1").on("data", (piece: string) => {
      received += piece;
    });
    await once(socket, "end");
    expect(received).toBe("+OK\r\n");
  });

  test("ends its clients' connections when the server dies", async (context) => {
    needsOwnServer(context, redis.server);
    await using server = await RedisServer.start();
    await using before = await FaultProxy.start(server);
    const socket = await connectSocket(before);
    const closed = closeOf(socket);
    socket.write("PING\r\n");
    await once(socket, "data");
    await server.kill();
    await closed;
    await eventually("the proxy has let go of both ends", () => before.connections === 0);
    expect(before.accepted).toBe(1);
  });
});

describe("with faults", () => {
  test("is late by the latency of both directions, without adding up over pipelined commands", async () => {
    const client = connectClient();
    await client.ping();
    proxy.set({ latencyMs: 50 });
    const oneMs = await elapsedMs(() => client.ping());
    // Node counts a timer from the beginning of a turn of its loop: each of the two may come a little early.
    expect(oneMs).toBeGreaterThan(90);
    const twentyMs = await elapsedMs(() => Promise.all(Array.from({ length: 20 }, () => client.ping())));
    expect(twentyMs).toBeLessThan(oneMs * 5);
  });

  test("lets only that many bytes through in a second", async () => {
    const key = uniqueName("slow");
    const client = connectClient();
    await client.ping();
    proxy.set({ bytesPerSecond: 50_000 });
    expect(await elapsedMs(() => client.set(key, "x".repeat(10_000)))).toBeGreaterThanOrEqual(190);
    proxy.heal();
    await client.del(key);
  });

  test("hands data over in slices", async () => {
    const socket = await connectSocket();
    proxy.set({ sliceBytes: 2 });
    const pieces: string[] = [];
    socket.setEncoding("latin1").on("data", (piece: string) => pieces.push(piece));
    socket.write("ECHO 0123456789\r\n");
    while (!pieces.join("").endsWith("0123456789\r\n")) await once(socket, "data");
    expect(pieces.length).toBeGreaterThan(1);
  });

  test("holds everything back in a black hole, connections stay open, and it passes once healed", async () => {
    const key = uniqueName("held");
    const client = connectClient();
    await client.ping();
    proxy.set({ blackhole: true });
    const written = client.set(key, "late");
    await expect(roundTrip(proxy.address, ["PING"], 100)).rejects.toThrow("no reply in 100 ms");
    expect(client.status).toBe("ready");
    expect(await redis.server.command("EXISTS", key)).toBe(0);
    proxy.heal();
    expect(await written).toBe("OK");
    await client.del(key);
  });

  test("hides the client's end from the server in a black hole", async (context) => {
    needsOwnServer(context, redis.server);
    const name = uniqueName("half-open");
    const socket = await connectSocket();
    socket.write(`CLIENT SETNAME ${name}\r\n`);
    await once(socket, "data");
    proxy.set({ blackhole: true });
    socket.destroy();
    await closeOf(socket);
    expect(String(await redis.server.command("CLIENT", "LIST"))).toContain(name);
    proxy.heal();
    const isGone = async () => !String(await redis.server.command("CLIENT", "LIST")).includes(name);
    await eventually("the server has learnt of it", isGone);
  });

  test("refuses new connections and keeps the open one", async () => {
    const client = connectClient();
    await client.ping();
    proxy.set({ refuse: true });
    await expect(roundTrip(proxy.address, ["PING"])).rejects.toThrow(/ECONNRESET|closed the connection/);
    expect(await client.ping()).toBe("PONG");
    expect(proxy.accepted).toBe(1);
  });

  test("resets open connections", async () => {
    const socket = await connectSocket();
    socket.write("PING\r\n");
    await once(socket, "data");
    const failed = once(socket, "error").catch((error: unknown) => error);
    proxy.reset();
    const [error] = (await failed) as [NodeJS.ErrnoException];
    expect(error.code).toBe("ECONNRESET");
  });
});

describe("a cut", () => {
  test("after 0 bytes of a reply loses it whole, though the command was executed", async () => {
    const stream = uniqueName("orders");
    const client = connectClient({ resends: false });
    await client.ping();
    const cut = proxy.cut("reply", 0);
    await expect(client.xadd(stream, "*", "amount", "1")).rejects.toThrow(BROKEN);
    await cut;
    expect(await redis.server.command("XLEN", stream)).toBe(1);
    await redis.server.command("DEL", stream);
  });

  test("in the middle of a request keeps the command from being executed", async () => {
    const stream = uniqueName("orders");
    const client = connectClient({ resends: false });
    await client.ping();
    const cut = proxy.cut("request", 20);
    await expect(client.xadd(stream, "*", "amount", "1")).rejects.toThrow(BROKEN);
    await cut;
    expect(await redis.server.command("EXISTS", stream)).toBe(0);
  });

  test("in the middle of a reply delivers exactly its beginning", async () => {
    const socket = await connectSocket();
    const cut = proxy.cut("reply", 4);
    let received = "";
    socket.setEncoding("latin1").on("data", (piece: string) => {
      received += piece;
    });
    socket.write("PING\r\n");
    await closeOf(socket);
    await cut;
    expect(received).toBe("+PON");
  });

  test("happens once: the next connection is whole", async () => {
    const cut = proxy.cut("reply", 0);
    await expect(roundTrip(proxy.address, ["PING"])).rejects.toThrow(BROKEN);
    await cut;
    expect(await roundTrip(proxy.address, ["PING"])).toBe("PONG");
  });
});
