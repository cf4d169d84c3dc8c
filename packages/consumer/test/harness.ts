/** A consumer on a stream of its own, with what a test needs around it. */
import { createRedisStreamClient, type StreamClient } from "@redis-batch/core/internal/connection";
import { EventRecorder, type RedisServer, type UsedServer, uniqueName } from "@redis-batch/test-support";
import { afterAll, afterEach, beforeAll } from "vitest";
import { Consumer, type ConsumerEvent, type ConsumerOptions } from "../src/index.ts";

export interface Bench {
  readonly server: RedisServer;
  readonly stream: string;
  readonly group: string;
  /** A consumer of the stream, closed after the test. */
  readonly consumer: <Value = Readonly<Record<string, string>>>(
    options?: Partial<ConsumerOptions<Value>>,
  ) => { readonly consumer: Consumer<Value>; readonly events: EventRecorder<ConsumerEvent> };
  /** Adds messages with the field `n`, as any other client would → their ids. */
  readonly add: (...values: readonly (string | number)[]) => Promise<string[]>;
  /** Ids pending in the group, with owner and delivery count. */
  readonly pending: () => Promise<{ readonly id: string; readonly consumer: string; readonly deliveries: number }[]>;
  /** Names of the group's consumers. */
  readonly names: () => Promise<string[]>;
}

/** Makes a bench per call; closes what it made after each test. */
export function useBench(redis: UsedServer): () => Bench {
  const made: AsyncDisposable[] = [];
  afterEach(async () => {
    await Promise.all(made.splice(0).map((consumer) => consumer[Symbol.asyncDispose]()));
  });
  return () => {
    const { server } = redis;
    const stream = uniqueName("stream");
    const group = "group";
    return {
      server,
      stream,
      group,
      consumer<Value = Readonly<Record<string, string>>>(options: Partial<ConsumerOptions<Value>> = {}) {
        const events = new EventRecorder<ConsumerEvent>();
        const consumer = new Consumer<Value>({
          redis: server.options,
          stream,
          group,
          batchSize: 10,
          maxWaitMs: 100,
          drainMs: 2_000,
          observer: events.observe,
          ...options,
        });
        made.push(consumer);
        return { consumer, events };
      },
      async add(...values) {
        const ids: string[] = [];
        for (const value of values) ids.push(String(await server.command("XADD", stream, "*", "n", value)));
        return ids;
      },
      async pending() {
        const reply = (await server.command("XPENDING", stream, group, "-", "+", 10_000)) as [
          string,
          string,
          number,
          number,
        ][];
        return reply.map(([id, consumer, , deliveries]) => ({ id, consumer, deliveries }));
      },
      async names() {
        const reply = (await server.command("XINFO", "CONSUMERS", stream, group)) as unknown[][];
        return reply.map((info) => String(info[1]));
      },
    };
  };
}

/** A connected client, for what only monitors and operators ask of a group. */
export function useClient(redis: UsedServer): () => StreamClient {
  let client: StreamClient | undefined;
  beforeAll(async () => {
    client = createRedisStreamClient({ redis: redis.server.options, blockMs: 0 });
    await client.connect(["commands"], { timeoutMs: 10_000 });
  });
  afterAll(() => client?.close());
  return () => client as StreamClient;
}

/** The numbers 0 … count - 1. */
export const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

/** The values of the field `n`, in the order of the batch. */
export const numbers = (batch: Iterable<{ readonly fields: Readonly<Record<string, string>> }>): number[] =>
  [...batch].map((message) => Number(message.fields["n"]));
