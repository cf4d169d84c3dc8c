import { describe, expect, it } from "vitest";
import { POLICIES } from "./policies/index.ts";
import { throughput } from "./policies/ours.ts";
import type { Policy } from "./policy.ts";
import { simulate } from "./run.ts";
import type { Scenario } from "./scenario.ts";
import { SCENARIOS } from "./scenarios.ts";
import { generateTraffic } from "./traffic.ts";

const named = (name: string): Scenario => SCENARIOS.find((scenario) => scenario.name === name) as Scenario;
const still: Policy = {
  name: "still",
  title: "moves nothing",
  interval: 60,
  wakesAfter: null,
  start: () => ({ decide: ({ current }) => current }),
};

/** The share of messages that waits, by Erlang's formula. */
function shareThatWaits(load: number, servers: number): number {
  let blocked = 1;
  for (let server = 1; server <= servers; server++) blocked = (load * blocked) / (server + load * blocked);
  return (servers * blocked) / (servers - load * (1 - blocked));
}

describe("the simulated group", () => {
  // One message at a time, alike consumers that never change: a queue whose answer is known.
  it.each([
    { perSecond: 0.8, variation: 0, servers: 1 },
    { perSecond: 0.8, variation: 1, servers: 1 },
    { perSecond: 4, variation: 1, servers: 5 },
  ])("has messages wait as long as queueing theory says: %o", ({ perSecond, variation, servers }) => {
    const scenario: Scenario = {
      ...named("step"),
      seconds: 300_000,
      firstConsumers: servers,
      maxConsumers: servers,
      batchSize: 1,
      linger: 0,
      overhead: 0,
      unlikeness: 0,
      warmUp: { seconds: 0, factor: 1 },
      work: { mean: 1, variation },
      rate: () => perSecond,
    };
    const waits = servers === 1 ? perSecond : shareThatWaits(perSecond, servers);
    const meanWait = (waits * (1 + variation ** 2)) / 2 / (servers - perSecond);
    let looks = 0;
    let waiting = 0;
    simulate(scenario, generateTraffic(scenario, 1), 1, { ...still, interval: 7 }, (moment) => {
      looks++;
      waiting += moment.waiting;
    });
    // Little's law: as many wait as arrive during one wait.
    const simulated = waiting / looks / perSecond;
    expect(simulated / meanWait).toBeGreaterThan(0.92);
    expect(simulated / meanWait).toBeLessThan(1.08);
  });

  it("gives the same outcome every time", () => {
    const traffic = generateTraffic(named("cold"), 7);
    const run = () => POLICIES.map((policy) => simulate(named("cold"), traffic, 7, policy));
    expect(run()).toEqual(run());
  });

  it("says how long messages took", () => {
    const scenario: Scenario = {
      ...named("step"),
      ...{ seconds: 3_000, firstConsumers: 40, batchSize: 1, linger: 0, overhead: 0, unlikeness: 0 },
      ...{ warmUp: { seconds: 0, factor: 1 }, work: { mean: 2, variation: 0 }, rate: () => 1 },
    };
    const { messages, p99Seconds } = simulate(scenario, generateTraffic(scenario, 1), 1, still);
    // There is always somebody free: nothing waits, and each takes its two seconds.
    expect(p99Seconds).toBeGreaterThanOrEqual(2);
    expect(p99Seconds).toBeLessThanOrEqual(2.02);
    expect(messages).toBeGreaterThan(2_800);
    // Nobody comes: all are late, and as old as they are when it ends.
    const none = simulate({ ...scenario, minConsumers: 0, firstConsumers: 0 }, generateTraffic(scenario, 1), 1, still);
    expect(none.violationPercent).toBe(100);
    expect(none.p99Seconds).toBeGreaterThan(2_900);
  });

  it("counts consumer-hours, moves and reversals", () => {
    const scenario = { ...named("step"), seconds: 3_600, firstConsumers: 2, rate: () => 0 };
    const there = {
      ...still,
      start: () => ({ decide: ({ nowMs }: { nowMs: number }) => (nowMs === 1_800_000 ? 4 : 2) }),
    };
    const outcome = simulate(scenario, generateTraffic(scenario, 1), 1, there);
    expect(outcome).toEqual({
      messages: 0,
      violationPercent: 0,
      p99Seconds: 0,
      consumerHours: 2 + (2 * 60) / 3_600,
      actions: 2,
      reversals: 1,
      killedInFlight: 0,
    });
  });

  it("kills a consumer that takes too long to stop; other consumers get its messages", () => {
    const scenario: Scenario = {
      ...named("longjob"),
      seconds: 2_000,
      firstConsumers: 2,
      grace: 5,
      rate: (at) => (at < 1_000 ? 0.5 : 0),
      work: { mean: 4, variation: 0 },
    };
    const fewer = { ...still, start: () => ({ decide: ({ nowMs }: { nowMs: number }) => (nowMs >= 300_000 ? 1 : 2) }) };
    const outcome = simulate(scenario, generateTraffic(scenario, 1), 1, fewer);
    expect(outcome.killedInFlight).toBeGreaterThan(0);
    expect(simulate({ ...scenario, grace: 60 }, generateTraffic(scenario, 1), 1, fewer).killedInFlight).toBe(0);
  });
});

// The results when this was written, and a little more: a change that makes them worse must be meant.
describe("the throughput strategy", () => {
  it.each([
    { name: "cold", late: 0, hours: 3.8, reversals: 7 },
    { name: "trickle", late: 0, hours: 3.9, reversals: 9 },
    { name: "overhead", late: 0, hours: 6.7, reversals: 3 },
    { name: "sparse", late: 0.8, hours: 6, reversals: 38 },
    { name: "crash", late: 0.1, hours: 19, reversals: 3 },
    { name: "flapping", late: 0, hours: 17, reversals: 14 },
  ])("keeps its place on $name", ({ name, late, hours, reversals }) => {
    const scenario = named(name);
    const outcome = simulate(scenario, generateTraffic(scenario, 1), 1, throughput);
    expect(outcome.violationPercent).toBeLessThanOrEqual(late + 0.005);
    expect(outcome.consumerHours).toBeLessThanOrEqual(hours);
    expect(outcome.reversals).toBeLessThanOrEqual(reversals);
  });
});
