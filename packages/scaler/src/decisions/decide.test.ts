import { addBatch, NO_WORK } from "@redis-batch/core/internal/groups";
import { describe, expect, it } from "vitest";
import type { Observation } from "../observation.ts";
import { resolveScalingOptions } from "../options.ts";
import { decide, emptyMemory } from "./decide.ts";
import { forgetful } from "./throughput.ts";

const seen: Observation = {
  added: 100,
  read: 89,
  waiting: 11,
  isWaitingAtLeast: false,
  oldestWaitingMs: 500,
  pending: 83,
  released: 0,
  reclaimable: 0,
  current: 3,
  ready: 3,
  startingMs: [],
  lost: 0,
  startUpsMs: [],
  elsewhere: 0,
  isAlone: false,
  partitions: null,
  consumers: [],
};
const ratio = { strategy: "ratio", scaleOutRate: 60, scaleInRate: 20 } as const;

describe("decide, in a group whose consumer must be the only one", () => {
  const alone: Observation = { ...seen, isAlone: true, current: 1, ready: 1, waiting: 5_000, pending: 10 };
  const why = "its consumer keeps messages in order for the whole group (orderBy), so there can be only one";
  const policies = [resolveScalingOptions({ ...ratio, minConsumers: 2 }), resolveScalingOptions({ minConsumers: 2 })];

  it.each(policies)("never adds one, whatever waits and whatever the options: $strategy", (policy) => {
    let memory = emptyMemory(policy.strategy);
    for (let nowMs = 0; nowMs < 600_000; nowMs += 5_000) {
      const added = seen.added + nowMs;
      const decided = decide({ ...alone, added, oldestWaitingMs: nowMs }, memory, policy, nowMs);
      expect(decided.decision).toMatchObject({ desired: 1, direction: "NO_SCALE" });
      memory = decided.memory;
    }
    const { decision } = decide({ ...alone, oldestWaitingMs: 600_000 }, memory, policy, 600_000);
    expect(decision).toMatchObject({ binding: "order" });
    expect(decision.reason).toContain(why);
  });

  it.each(policies)("takes away those that cannot join: $strategy", (policy) => {
    const { decision } = decide({ ...alone, current: 3 }, emptyMemory(policy.strategy), policy, 0);
    expect(decision).toMatchObject({ direction: "IN", desired: 1, binding: "order" });
  });

  it.each(policies)("remembers it while no consumer is registered, and forgets it with others: $strategy", (policy) => {
    const { memory } = decide(alone, emptyMemory(policy.strategy), policy, 0);
    const gone = decide({ ...alone, isAlone: null, current: 0, ready: 0 }, memory, policy, 5_000);
    expect(gone.decision).toMatchObject({ direction: "OUT", desired: 1 });
    expect(decide({ ...alone, isAlone: false }, gone.memory, policy, 10_000).decision.desired).toBe(2);
  });
});

describe("decide, by ratio", () => {
  const decideRatio = (observation: Observation, options = {}): unknown =>
    decide(observation, emptyMemory("ratio"), resolveScalingOptions({ ...ratio, ...options }), 0).decision;

  it("says what the original says, with its reason and its numbers", () => {
    expect(decideRatio(seen)).toEqual({
      strategy: "ratio",
      direction: "IN",
      current: 3,
      desired: 2,
      rate: 13.253,
      reason: "11 waiting and 83 pending is a rate of 13.253, below 20; go from 3 to 2",
      binding: "rule",
      terms: { scaleOutRate: 60, scaleInRate: 20 },
      inputs: { waiting: 11, pending: 83, consumers: 3, elsewhere: 0 },
    });
    expect(decideRatio({ ...seen, waiting: 18, pending: 79 })).toMatchObject({ direction: "NO_SCALE", rate: 22.7848 });
  });

  it.each([
    [{ waiting: 0, pending: 0 }, "NO_SCALE", "0 waiting and 0 pending: there are no messages; stay at 3"],
    [
      { waiting: 5, pending: 0 },
      "OUT",
      "5 waiting and 0 pending: messages wait, but none is being processed; go from 3 to 4",
    ],
    [{ waiting: 9, pending: 10 }, "OUT", "9 waiting and 10 pending is a rate of 90, not below 60; go from 3 to 4"],
    [{ waiting: 3, pending: 10 }, "NO_SCALE", "3 waiting and 10 pending is a rate of 30, between 20 and 60; stay at 3"],
    [{ current: 1 }, "NO_SCALE", "11 waiting and 83 pending is a rate of 13.253, below 20; stay at 1"],
  ])("%o → %s", (part, direction, reason) => {
    expect(decideRatio({ ...seen, ...part })).toMatchObject({ direction, reason });
  });

  it("does not take away consumers that other streams keep busy", () => {
    expect(decideRatio({ ...seen, elsewhere: 2.4 })).toMatchObject({
      ...{ direction: "NO_SCALE", desired: 3, binding: "elsewhere" },
      reason:
        "11 waiting and 83 pending is a rate of 13.253, below 20, but other streams keep 2.4 consumers busy; stay at 3",
    });
    expect(decideRatio({ ...seen, elsewhere: 1.8 })).toMatchObject({ direction: "IN", desired: 2 });
  });

  it("what was released waits, and is not work in progress", () => {
    expect(decideRatio({ ...seen, waiting: 3, released: 8 })).toMatchObject({
      ...{ rate: 13.253, inputs: { waiting: 11, pending: 83, consumers: 3, elsewhere: 0 } },
    });
    expect(decideRatio({ ...seen, waiting: 0, released: 5, pending: 0 })).toMatchObject({
      direction: "OUT",
      desired: 4,
    });
    expect(decideRatio({ ...seen, waiting: null, released: 5 })).toMatchObject({ binding: "unknown" });
  });

  it("stays within the bounds, and says which one held it", () => {
    const busy = { ...seen, waiting: 100 };
    expect(decideRatio(busy, { maxConsumers: 3 })).toMatchObject({ direction: "NO_SCALE", desired: 3, binding: "max" });
    expect(decideRatio(seen, { minConsumers: 3 })).toMatchObject({ direction: "NO_SCALE", desired: 3, binding: "min" });
    expect(decideRatio(seen, { minConsumers: 5 })).toMatchObject({ direction: "OUT", desired: 5, binding: "min" });
  });

  it("holds where it is not known what waits", () => {
    expect(decideRatio({ ...seen, waiting: null })).toMatchObject({ direction: "NO_SCALE", binding: "unknown" });
  });

  it("waits for a cooldown, if there is one", () => {
    const policy = resolveScalingOptions({ ...ratio, scaleInCooldownMs: 60_000 });
    const first = decide(seen, emptyMemory("ratio"), policy, 0);
    const soon = decide({ ...seen, current: 2 }, first.memory, policy, 59_999);
    expect(soon.decision).toMatchObject({ direction: "NO_SCALE", desired: 2, binding: "cooldown" });
    expect(decide({ ...seen, current: 2 }, soon.memory, policy, 60_000).decision.direction).toBe("IN");
  });
});

