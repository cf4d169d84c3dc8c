import { NO_DETAILS, type Registration } from "@redis-batch/core/internal/groups";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Observation } from "../observation.ts";
import { resolveScalingOptions } from "../options.ts";
import { decide, emptyMemory } from "./decide.ts";
import { mostForRate, observeRate } from "./rate-limit.ts";
import { forgetful } from "./throughput.ts";

const limit = { messages: 600, perMs: 60_000 };
const consumer = (name: string, intake: string | null, atMs = 1_000): readonly [string, Registration] => [
  name,
  { consumer: name, atMs, leaseMs: 5_000, incarnation: name, details: { ...NO_DETAILS, intake } },
];

it("binds while a living consumer waits for it", () => {
  const registry = (...intakes: ReturnType<typeof consumer>[]) => new Map(intakes);
  expect(observeRate(null, registry(consumer("a", "rate-limited")), 2_000)).toBeNull();
  expect(observeRate(limit, registry(consumer("a", "open")), 2_000)).toEqual({ ...limit, isBinding: false });
  const waiting = registry(consumer("a", "open"), consumer("b", "rate-limited"));
  expect(observeRate(limit, waiting, 2_000)).toEqual({ ...limit, isBinding: true });
  expect(observeRate(limit, waiting, 60_000)).toEqual({ ...limit, isBinding: false });
});

it("allows as many as can use all of it, and no more than there are once they wait for it", () => {
  const free = { ...limit, isBinding: false };
  // 10 a second: 4 consumers that do 3 a second each are too few, 5 have some room.
  expect(mostForRate(free, 1, 3)).toBe(5);
  expect(mostForRate({ ...free, isBinding: true }, 1, 3)).toBe(1);
  for (const unlimited of [mostForRate(null, 1, 3), mostForRate(free, 1, 0), mostForRate(free, 0, 3)])
    expect(unlimited).toBe(Number.POSITIVE_INFINITY);
});

it("never asks for fewer than there are", () => {
  fc.assert(
    fc.property(
      fc.nat(1_000),
      fc.double({ min: -1, max: 1e6, noNaN: true }),
      fc.boolean(),
      (current, each, isBinding) => {
        expect(mostForRate({ messages: 1, perMs: 86_400_000, isBinding }, current, each)).toBeGreaterThanOrEqual(
          current,
        );
      },
    ),
  );
});

describe("decide, in a group with a rate", () => {
  const seen: Observation = {
    ...{ added: 100, read: 89, waiting: 90_000, isWaitingAtLeast: false, oldestWaitingMs: 900_000, pending: 10 },
    ...{ released: 0, reclaimable: 0, current: 3, ready: 3, startingMs: [], lost: 0, startUpsMs: [], elsewhere: 0 },
    ...{ isAlone: false, partitions: null, consumers: [] },
  };
  const memories = {
    ratio: emptyMemory("ratio"),
    throughput: { strategy: "throughput", throughput: forgetful({ perSecond: 5, leadMs: 1_000 }), isAlone: false },
  } as const;

  it.each(["ratio", "throughput"] as const)("%s adds none where it binds, and says why", (strategy) => {
    const policy = resolveScalingOptions({ strategy });
    const free = decide(seen, memories[strategy], policy, 60_000).decision;
    expect(free).toMatchObject({ direction: "OUT" });
    const { decision, memory } = decide(
      { ...seen, rateLimit: { ...limit, isBinding: true } },
      memories[strategy],
      policy,
      60_000,
    );
    expect(decision).toMatchObject({ direction: "NO_SCALE", desired: 3, binding: "rate" });
    expect(decision.reason).toContain("the group offers at most 600 messages per 60000 ms (its rate)");
    // It is no move, so nothing has to cool down when the rate is raised.
    expect(decide(seen, memory, policy, 65_000).decision).toMatchObject({ direction: "OUT" });
  });

  it("starts one from zero, keeps the minimum, and takes away as ever", () => {
    const rateLimit = { ...limit, isBinding: true };
    const none = { ...seen, current: 0, ready: 0, rateLimit };
    expect(decide(none, memories.throughput, resolveScalingOptions({}), 0).decision).toMatchObject({ desired: 1 });
    const few = decide(
      { ...seen, rateLimit },
      memories.ratio,
      resolveScalingOptions({ strategy: "ratio", minConsumers: 5 }),
      0,
    );
    expect(few.decision).toMatchObject({ desired: 5, binding: "min" });
    const least = { ...seen, waiting: 0, oldestWaitingMs: null, pending: 100, rateLimit };
    expect(decide(least, memories.ratio, resolveScalingOptions({ strategy: "ratio" }), 0).decision.direction).toBe(
      "IN",
    );
  });

  it("adds no more than can use all of it, before it binds", () => {
    // 10 a second in all, and 5 a second each.
    const rateLimit = { ...limit, isBinding: false };
    const { decision } = decide(
      { ...seen, current: 2, ready: 2, rateLimit },
      memories.throughput,
      resolveScalingOptions({}),
      0,
    );
    expect(decision).toMatchObject({ desired: 3, binding: "rate" });
  });
});
