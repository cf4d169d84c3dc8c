import { EventRecorder } from "@redis-batch/test-support";
import { afterEach } from "vitest";
import { createRedisStreamClient, type RedisStreamClientOptions } from "../src/redis/redis-stream-client.ts";
import type { ConnectionEvent, StreamClient } from "../src/stream-client.ts";

export interface RecordedClient {
  readonly client: StreamClient;
  readonly events: EventRecorder<ConnectionEvent>;
}

/** Makes clients, not connected, that are closed after each test. */
export function useClients(): (
  options: Pick<RedisStreamClientOptions, "redis"> & Partial<RedisStreamClientOptions>,
) => RecordedClient {
  const clients: StreamClient[] = [];
  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.close()));
  });
  return (options) => {
    const events = new EventRecorder<ConnectionEvent>();
    const client = createRedisStreamClient({ blockMs: 5_000, report: events.observe, ...options });
    clients.push(client);
    return { client, events };
  };
}

/** Opens both connections. */
export async function connected(recorded: RecordedClient): Promise<RecordedClient> {
  await recorded.client.connect(["commands", "reader"], { timeoutMs: 10_000 });
  return recorded;
}
