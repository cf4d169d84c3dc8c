import { NO_DETAILS, NO_WORK, type Registration } from "@redis-batch/core/internal/groups";
import { describe, expect, it } from "vitest";
import { classifyConsumers } from "./consumer-activity.ts";

const NOW_MS = 1_000_000;

function registered(consumer: string, agoMs: number, state = "running", more = {}): [string, Registration] {
  const details = {
    ...NO_DETAILS,
    ...{ state, batchSize: 10, concurrency: 2, work: NO_WORK },
    ...more,
  };
  return [consumer, { consumer, atMs: NOW_MS - agoMs, leaseMs: 60_000, incarnation: "i", details }];
}
const server = (name: string, pending: number, idleMs: number) => ({ name, pending, idleMs });

describe("classifyConsumers", () => {
  it("counts those whose heartbeat is fresh, and tells what they do", () => {
    const { ready, lost, consumers } = classifyConsumers(
      new Map([registered("a", 0), registered("b", 15_000)]),
      [],
      [],
      1,
      NOW_MS,
    );
    expect({ ready, lost }).toEqual({ ready: 2, lost: 0 });
    const [first] = consumers;
    expect(first).toEqual({ name: "a", incarnation: "i", batchSize: 10, concurrency: 2, counters: NO_WORK });
  });

  it("does not count those that leave, but hears them out", () => {
    const { ready, lost, consumers } = classifyConsumers(new Map([registered("a", 0, "draining")]), [], [], 1, NOW_MS);
    expect({ ready, lost, told: consumers.length }).toEqual({ ready: 0, lost: 0, told: 1 });
  });

  it("counts those that fell silent as lost, and their messages once their lease is over", () => {
    const registry = new Map([registered("silent", 15_001), registered("dead", 60_001)]);
    const known = [server("silent", 5, 0), server("dead", 7, 0)];
    expect(classifyConsumers(registry, known, [], 1, NOW_MS)).toEqual({
      ready: 0,
      lost: 2,
      reclaimable: 7,
      elsewhere: 0,
      isAlone: false,
      consumers: [],
    });
  });

  it("takes one that sends no heartbeats for working while it does something now and then", () => {
    const known = [server("busy", 3, 60_000), server("gone", 9, 60_001)];
    expect(classifyConsumers(new Map(), known, [], 60_000, NOW_MS)).toEqual({
      ready: 1,
      lost: 0,
      reclaimable: 0,
      elsewhere: 0,
      isAlone: null,
      consumers: [],
    });
  });

  it("adds up how much of the active ones goes to other streams", () => {
    const share = (busyElsewhereRatio: number | null) => ({ busyElsewhereRatio });
    const registry = new Map([
      registered("a", 0, "running", share(0.75)),
      registered("b", 0, "running", share(0.5)),
      registered("of an earlier version", 0, "running", share(null)),
      registered("leaving", 0, "draining", share(1)),
      registered("silent", 15_001, "running", share(1)),
    ]);
    expect(classifyConsumers(registry, [], [], 1, NOW_MS)).toMatchObject({ ready: 3, elsewhere: 1.25 });
  });

  it("knows of a group with a consumer that must be the only one, also while that is silent", () => {
    const of = (...registry: readonly [string, Registration][]) =>
      classifyConsumers(new Map(registry), [], [], 1, NOW_MS).isAlone;
    const alone = { isAlone: true };
    expect(of(registered("a", 0, "running", alone))).toBe(true);
    expect(of(registered("a", 60_001, "running", alone), registered("b", 0))).toBe(true);
    expect(of(registered("a", 0, "running", { isAlone: false }))).toBe(false);
    expect(of()).toBeNull();
  });

  it("never takes the names that hold what nobody works on for consumers", () => {
    const known = ["rb:released", "rb:later", "rb:redrive"].map((name) => server(name, 7, 0));
    expect(classifyConsumers(new Map(), known, [], 60_000, NOW_MS)).toEqual({
      ready: 0,
      lost: 0,
      reclaimable: 0,
      elsewhere: 0,
      isAlone: null,
      consumers: [],
    });
  });

  it("reads the final reports of those that have left, and does not count them", () => {
    const [, left] = registered("left", 4_000, "draining");
    const { ready, lost, consumers } = classifyConsumers(new Map([registered("a", 0)]), [], [left], 1, NOW_MS);
    expect({ ready, lost, told: consumers.map(({ name }) => name) }).toEqual({
      ready: 1,
      lost: 0,
      told: ["a", "left"],
    });
  });
});
