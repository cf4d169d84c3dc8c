import { addBatch, NO_WORK } from "@redis-batch/core/internal/groups";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Observation, ObservedConsumer, WorkCounters } from "../observation.ts";
import { resolveScalingOptions, type ScalingPolicy } from "../options.ts";
import { type Limits, limitsOf } from "./bounds.ts";

const NO_LIMIT = { isAlone: false, partitions: null };

import type { ThroughputDecision } from "./decision.ts";
import { decideThroughput, forgetful, type ThroughputMemory } from "./throughput.ts";

/** What happens between two looks at a group. */
interface Step {
  readonly afterMs: number;
  readonly arrived: number;
  /** Which part of what waits is delivered. */
  readonly deliveredShare: number;
  readonly pending: number;
  readonly released: number;
  readonly reclaimable: number;
  readonly oldestWaitingMs: number;
  readonly readyShare: number;
  readonly startingMs: readonly number[];
  readonly lost: number;
  readonly startUpsMs: readonly number[];
  readonly msPerMessage: number;
  /** Which part of the consumers' time goes to other streams. */
  readonly elsewhereShare: number;
  readonly tells: boolean;
  readonly isUnknown: boolean;
  readonly isAtLeast: boolean;
  readonly isRecreated: boolean;
}

const seldom = fc.integer({ min: 0, max: 19 }).map((side) => side === 0);
const anyStep: fc.Arbitrary<Step> = fc.record({
  afterMs: fc.integer({ min: 1, max: 30_000 }),
  arrived: fc.oneof(fc.constant(0), fc.nat(20), fc.nat(5_000)),
  deliveredShare: fc.double({ min: 0, max: 1, noNaN: true }),
  pending: fc.oneof(fc.constant(0), fc.nat(1_000)),
  released: fc.oneof(fc.constant(0), fc.nat(100)),
  reclaimable: fc.oneof(fc.constant(0), fc.nat(100)),
  oldestWaitingMs: fc.nat(100_000),
  readyShare: fc.double({ min: 0, max: 1, noNaN: true }),
  startingMs: fc.array(fc.nat(400_000), { maxLength: 3 }),
  lost: fc.oneof(fc.constant(0), fc.nat(3)),
  startUpsMs: fc.array(fc.nat(90_000), { maxLength: 5 }),
  msPerMessage: fc.double({ min: 0.1, max: 2_000, noNaN: true }),
  elsewhereShare: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1, noNaN: true })),
  tells: seldom.map((is) => !is),
  isUnknown: seldom,
  isAtLeast: seldom,
  isRecreated: seldom,
});
// A group that mostly does its work, looked at every 5 s, so that the model gets to what it is about.
const calmStep: fc.Arbitrary<Step> = anyStep.map((step) => ({
  ...step,
  afterMs: 5_000,
  arrived: step.arrived % 500,
  deliveredShare: 1 - step.deliveredShare ** 4,
  readyShare: 1,
  startingMs: [],
  lost: 0,
  startUpsMs: step.startUpsMs.map((startUpMs) => startUpMs / 10),
  msPerMessage: 20 + step.msPerMessage / 20,
  isRecreated: false,
}));
const anySteps = fc.oneof(
  fc.array(anyStep, { minLength: 1, maxLength: 60 }),
  fc.array(calmStep, { minLength: 30, maxLength: 120, size: "max" }),
);

const anyPolicy: fc.Arbitrary<Limits<ScalingPolicy>> = fc
  .record({
    minConsumers: fc.nat(5),
    span: fc.nat(40),
    objectiveMs: fc.integer({ min: 1_000, max: 300_000 }),
    idleMs: fc.integer({ min: 1_000, max: 300_000 }),
    scaleOutCooldownMs: fc.oneof(fc.constant(0), fc.nat(60_000)),
    scaleInCooldownMs: fc.nat(120_000),
  })
  .map(({ span, ...options }) => {
    const maxConsumers = Math.max(1, options.minConsumers + span);
    return limitsOf(resolveScalingOptions({ ...options, maxConsumers }), NO_LIMIT);
  });

