// A CommonJS TypeScript user.
import { type MemoryRedis, memoryRedis } from "@redis-batch/testing";

export const create = (): MemoryRedis => memoryRedis();
