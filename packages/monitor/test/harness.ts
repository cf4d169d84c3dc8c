/** A monitor on a stream of its own, with consumers of both kinds around it. */
import { setTimeout as pause } from "node:timers/promises";
import { createRedisStreamClient, type StreamClient } from "@redis-batch/core/internal/connection";
import { EventRecorder, type RedisServer, type UsedServer, uniqueName } from "@redis-batch/test-support";
import { afterEach } from "vitest";
import { Monitor, type MonitorEvent, type MonitorOptions } from "../src/index.ts";

export interface Bench {
  readonly server: RedisServer;
  readonly stream: string;
  readonly group: string;
  /** A monitor of the group, closed after the test. It may clean up at once, unless told otherwise. */
  readonly monitor: (options?: Partial<MonitorOptions>) => {
    readonly monitor: Monitor;
    readonly events: EventRecorder<MonitorEvent>;
  };
  /** A client of the port, closed after the test. */
  readonly client: () => Promise<StreamClient>;
  readonly createGroup: (group?: string) => Promise<void>;
  /** Adds messages with the field `n` → their ids. */
  readonly add: (count: number) => Promise<string[]>;
  /** Reads as a plain client does that knows nothing of us → the ids. */
  readonly read: (consumer: string, count: number, group?: string) => Promise<string[]>;
  /** Writes a heartbeat into the registry, as our consumers do. */
  readonly heartbeat: (consumer: string, heartbeat?: HeartbeatOptions) => Promise<void>;
  /** Ids pending in the group, with owner and delivery count. */
  readonly pending: (
    group?: string,
  ) => Promise<{ readonly id: string; readonly consumer: string; readonly deliveries: number }[]>;
  /** How many messages are pending for each consumer that has any. */
  readonly loads: () => Promise<Record<string, number>>;
  /** Names of the group's consumers. */
  readonly names: () => Promise<string[]>;
  /** A consumer's own idle time, by the server. */
  readonly idleMs: (consumer: string) => Promise<number>;
  /** Has a consumer ask for new messages again and again, until the test is over: it is never idle for long. */
  readonly keepReading: (consumer: string) => void;
  /** Names in the group's registry. */
  readonly registered: () => Promise<string[]>;
  /** Makes these messages look as if nobody had touched them for that long. */
  readonly age: (consumer: string, ids: readonly string[], idleMs?: number) => Promise<void>;
}

export interface HeartbeatOptions {
  readonly leaseMs?: number;
  readonly details?: Readonly<Record<string, string | number | boolean>>;
  /** How long ago the heartbeat says it was, in milliseconds. With it the lease is short, unless one is given. */
  readonly agoMs?: number;
}

export const LEASE_MS = 60_000;
/** Of those that are dead: they are watched for three heartbeats before anything is taken from them. */
const DEAD_LEASE_MS = 300;
/** Beyond every lease and every threshold. */
export const LONG_MS = 3_600_000;

/** Makes a bench per call; closes what it made after each test. */
export function useBench(redis: UsedServer): () => Bench {
  const made: (() => Promise<void>)[] = [];
  afterEach(async () => {
    await Promise.all(made.splice(0).map((close) => close()));
  });
  return () => {
    const { server } = redis;
    const stream = uniqueName("stream");
    const group = "group";
    const registry = `rb:{${stream}}:consumers:${stream}:${group}`;
    const client = async (): Promise<StreamClient> => {
      const one = createRedisStreamClient({ redis: server.options, blockMs: 0 });
      made.push(() => one.close());
      await one.connect(["commands", "reader"], { timeoutMs: 10_000 });
      return one;
    };
    let opened: Promise<StreamClient> | undefined;
    const ownClient = (): Promise<StreamClient> => {
      opened ??= client();
      return opened;
    };
    const pending = async (of = group) => {
      const reply = (await server.command("XPENDING", stream, of, "-", "+", 100_000)) as [
        string,
        string,
        number,
        number,
      ][];
      return reply.map(([id, consumer, , deliveries]) => ({ id, consumer, deliveries }));
    };
    return {
      ...{ server, stream, group, client, pending },
      monitor(options = {}) {
        const events = new EventRecorder<MonitorEvent>();
        const which = options.groups === undefined ? { group } : {};
        const monitor = new Monitor({
          ...{ redis: server.options, stream, ...which, graceMs: 0, observer: events.observe },
          ...options,
        });
        made.push(() => monitor.close());
        return { monitor, events };
      },
      async createGroup(name = group) {
        await server.command("XGROUP", "CREATE", stream, name, 0, "MKSTREAM");
      },
      async add(count) {
        const items = Array.from({ length: count }, (_, index) => ({ stream, fields: ["n", index] }));
        return (await (await ownClient()).xaddMany(items)).map(String);
      },
      async read(consumer, count, of = group) {
        const reply = await server.command("XREADGROUP", "GROUP", of, consumer, "COUNT", count, "STREAMS", stream, ">");
        const [[, entries]] = (reply ?? [[stream, []]]) as [[string, [string, string[]][]]];
        return entries.map(([id]) => id);
      },
      async heartbeat(consumer, { agoMs = 0, leaseMs = agoMs === 0 ? LEASE_MS : DEAD_LEASE_MS, details = {} } = {}) {
        const own = await ownClient();
        // The server may just have come back.
        await own.connect(["commands"], { timeoutMs: 10_000 });
        await own.heartbeat({ stream, group, consumer, incarnation: consumer, leaseMs, details });
        if (agoMs === 0) return;
        const field = JSON.parse(String(await server.command("HGET", registry, consumer))) as { at: number };
        await server.command("HSET", registry, consumer, JSON.stringify({ ...field, at: field.at - agoMs }));
      },
      async loads() {
        const loads: Record<string, number> = {};
        for (const { consumer } of await pending()) loads[consumer] = (loads[consumer] ?? 0) + 1;
        return loads;
      },
      async names() {
        const reply = (await server.command("XINFO", "CONSUMERS", stream, group)) as unknown[][];
        return reply.map((info) => String(info[1])).toSorted();
      },
      async idleMs(consumer) {
        const reply = (await server.command("XINFO", "CONSUMERS", stream, group)) as unknown[][];
        return Number(reply.find((info) => info[1] === consumer)?.[5]);
      },
      keepReading(consumer) {
        const over = new AbortController();
        const reading = (async () => {
          const read = ["XREADGROUP", "GROUP", group, consumer, "STREAMS", stream, ">"] as const;
          while (!over.signal.aborted) await Promise.all([server.command(...read), pause(50)]);
        })();
        made.push(async () => {
          over.abort();
          await reading;
        });
      },
      async registered() {
        return ((await server.command("HKEYS", registry)) as string[]).toSorted();
      },
      async age(consumer, ids, idleMs = LONG_MS) {
        await server.command("XCLAIM", stream, group, consumer, 0, ...ids, "IDLE", idleMs, "JUSTID");
      },
    };
  };
}
