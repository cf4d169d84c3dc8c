/** What the server says of itself: the CPU time it used, and how long single calls kept it. */
import type { RedisServer } from "@redis-batch/test-support";
import type { Redis } from "ioredis";

/** User and system time the server has used so far, in milliseconds, by its own account. */
export async function serverCpuMs(server: RedisServer): Promise<number> {
  const info = await server.info("cpu");
  return (Number(info["used_cpu_user"]) + Number(info["used_cpu_sys"])) * 1_000;
}

/** How long something takes, and how long each call kept the server that kept it for longer than half a millisecond. */
export interface Calls {
  readonly wallMs: number;
  readonly callsMs: readonly number[];
}

/** Does something, and asks the server's slow log what it was asked meanwhile. */
export async function timeCalls(redis: Redis, run: () => Promise<unknown>): Promise<Calls> {
  await redis.config("SET", "slowlog-log-slower-than", "500");
  await redis.config("SET", "slowlog-max-len", "100000");
  await redis.slowlog("RESET");
  const beganAtMs = performance.now();
  await run();
  const wallMs = performance.now() - beganAtMs;
  await redis.config("SET", "slowlog-log-slower-than", "-1");
  const log = (await redis.slowlog("GET", -1)) as [id: number, at: number, micros: number][];
  return { wallMs, callsMs: log.map(([, , micros]) => micros / 1_000) };
}

/** The longest of them; calls that were too short to be logged count as half a millisecond. */
export function longestOf({ callsMs }: Calls): number {
  return callsMs.reduce((most, ms) => Math.max(most, ms), 0.5);
}
