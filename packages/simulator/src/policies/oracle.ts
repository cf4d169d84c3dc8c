/**
 * A policy that knows the future: every arrival, its work, each slowdown, limit and crash. It plans the fewest consumers that
 * get everything done within a share of the objective. A strong reference, not a proven optimum.
 */

import type { Policy } from "../policy.ts";
import type { Scenario } from "../scenario.ts";
import type { Traffic } from "../traffic.ts";

const DEADLINE_SHARE = 0.6;
const EFFICIENCY = 0.97;
const HOLD_SECONDS = 120;
const LOOKAHEAD_SECONDS = 400;
const BETWEEN_ATTEMPTS = 3;

export const oracle: Policy = {
  name: "oracle",
  title: "knows the future: every arrival, slowdown and crash",
  interval: 1,
  wakesAfter: 0.05,
  start(scenario, traffic) {
    const plan = planConsumers(scenario, traffic);
    return { decide: ({ nowMs }) => plan[Math.min(plan.length - 1, Math.round(nowMs / 1_000))] as number };
  },
};

function planConsumers(scenario: Scenario, traffic: Traffic): readonly number[] {
  const needed = addStandIns(neededPerSecond(scenario, workUpTo(scenario, traffic)), scenario);
  const lead = Math.ceil(scenario.startUp.mean * (1 + scenario.startUp.variation));
  const hold = Math.ceil(scenario.startUp.mean + HOLD_SECONDS);
  const highest = (from: number, seconds: number): number => {
    let most = 0;
    for (let second = from; second < Math.min(needed.length, from + seconds); second++) {
      most = Math.max(most, needed[second] as number);
    }
    return most;
  };
  let current = scenario.firstConsumers;
  // Ordered as late as a start allows, and stopped when they are not needed for long enough.
  return needed.map((_, second) => {
    const soon = highest(second, lead + 1);
    if (soon > current) current = soon;
    else current = Math.min(current, highest(second, lead + hold));
    return current;
  });
}

/** The work that has arrived by each second, in consumer seconds. */
function workUpTo({ seconds, slowdown, overhead, batchSize, maxDeliveries, leaseSeconds }: Scenario, traffic: Traffic) {
  const work = new Float64Array(seconds + 1);
  const share = overhead / batchSize;
  for (let message = 0; message < traffic.count; message++) {
    const at = traffic.arrivesAt[message] as number;
    const cost = ((traffic.work[message] as number) + share) * slowdown(at);
    const attempts = traffic.isPoison[message] === 1 ? maxDeliveries : 1;
    for (let attempt = 0; attempt < attempts; attempt++) {
      const second = Math.floor(at) + attempt * (leaseSeconds + BETWEEN_ATTEMPTS);
      if (second < work.length) work[second] = (work[second] as number) + cost;
    }
  }
  const sums = new Float64Array(work.length + 1);
  for (const [second, each] of work.entries()) sums[second + 1] = (sums[second] as number) + each;
  return sums;
}

/** The fewest consumers at each second with which no deadline is missed, going through the work once. */
function neededPerSecond(scenario: Scenario, sums: Float64Array): number[] {
  const { objective, overhead, batchSize, work, minConsumers, downstream } = scenario;
  const { partitions } = scenario;
  const maxConsumers = Math.min(scenario.maxConsumers, partitions ?? Number.POSITIVE_INFINITY);
  const batchSeconds = overhead + batchSize * work.mean;
  const deadline = Math.max(
    1,
    Math.floor(Math.max(1, Math.min(DEADLINE_SHARE * objective, objective - 2 * batchSeconds))),
  );
  const seconds = sums.length - 1;
  let done = 0;
  return Array.from({ length: seconds }, (_, second) => {
    let rate = 0;
    for (let until = second + 1; until <= Math.min(seconds, second + LOOKAHEAD_SECONDS); until++) {
      const due = (sums[Math.max(0, until - deadline)] as number) - done;
      rate = Math.max(rate, due / (until - second));
    }
    const limit = downstream(second) * (batchSeconds / batchSize);
    const useful = Math.min(Math.ceil(rate / EFFICIENCY - 1e-6), Math.ceil(limit * 1.05));
    const consumers = Math.max(minConsumers, Math.min(maxConsumers, evenly(useful, partitions)));
    done = Math.min(sums[second + 1] as number, done + Math.min(consumers * EFFICIENCY, limit));
    return consumers;
  });
}

/** With partitions, the fewest consumers of which none owns more than it can work on; more than partitions have nothing to do. */
function evenly(consumers: number, partitions: number | null): number {
  if (partitions === null || consumers >= partitions) return Math.min(consumers, partitions ?? consumers);
  return Math.ceil(partitions / Math.max(1, Math.floor(partitions / Math.max(1, consumers))));
}

/** Replaces consumers that are going to crash, until they are back. */
function addStandIns(needed: number[], { crashes, restartAfter, startUp, maxConsumers }: Scenario): number[] {
  for (const { at, share } of crashes) {
    const from = Math.floor(at);
    const until = Math.min(needed.length - 1, Math.ceil(at + restartAfter + startUp.mean * 1.5));
    const extra = share === "one" ? 1 : Math.ceil((needed[from] as number) * share);
    for (let second = from; second <= until; second++) {
      needed[second] = Math.min(maxConsumers, (needed[second] as number) + extra);
    }
  }
  return needed;
}
