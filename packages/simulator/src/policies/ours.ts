/** Ours, by the very function that ships. */

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
      decide(look) {
        const decided = decide(look.observe(), memory, policy, look.nowMs);
        memory = decided.memory;
        return decided.decision.desired;
      },
      restart() {
        memory = emptyMemory("throughput", memory);
      },
    };
  },
};

/** The ratio strategy: one consumer more or less every 15 s. It knows no way to 0, so 1 is its least. */
export const ratio: Policy = {
  name: "ratio",
  title: "the ratio strategy, the original's rule, every 15 s",
  interval: 15,
  wakesAfter: null,
  start(scenario) {
    const policy = scalingPolicy({ ...scenario, minConsumers: 1 }, "ratio");
    let memory = emptyMemory("ratio");
    return {
      decide(look) {
        const decided = decide(look.observe(), memory, policy, look.nowMs);
        memory = decided.memory;
        return decided.decision.desired;
      },
    };
  },
};
