/** A failover in the middle of a clean-up: what the old primary confirmed and the new one never heard of is not lost, and nobody is taken for dead. */
import { createRedisStreamClient, type StreamClient } from "@redis-batch/core/internal/connection";
import { RELEASED } from "@redis-batch/core/internal/names";
import { EventRecorder, eventually, startSentinel, uniqueName, useServers } from "@redis-batch/test-support";
import { expect, it } from "vitest";
import { Monitor, type MonitorEvent } from "../src/index.ts";

const sentinel = useServers((source) => startSentinel({ source, downAfterMs: 1_000 }));
const LEASE_MS = 2_000;

// On a busy machine the Sentinel may take the replica for down as well, and has to begin its failover again.
it("loses nothing, and finishes on the successor", async () => {
  const redis = { ...sentinel.servers.options };
  const address = { stream: uniqueName("stream"), group: "group" };
  const client: StreamClient = createRedisStreamClient({ redis, blockMs: 0 });
  const heartbeat = (consumer: string): Promise<unknown> =>
    client.heartbeat({ ...address, consumer, incarnation: consumer, leaseMs: LEASE_MS, details: {} });
  await client.connect(["commands", "reader"], { timeoutMs: 30_000 });
  await client.xgroupCreate({ ...address, position: "start" });
  const items = Array.from({ length: 2_000 }, () => ({ stream: address.stream, fields: ["n", 1] }));
  const ids = (await client.xaddMany(items)).map(String);
  await heartbeat("dead");
  await client.xreadgroup({ ...address, consumer: "dead", count: 2_000 });
  await client.xgroupCreateConsumer({ ...address, consumer: "alive" });
  // It goes on through the failover, as a consumer does.
  const beating = setInterval(() => void heartbeat("alive").catch(() => undefined), 200);
  const events = new EventRecorder<MonitorEvent>();
  const monitor = new Monitor({ redis, ...address, observer: events.observe });
  try {
    const running = monitor.run({ intervalMs: 500, autoCleanUp: true });
    await events.waitFor("handedOver", { timeoutMs: 30_000 });
    await sentinel.servers.primary.kill();
    const names = async (): Promise<string> =>
      (await client.xinfoConsumers(address)).map(({ name, pending }) => `${name} ${pending}`).join();
    await eventually(
      "it is all released, and the dead one is gone",
      async () => (await names()) === `alive 0,${RELEASED} 2000`,
      {
        timeoutMs: 100_000,
      },
    );
    const pending = await client.xpendingRange({ ...address, from: "-", to: "+", count: 10_000 });
    expect(pending.map(({ id, consumer }) => [id, consumer])).toEqual(ids.map((id) => [id, RELEASED]));
    const removed = events.all("consumerRemoved").map(({ consumer }) => consumer);
    expect(new Set(removed)).toEqual(new Set(["dead"]));
    await monitor.close();
    await running;
  } finally {
    clearInterval(beating);
    await monitor.close();
    await client.close();
  }
});
