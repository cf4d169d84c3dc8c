import { expect, test } from "vitest";
import { RedisServer, uniqueName, useServer } from "../src/index.ts";

const redis = useServer();

test("answers commands", async () => {
  const stream = uniqueName("orders");
  await redis.server.command("XADD", stream, "1-1", "amount", 12);
  expect(await redis.server.command("XRANGE", stream, "-", "+")).toEqual([["1-1", ["amount", "12"]]]);
  await redis.server.command("DEL", stream);
});

test("keeps what it acknowledged over SIGKILL and restart, on the same port, with persistence aof", async () => {
  await using server = await RedisServer.start({ persistence: "aof" });
  const { port, pid } = server;
  await server.command("XADD", "orders", "*", "amount", 12);
  await server.kill();
  expect(server.running).toBe(false);
  await server.restart();
  expect(await server.command("XLEN", "orders")).toBe(1);
  expect(server.port).toBe(port);
  expect(server.pid).not.toBe(pid);
});