describe("decide, by throughput", () => {
  const policy = resolveScalingOptions({ minConsumers: 0 });

  it("wakes one consumer for the first message, and says so", () => {
    const { decision } = decide({ ...seen, current: 0, ready: 0 }, emptyMemory("throughput"), policy, 0);
    expect(decision).toMatchObject({ direction: "OUT", desired: 1, binding: "wake" });
    expect(decision.reason).toBe("11 waiting, 83 pending, but no consumers; go from 0 to 1");
  });

  it("leaves an idle group without consumers, but not before it was idle for long", () => {
    const idle = { ...seen, waiting: 0, pending: 0, oldestWaitingMs: null, current: 1, ready: 1 };
    let memory = emptyMemory("throughput");
    const directions: string[] = [];
    for (let atMs = 0; atMs <= 300_000; atMs += 5_000) {
      const decided = decide(idle, memory, policy, atMs);
      memory = decided.memory;
      directions.push(decided.decision.direction);
    }
    expect(directions.indexOf("IN")).toBe(directions.length - 1);
  });

  it("begins again with what was learned of the consumers, and nothing else", () => {
    const { memory } = decide({ ...seen, current: 2, ready: 2 }, emptyMemory("throughput"), policy, 0);
    if (memory.strategy !== "throughput") throw new Error("another strategy's memory");
    const { throughput } = memory;
    const learned = { ...throughput, leadMs: 4_000, processing: { ...throughput.processing, perSecond: 12 } };
    const again = emptyMemory("throughput", { ...memory, throughput: learned });
    expect(again).toEqual({ ...emptyMemory("throughput"), throughput: forgetful({ perSecond: 12, leadMs: 4_000 }) });
    expect(emptyMemory("ratio", memory)).toEqual(emptyMemory("ratio"));
    expect(emptyMemory("throughput", emptyMemory("ratio"))).toEqual(emptyMemory("throughput"));
  });

  it("orders no more while those that were ordered do not come", () => {
    const stuck = { ...seen, waiting: 50_000, oldestWaitingMs: 60_000, startingMs: [500_000] };
    let counters = NO_WORK;
    let memory = emptyMemory("throughput");
    let binding = "";
    for (let look = 0; look < 20; look++) {
      counters = addBatch(counters, 10, 1_000);
      const observation = {
        ...stuck,
        consumers: [{ name: "a", incarnation: "1", batchSize: 10, concurrency: 1, counters }],
      };
      const decided = decide(observation, memory, policy, look * 5_000);
      memory = decided.memory;
      binding = decided.decision.binding;
    }
    expect(binding).toBe("shortfall");
  });
});

describe("decide, while the group is paused", () => {
  const pause = { by: "anna", sinceMs: 0, untilMs: null, reason: "the database moves" };
  const long: Observation = { ...seen, waiting: 90_000, oldestWaitingMs: 900_000, pending: 0 };

  it.each(["ratio", "throughput"] as const)("%s holds, beyond the bounds too, and says who paused it", (strategy) => {
    const policy = resolveScalingOptions({ strategy, minConsumers: 5 });
    for (const current of [0, 3]) {
      const observation = { ...long, current, ready: current, pause };
      const { decision } = decide(observation, emptyMemory(strategy), policy, 0);
      expect(decision).toMatchObject({ direction: "NO_SCALE", desired: current, binding: "paused" });
      expect(decision.reason).toContain("the group is paused by anna (the database moves)");
    }
  });

  it("keeps what consumers can do, and nothing of what it saw meanwhile", () => {
    const policy = resolveScalingOptions({});
    const throughput = { ...forgetful({ perSecond: 20, leadMs: 3_000 }), idleSinceMs: 1 };
    const memory = { strategy: "throughput", throughput, isAlone: false } as const;
    const after = decide({ ...long, pause }, memory, policy, 60_000).memory;
    expect(after).toMatchObject({ strategy: "throughput", throughput: forgetful({ perSecond: 20, leadMs: 3_000 }) });
  });
});
