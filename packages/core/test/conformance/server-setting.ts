import { eventually, type RedisServer, uniqueName } from "@redis-batch/test-support";
import { afterEach } from "vitest";
import type { RedisSource } from "../../src/redis/open-client.ts";
import { createRedisStreamClient, type RedisStreamClientOptions } from "../../src/redis/redis-stream-client.ts";
import type { StreamClient } from "../../src/stream-client.ts";
import type { Setting, SideDoor } from "./setting.ts";

/** The longest block a test of the conformance suite asks for. */
const BLOCK_MS = 20_000;

/** Makes settings on a real server: one client per test, over whatever source of connections is to be tested. */
export function serverSettings(
  server: () => RedisServer,
  source: () => RedisSource,
  options: Pick<RedisStreamClientOptions, "decoder"> = {},
): () => Promise<Setting> {
  const clients: StreamClient[] = [];
  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.close()));
  });
  const open = (): StreamClient => {
    const client = createRedisStreamClient({ redis: source(), blockMs: BLOCK_MS, ...options });
    clients.push(client);
    return client;
  };
  return async () => {
    const client = open();
    await client.connect(["commands", "reader"], { timeoutMs: 10_000 });
    return {
      ...{ client, stream: await nameOn(server()), sideDoor: serverSideDoor(server()), anotherClient: open },
      async elapse(ms) {
        const untilMs = (await client.time()) + ms;
        await eventually(`${ms} ms pass at the server`, async () => (await client.time()) >= untilMs);
      },
      async untilReaderWaits() {
        await eventually("a read is blocked", async () => (await server().info("clients"))["blocked_clients"] !== "0");
      },
    };
  };
}

/** A stream's name that belongs to this server, and in a Cluster to none of the others. */
export function nameOn(server: RedisServer): Promise<string> {
  return eventually("a name falls to this server", async () => {
    const name = uniqueName("stream");
    await server.command("XLEN", name);
    return name;
  });
}

function serverSideDoor(server: RedisServer): SideDoor {
  return {
    async addAt(stream, id, fields) {
      await server.command("XADD", stream, id, ...fields);
    },
    async putText(key) {
      await server.command("SET", key, "text");
    },
    async deleteKey(key) {
      await server.command("DEL", key);
    },
    async destroyGroup(stream, group) {
      await server.command("XGROUP", "DESTROY", stream, group);
    },
    async hashField(key, field) {
      const value = await server.command("HGET", key, field);
      return value === null ? null : String(value);
    },
    async putHashField(key, field, value) {
      await server.command("HSET", key, field, value);
    },
    async setIdle({ stream, group }, consumer, id, idleMs) {
      await server.command("XCLAIM", stream, group, consumer, 0, id, "IDLE", idleMs, "JUSTID");
    },
    async setDeliveries({ stream, group }, consumer, id, deliveries) {
      await server.command("XCLAIM", stream, group, consumer, 0, id, "RETRYCOUNT", deliveries, "JUSTID");
    },
  };
}
