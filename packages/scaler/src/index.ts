export { decide, emptyMemory, type ScalerMemory } from "./decisions/decide.ts";
export type { Binding, Decision, RatioDecision, ThroughputDecision } from "./decisions/decision.ts";
export type { Direction } from "./decisions/ratio.ts";
export type { ThroughputInputs, ThroughputTerms } from "./decisions/throughput.ts";
export type { ConsumerCounters, Observation, ObservedConsumer } from "./observation.ts";
export { resolveScalingOptions, SCALING_DEFAULTS, type ScalingOptions, type ScalingPolicy } from "./options.ts";
