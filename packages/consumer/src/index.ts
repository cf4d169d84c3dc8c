/** The public door: the consumer, and everything of `@redis-batch/core`. */
export * from "@redis-batch/core";
export { Batch, type OwnedPartition, type Settlement } from "./batch.ts";
export { type AckReport, Consumer, type ConsumerHealth, type StreamHealth } from "./consumer.ts";
export type {
  BatchReason,
  ConsumerEvent,
  DeadLetterReason,
  IntakeHold,
  ReleaseReason,
  StopReport,
  StreamEvent,
  TooLateReason,
} from "./events.ts";
export type { Handler, HandlerContext, Outcome } from "./handler.ts";
export type { BatchStart, BatchTrace, ConsumerInstrumentation } from "./instrumentation.ts";
export type { Message, RetryOptions } from "./message.ts";
export { CONSUMER_DEFAULTS, type ConsumerOptions } from "./options.ts";
