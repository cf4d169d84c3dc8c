/** Tries scaling policies on simulated traffic, message by message, before a cluster tries them. Needs no server. */

export { type CompareOptions, type CompareProgress, compare, meanOf, type Row, type RunDecision } from "./compare.ts";
export { POLICIES } from "./policies/index.ts";
export type { Policy, PolicyInput, PolicyRun } from "./policy.ts";
export type { Crash, Scatter, Scenario } from "./scenario.ts";
export { SCENARIO_DEFAULTS, SCENARIOS } from "./scenarios.ts";
export type { Outcome } from "./tally.ts";
export { TRACE_LIMITS, type TracePoint, traceScenario } from "./trace.ts";
export type { Traffic } from "./traffic.ts";
