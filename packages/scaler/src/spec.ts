/** The door to the options of this package as data, only open in the workspace. */
export * from "./executors/board-spec.ts";
export * from "./executors/command-spec.ts";
export * from "./executors/keda/spec.ts";
export * from "./executors/kubernetes/spec.ts";
export * from "./executors/pool-spec.ts";
export * from "./executors/program-spec.ts";
export * from "./executors/webhook-spec.ts";
export * from "./scaler-spec.ts";
export * from "./scaling-spec.ts";
