import { findServer, RedisServer } from "@redis-batch/test-support";

/** The pending messages of a group. */
export interface PendingMessages {
  readonly messages: number;
  readonly byConsumer: ReadonlyMap<string, number>;
}

/** A server for the demo, and the demo's own stream on it. */
export interface DemoServer extends AsyncDisposable {
  readonly url: string;
  /** Such as `Redis 8.0.2 at redis://127.0.0.1:10123`. */
  readonly description: string;
  readonly stream: string;
  pending(group: string): Promise<PendingMessages>;
}

/** Redis' reply: the number, the lowest and highest id, and the number per consumer. */
type PendingSummary = [number, string | null, string | null, [string, string][] | null];

/**
 * Starts a server in its own folder, or uses the one at REDIS_BATCH_TEST_URL and cleans up after itself. If this machine
 * has no server, one is downloaded (see test support).
 */
export async function startDemoServer(): Promise<DemoServer> {
  const source = await findServer();
  const server = source.kind === "external" ? RedisServer.external(source.url) : await RedisServer.start({ source });
  const stream = `redis-commits-${process.pid}`;
  const { valkey_version: valkey, redis_version: redis } = await server.info("server");
  const name = valkey === undefined ? `Redis ${redis}` : `Valkey ${valkey}`;
  return {
    url: server.url,
    description: `${name} at ${server.host}:${server.port}`,
    stream,
    pending: async (group) => {
      const [messages, , , consumers] = (await server.command("XPENDING", stream, group)) as PendingSummary;
      return { messages, byConsumer: new Map(consumers?.map(([consumer, held]) => [consumer, Number(held)])) };
    },
    [Symbol.asyncDispose]: async () => {
      if (server.external) await removeStream(server, stream);
      await server.stop();
    },
  };
}

/** Deletes a stream and the keys that Redis Batch keeps beside it. */
export async function removeStream(server: RedisServer, stream: string): Promise<void> {
  await server.command("DEL", stream);
  let cursor = "0";
  do {
    const page = await server.command("SCAN", cursor, "MATCH", `rb:{${stream}}:*`, "COUNT", 1_000);
    const [next, keys] = page as [string, string[]];
    if (keys.length > 0) await server.command("DEL", ...keys);
    cursor = next;
  } while (cursor !== "0");
}
