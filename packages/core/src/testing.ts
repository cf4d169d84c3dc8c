/** The door for the tests of Redis Batch's own packages: a Redis in memory. Not covered by semantic versioning. */
export type { FaultMoment, HeldCalls, MemoryMethod } from "./testing/memory-faults.ts";
export {
  createMemoryRedis,
  type FaultOptions,
  type MemoryRedis,
  type MemoryRedisOptions,
} from "./testing/memory-redis.ts";