/** A group that is looked at again and again; it has as many consumers as were decided. */
class Group {
  memory: ThroughputMemory = forgetful();
  current: number;
  nowMs = 1_700_000_000_000;
  readonly #policy: Limits<ScalingPolicy>;
  #added = 0;
  #read = 0;
  #counters: readonly WorkCounters[] = [];

  constructor(policy: Limits<ScalingPolicy>, current: number) {
    this.#policy = policy;
    this.current = current;
  }

  decide(step: Step, arrange = (seen: Observation): Observation => seen): ThroughputDecision {
    const seen = arrange(this.look(step));
    const { decision, memory } = decideThroughput(seen, this.memory, this.#policy, this.nowMs);
    this.memory = memory;
    this.current = decision.desired;
    return decision;
  }

  /** What is to be seen after a step, which happens by this. */
  look(step: Step): Observation {
    this.nowMs += step.afterMs;
    if (step.isRecreated) {
      this.#added = 0;
      this.#read = 0;
    }
    this.#added += step.arrived;
    const delivered = Math.floor((this.#added - this.#read) * step.deliveredShare);
    this.#read += delivered;
    const ready = Math.round(this.current * step.readyShare);
    this.#counters = Array.from({ length: ready }, (_, index) =>
      worked(this.#counters[index], Math.floor(delivered / ready), step.msPerMessage * (1 + index / 10)),
    );
    return {
      added: this.#added,
      read: step.isUnknown ? null : this.#read,
      waiting: step.isUnknown && !step.isAtLeast ? null : this.#added - this.#read,
      isWaitingAtLeast: step.isAtLeast,
      oldestWaitingMs: step.oldestWaitingMs,
      pending: step.pending,
      released: step.released,
      reclaimable: step.reclaimable,
      current: this.current,
      ready,
      startingMs: step.startingMs,
      lost: step.lost,
      startUpsMs: step.startUpsMs,
      elsewhere: ready * step.elsewhereShare,
      isAlone: false,
      partitions: null,
      consumers: this.#counters.map(
        (counters, index): ObservedConsumer => ({
          name: `consumer-${index}`,
          incarnation: "1",
          batchSize: 50,
          concurrency: 1,
          counters: step.tells ? counters : null,
        }),
      ),
    };
  }
}

/** Counters after one more batch. */
function worked(before: WorkCounters | undefined, size: number, msPerMessage: number): WorkCounters {
  const work = before ?? NO_WORK;
  return addBatch({ ...work, delivered: work.delivered + size }, size, 20 + size * msPerMessage);
}

function run(policy: Limits<ScalingPolicy>, steps: readonly Step[], arrange?: (seen: Observation) => Observation) {
  const group = new Group(policy, policy.maxConsumers);
  return steps.map((step) => ({ decision: group.decide(step, arrange), nowMs: group.nowMs }));
}

// Many looks each; a busy machine takes its time.
describe("decideThroughput", () => {
  it("stays within the bounds, wherever the number was before", () => {
    fc.assert(
      fc.property(anyPolicy, anySteps, fc.nat(100), (policy, steps, first) => {
        const group = new Group(policy, first);
        for (const step of steps) {
          const { desired } = group.decide(step);
          expect(Number.isInteger(desired)).toBe(true);
          expect(desired).toBeGreaterThanOrEqual(policy.minConsumers);
          expect(desired).toBeLessThanOrEqual(policy.maxConsumers);
        }
      }),
    );
  });

  it("does not move inside a cooldown", () => {
    fc.assert(
      fc.property(anyPolicy, anySteps, (policy, steps) => {
        let lastAtMs = Number.NEGATIVE_INFINITY;
        for (const { decision, nowMs } of run(policy, steps)) {
          if (decision.direction === "NO_SCALE") continue;
          const cooldownMs = decision.direction === "OUT" ? policy.scaleOutCooldownMs : policy.scaleInCooldownMs;
          expect(nowMs - lastAtMs).toBeGreaterThanOrEqual(cooldownMs);
          lastAtMs = nowMs;
        }
      }),
    );
  });

  it("never wants fewer consumers for more backlog", () => {
    fc.assert(
      fc.property(anyPolicy, anySteps, fc.nat(100_000), (policy, steps, more) => {
        const group = new Group(policy, policy.maxConsumers);
        for (const step of steps) {
          const { memory } = group;
          const seen: Observation[] = [];
          const { desired } = group.decide(step, (observation) => {
            seen.push(observation);
            return observation;
          });
          const [observation] = seen as [Observation];
          const waiting = observation.waiting === null ? null : observation.waiting + more;
          const reclaimable = observation.reclaimable + more;
          const released = observation.released + more;
          for (const worse of [{ waiting }, { reclaimable }, { released }]) {
            const { decision } = decideThroughput({ ...observation, ...worse }, memory, policy, group.nowMs);
            expect(decision.desired).toBeGreaterThanOrEqual(desired);
          }
        }
      }),
    );
  });

  it("holds while it never knew how much waits", () => {
    fc.assert(
      fc.property(anyPolicy, anySteps, (policy, steps) => {
        for (const { decision } of run(policy, steps, (seen) => ({
          ...seen,
          waiting: null,
          isWaitingAtLeast: false,
        }))) {
          expect(decision).toMatchObject({ direction: "NO_SCALE", binding: "unknown" });
        }
      }),
    );
  });

  it("takes no consumer away while how much waits is a guess", () => {
    fc.assert(
      fc.property(anyPolicy, anySteps, anySteps, (policy, before, after) => {
        const group = new Group(policy, policy.maxConsumers);
        for (const step of before) group.decide(step);
        for (const step of after) {
          expect(group.decide({ ...step, isUnknown: true, isRecreated: false }).direction).not.toBe("IN");
        }
      }),
    );
  });

  it("does not depend on the order of the consumers", () => {
    const reversed = (seen: Observation): Observation => ({ ...seen, consumers: seen.consumers.toReversed() });
    fc.assert(
      fc.property(anyPolicy, anySteps, (policy, steps) => {
        expect(run(policy, steps, reversed)).toEqual(run(policy, steps));
      }),
    );
  });

  it("decides the same when its memory was written down and read again", () => {
    fc.assert(
      fc.property(anyPolicy, anySteps, (policy, steps) => {
        const group = new Group(policy, policy.maxConsumers);
        const decided = steps.map((step) => {
          group.memory = JSON.parse(JSON.stringify(group.memory)) as ThroughputMemory;
          return { decision: group.decide(step), nowMs: group.nowMs };
        });
        expect(decided).toEqual(run(policy, steps));
      }),
    );
  });

  it("tells everything in numbers, and why in words", () => {
    fc.assert(
      fc.property(anyPolicy, anySteps, (policy, steps) => {
        for (const { decision } of run(policy, steps)) {
          expect(JSON.stringify(decision)).not.toMatch(/null,null|NaN|Infinity/);
          expect(decision.reason).not.toMatch(/undefined|NaN|Infinity/);
        }
      }),
    );
  });

  const load = fc.record({
    perSecond: fc.integer({ min: 0, max: 400 }),
    msPerMessage: fc.integer({ min: 5, max: 100 }),
  });
  const busyOf = ({ perSecond, msPerMessage }: Load): number => (perSecond * msPerMessage) / 1_000;
  const isMove = ({ direction }: ThroughputDecision): boolean => direction !== "NO_SCALE";

  it("comes to rest where the load does not change, with enough consumers for it", () => {
    fc.assert(
      fc.property(load, fc.integer({ min: 1, max: 60 }), (one, first) => {
        const last = steadyGroup([one], first).slice(-180);
        expect(last.filter(isMove)).toEqual([]);
        const { current } = last.at(-1) as ThroughputDecision;
        expect(current).toBeGreaterThanOrEqual(Math.min(60, busyOf(one)));
        expect(current).toBeLessThanOrEqual(Math.max(1, Math.ceil(busyOf(one) / 0.7) * 1.25 + 1));
      }),
      { numRuns: 60 },
    );
  });

  it("two scalers for two streams of the same consumers come to rest together, with enough for both", () => {
    fc.assert(
      fc.property(load, load, fc.integer({ min: 1, max: 60 }), (one, other, first) => {
        const last = steadyGroup([one, other], first).slice(-360);
        expect(last.filter(isMove)).toEqual([]);
        const { current } = last.at(-1) as ThroughputDecision;
        const busy = busyOf(one) + busyOf(other);
        expect(current).toBeGreaterThanOrEqual(Math.min(60, busy));
        expect(current).toBeLessThanOrEqual(Math.max(1, Math.ceil(busy / 0.7) * 1.25 + 2));
      }),
      { numRuns: 60 },
    );
  });
});

interface Load {
  readonly perSecond: number;
  readonly msPerMessage: number;
}

const LOOK_MS = 5_000;

/**
 * An hour of looks at consumers that are there at once, and share all that arrives in batches of ten. Each stream has its own
 * scaler, which has its decisions carried out at once.
 */
function steadyGroup(loads: readonly Load[], first: number): readonly ThroughputDecision[] {
  const policy = limitsOf(resolveScalingOptions({ maxConsumers: 60 }), NO_LIMIT);
  const decisions: ThroughputDecision[] = [];
  const streams = loads.map((load) => ({ ...load, memory: forgetful(), waiting: 0, processed: 0, busyMs: 0 }));
  let current = first;
  for (let look = 1; look <= 720; look++) {
    for (const stream of streams) stream.waiting += (stream.perSecond * LOOK_MS) / 1_000;
    let leftMs = current * LOOK_MS;
    // The one with the least work first: what it leaves of its turns is for the others.
    const byWork = streams.toSorted((a, b) => a.waiting * a.msPerMessage - b.waiting * b.msPerMessage);
    for (const [index, stream] of byWork.entries()) {
      const turnsMs = leftMs / (streams.length - index);
      const processed = Math.min(stream.waiting, Math.floor(turnsMs / stream.msPerMessage));
      stream.waiting -= processed;
      stream.processed += processed;
      stream.busyMs = processed * stream.msPerMessage;
      leftMs -= stream.busyMs;
    }
    const busyMs = streams.reduce((sum, stream) => sum + stream.busyMs, 0);
    for (const stream of streams) {
      const { perSecond, msPerMessage, waiting, processed } = stream;
      const batches = processed / 10;
      const counters: WorkCounters = {
        ...{ delivered: processed, batches, processed, busyMs: processed * msPerMessage },
        ...{ sizeSquared: batches * 100, sizeTimesBusyMs: batches * 100 * msPerMessage },
        busyMsSquared: batches * (10 * msPerMessage) ** 2,
      };
      const observation: Observation = {
        ...{ added: (look * perSecond * LOOK_MS) / 1_000, read: processed, waiting, isWaitingAtLeast: false },
        oldestWaitingMs: waiting > 0 ? (waiting / perSecond) * 1_000 : null,
        ...{
          pending: 0,
          released: 0,
          reclaimable: 0,
          current,
          ready: current,
          startingMs: [],
          lost: 0,
          startUpsMs: [],
        },
        ...{ elsewhere: (busyMs - stream.busyMs) / LOOK_MS, isAlone: false, partitions: null },
        consumers: [{ name: "all", incarnation: "1", batchSize: 10, concurrency: 1, counters }],
      };
      const { decision, memory } = decideThroughput(observation, stream.memory, policy, look * LOOK_MS);
      stream.memory = memory;
      current = decision.desired;
      decisions.push(decision);
    }
  }
  return decisions;
}
