export type { RecordedBatch, RecordedMessage, RecordedOutcome } from "@redis-batch/consumer/internal";
export { type BatchOptions, makeBatch } from "./make-batch.ts";
export { type CodecOption, type MessageOptions, makeMessage } from "./make-message.ts";
export type { FaultMoment, HeldCalls } from "./memory/memory-faults.ts";
export {
  type DeliverOptions,
  type FailOptions,
  type FaultOptions,
  type MemoryEntry,
  type MemoryOperation,
  type MemoryPending,
  type MemoryRedis,
  type MemoryRedisOptions,
  memoryRedis,
} from "./memory-redis.ts";
export { runHandler } from "./run-handler.ts";
export { EventRecorder, type RecordableEvent, type WaitOptions } from "./time/event-recorder.ts";
export { ManualClock } from "./time/manual-clock.ts";
