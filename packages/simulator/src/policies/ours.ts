/** Our strategies, by the same function that the scaler uses. */

import { decide, emptyMemory, resolveScalingOptions, type ScalingPolicy } from "@redis-batch/scaler";
import type { Policy } from "../policy.ts";
import type { Scenario } from "../scenario.ts";

function scalingPolicy(scenario: Scenario, strategy: ScalingPolicy["strategy"]): ScalingPolicy {
  const { minConsumers, maxConsumers, objective } = scenario;
  return resolveScalingOptions({ strategy, minConsumers, maxConsumers, objectiveMs: objective * 1_000 });
}

/** The throughput strategy. After a restart it has what it knew about the consumers, and nothing else. */
export const throughput: Policy = {
  name: "throughput",
  title: "the throughput strategy, acting by itself every 5 s",
  interval: 5,
  wakesAfter: 0.05,
  start(scenario) {
    const policy = scalingPolicy(scenario, "throughput");
    let memory = emptyMemory("throughput");
    return {
      decide(input) {
        const decided = decide(input.observe(), memory, policy, input.nowMs);
        memory = decided.memory;
        return decided.decision.desired;
      },
      restart() {
        memory = emptyMemory("throughput", memory);
      },
    };
  },
};

/** The ratio strategy: one consumer more or less every 15 s. It cannot come back from 0, so its minimum is 1. */
export const ratio: Policy = {
  name: "ratio",
  title: "the ratio strategy, the original's rule, every 15 s",
  interval: 15,
  wakesAfter: null,
  start(scenario) {
    const policy = scalingPolicy({ ...scenario, minConsumers: 1 }, "ratio");
    let memory = emptyMemory("ratio");
    return {
      decide(input) {
        const decided = decide(input.observe(), memory, policy, input.nowMs);
        memory = decided.memory;
        return decided.decision.desired;
      },
    };
  },
};
