/** What the server says of itself: the CPU time it used, and how long single calls kept it. */
import type { RedisServer } from "@redis-batch/test-support";
import type { Redis } from "ioredis";

/** What the server has done so far, by its own account. */
export interface ServerWork {
  /** User and system time. */
  readonly cpuMs: number;
  /** Without those that add messages; those that scripts called included. */
  readonly commands: number;
}

export async function serverWork(server: RedisServer): Promise<ServerWork> {
  const { used_cpu_user: user, used_cpu_sys: system } = await server.info("cpu");
  const { cmdstat_xadd: _adding, ...stats } = await server.info("commandstats");
  const commands = Object.values(stats).reduce((sum, stat) => sum + Number(/calls=(\d+)/.exec(stat)?.[1]), 0);
  return { cpuMs: (Number(user) + Number(system)) * 1_000, commands };
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
