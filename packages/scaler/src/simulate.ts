/** Trying policies on traces, before a cluster tries them: a simulator of consumers, message by message. */

export { POLICIES } from "./simulate/policies/index.ts";
export type { Look, Policy, PolicyRun } from "./simulate/policy.ts";
export { type CompareOptions, type CompareProgress, compare, meanOf, type Row } from "./simulate/results.ts";
export type { Crash, Scatter, Scenario } from "./simulate/scenario.ts";
export { SCENARIO_DEFAULTS, SCENARIOS } from "./simulate/scenarios.ts";
export type { Outcome } from "./simulate/tally.ts";
export { TRACE_LIMITS, type TracePoint, traceScenario } from "./simulate/trace.ts";
export type { Traffic } from "./simulate/traffic.ts";
