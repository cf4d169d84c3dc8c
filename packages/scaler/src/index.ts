export {
  type HttpServer,
  type VerifySignatureOptions as VerifyOrderOptions,
  verifySignature as verifyOrderSignature,
} from "@redis-batch/core/web";
export type { Arrivals } from "./decisions/arrival-rate.ts";
export type { Backlog } from "./decisions/backlog.ts";
export { decide, emptyMemory, type ScalerMemory } from "./decisions/decide.ts";
export type {
  Binding,
  Decision,
  RateSource,
  RatioDecision,
  ThroughputDecision,
  ThroughputInputs,
  ThroughputTerms,
} from "./decisions/decision.ts";
export type { Direction } from "./decisions/ratio.ts";
export { followStarts, NO_STARTS, type StartsMemory } from "./decisions/starts.ts";
export type { ScalerEvent } from "./events.ts";
export {
  type Executor,
  isEarlierOrder,
  type Order,
  type PeerConsumer,
  type ScalingContext,
  type Workforce,
} from "./executor.ts";
export {
  BOARD_DEFAULTS,
  type BoardOptions,
  ScaleBoard,
  type ScaleServerOptions,
  startScaleServer,
} from "./executors/board.ts";
export { COMMAND_DEFAULTS, type CommandExecutorOptions, commandExecutor } from "./executors/command.ts";
export type { ScaleInstruction } from "./executors/instruction.ts";
export type { ProcessPoolEvent } from "./executors/pool-events.ts";
export { PROCESS_POOL_DEFAULTS, type ProcessPoolOptions } from "./executors/pool-options.ts";
export { ProcessPool } from "./executors/process-pool.ts";
export { WEBHOOK_DEFAULTS, type WebhookExecutorOptions, webhookExecutor } from "./executors/webhook.ts";
export type { Observation, ObservedConsumer, ObservedRate, WorkCounters } from "./observation.ts";
export { resolveScalingOptions, SCALING_DEFAULTS, type ScalingOptions, type ScalingPolicy } from "./options.ts";
export { Scaler } from "./scaler.ts";
export { type RunOptions, SCALER_DEFAULTS, type ScalerOptions } from "./scaler-options.ts";
