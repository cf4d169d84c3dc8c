/** Monitors on a Redis in memory and a clock that stands still. */
import type { ConnectionEvent, StreamClient } from "@redis-batch/core/internal/connection";
import { heartbeatMsOf } from "@redis-batch/core/internal/groups";
import { addEntry, EventRecorder, ManualClock } from "@redis-batch/test-support";
import { createMemoryServer, type MemoryServer } from "@redis-batch/testing/internal";
import type { MonitorEvent, MonitorOptions } from "../src/index.ts";
import { Monitor } from "../src/monitor.ts";

export const LEASE_MS = 60_000;
export const address = { stream: "orders", group: "billing" } as const;

export interface MemoryBench {
  readonly clock: ManualClock;
  readonly redis: MemoryServer;
  readonly client: StreamClient;
  readonly monitor: (
    options?: Partial<MonitorOptions>,
    wrap?: (client: StreamClient) => StreamClient,
  ) => {
    readonly monitor: Monitor;
    readonly events: EventRecorder<MonitorEvent>;
    /** Tells the monitor what its connection would. */
    readonly tell: (event: ConnectionEvent) => void;
  };
  readonly add: (count: number) => Promise<string[]>;
  readonly read: (consumer: string, count: number) => Promise<string[]>;
  readonly heartbeat: (consumer: string) => Promise<void>;
  /** Sends heartbeats from now on, as often as our consumers do. */
  readonly keepHeartbeat: (consumer: string) => Promise<void>;
  /** Lets time pass until something has ended that waits for it → its result. */
  readonly passing: <Result>(running: Promise<Result>) => Promise<Result>;
  /** Owners of what is pending, by id. */
  readonly owners: () => Promise<Map<string, string>>;
}

/** A stream with an empty group, and as many monitors as a test wants. */
export async function openInMemory(): Promise<MemoryBench> {
  const clock = new ManualClock();
  const redis = createMemoryServer({ clock });
  const client = redis.client();
  await client.connect(["commands", "reader"], { timeoutMs: 1_000 });
  await client.xgroupCreate({ ...address, position: "start" });
  const heartbeat = async (consumer: string): Promise<void> => {
    await client.heartbeat({ ...address, consumer, incarnation: consumer, leaseMs: LEASE_MS, details: {} });
  };
  const keepHeartbeat = async (consumer: string): Promise<void> => {
    clock.setTimer(heartbeatMsOf(LEASE_MS), () => void keepHeartbeat(consumer));
    await heartbeat(consumer);
  };
  return {
    ...{ clock, redis, client, heartbeat, keepHeartbeat },
    monitor(options = {}, wrap = (one) => one) {
      const events = new EventRecorder<MonitorEvent>();
      let tell: (event: ConnectionEvent) => void = () => {};
      const given = { redis: "redis://memory", ...address, graceMs: 0, observer: events.observe, ...options };
      const monitor = new Monitor(given, {
        clock,
        random: () => 0,
        createClient: ({ report = () => {} }) => {
          tell = report;
          return wrap(redis.client({ report }));
        },
      });
      return { monitor, events, tell: (event) => tell(event) };
    },
    async add(count) {
      const ids: string[] = [];
      for (let index = 0; index < count; index++) {
        ids.push(await addEntry(client, { stream: address.stream, fields: ["n", index] }));
      }
      return ids;
    },
    async read(consumer, count) {
      return (await client.xreadgroup({ ...address, consumer, count })).map(({ id }) => id);
    },
    async passing(running) {
      const over = { yet: false };
      const end = (): void => {
        over.yet = true;
      };
      void running.then(end, end);
      while (!over.yet) await clock.advance(500);
      return running;
    },
    async owners() {
      const pending = await client.xpendingRange({ ...address, from: "-", to: "+", count: 100_000 });
      return new Map(pending.map(({ id, consumer }) => [id, consumer]));
    },
  };
}
