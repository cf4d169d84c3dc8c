/** Streams as consumers leave them: who is registered, who died, what is pending. */
import { setTimeout as pause } from "node:timers/promises";
import type { Monitor } from "@redis-batch/monitor";
import type { Redis } from "ioredis";

const LEASE_MS = 600_000;
/** Of the dead one: three heartbeats of it are a third of a second. */
const DEAD_LEASE_MS = 300;
const LONG_MS = 3_600_000;
const STEP = 2_000;

/** A stream whose messages are all pending for a consumer that has been silent for long, and two that live. */
export async function leaveBehind(redis: Redis, stream: string, group: string, messages: number): Promise<void> {
  await redis.xgroup("CREATE", stream, group, "0", "MKSTREAM");
  for (let left = messages; left > 0; left -= STEP) {
    const adds = redis.pipeline();
    for (let index = 0; index < Math.min(STEP, left); index++) adds.xadd(stream, "*", "order", "x".repeat(100));
    await adds.exec();
    const read = (await redis.xreadgroup("GROUP", group, "dead", "COUNT", STEP, "STREAMS", stream, ">")) as [
      string,
      [string, string[]][],
    ][];
    const ids = (read[0]?.[1] ?? []).map(([id]) => id);
    await redis.call("XCLAIM", stream, group, "dead", 0, ...ids, "IDLE", LONG_MS, "JUSTID");
  }
  await heartbeat(redis, stream, group, "dead", LONG_MS, DEAD_LEASE_MS);
  for (const name of ["a", "b"]) {
    await redis.xgroup("CREATECONSUMER", stream, group, name);
    await heartbeat(redis, stream, group, name, 0);
  }
}

/** Lets a monitor see that the dead one's heartbeat has stopped: until then it takes nothing from it. */
export async function watchDead(monitor: Monitor): Promise<void> {
  await monitor.inspect();
  await pause(2 * DEAD_LEASE_MS);
}

/** A stream of which a group has read little. */
export async function fillBacklog(redis: Redis, stream: string, waiting: number): Promise<void> {
  const add = "for _ = 1, ARGV[1] do redis.call('XADD', KEYS[1], '*', 'order', ARGV[2]) end";
  for (let left = waiting; left > 0; left -= 10_000) {
    await redis.eval(add, 1, stream, Math.min(left, 10_000), "x".repeat(100));
  }
}

/** A group with that many consumers, each of which holds a message and lives. */
export async function fillGroup(redis: Redis, stream: string, group: string, consumers: number): Promise<void> {
  await redis.xgroup("CREATE", stream, group, "0", "MKSTREAM");
  for (let consumer = 0; consumer < consumers; consumer++) {
    await redis.xadd(stream, "*", "order", "x".repeat(100));
    await redis.xreadgroup("GROUP", group, `c${consumer}`, "COUNT", 1, "STREAMS", stream, ">");
    await heartbeat(redis, stream, group, `c${consumer}`, 0);
  }
}

/** Writes a heartbeat as consumers do, that long ago. */
async function heartbeat(
  redis: Redis,
  stream: string,
  group: string,
  consumer: string,
  agoMs: number,
  leaseMs: number = LEASE_MS,
): Promise<void> {
  const [seconds] = await redis.time();
  const field = JSON.stringify({ v: 1, at: Number(seconds) * 1_000 - agoMs, leaseMs, incarnation: consumer });
  await redis.hset(`rb:{${stream}}:consumers:${stream}:${group}`, consumer, field);
}
