import { describe, expect, it } from "vitest";
import { createConsumer, isFreePlace, lateOf, nextBatch, patienceOf, roomOf, slowOf } from "./consumer.ts";

const scenario = { batchSize: 10, prefetch: 1, linger: 2 };
const idle = () => ({ ...createConsumer(1, 0, 1), state: "idle" as const });
const busy = (slowSeconds: number) => ({ ...idle(), state: "busy" as const, batchSince: 100, slowSeconds });
const held = (count: number, since: number) => Array.from({ length: count }, (_, message) => ({ message, since }));
const one = (): number => 0;

describe("a simulated consumer", () => {
  it("reads a batch and the next one ahead", () => {
    expect(roomOf(idle(), scenario, 100)).toBe(20);
    expect(roomOf({ ...idle(), held: held(3, 100) }, scenario, 100)).toBe(17);
    expect(roomOf(busy(1), scenario, 101)).toBe(10);
    expect(roomOf(idle(), { ...scenario, prefetch: 0 }, 100)).toBe(10);
  });

  it("reads nothing ahead while its batches take longer than a batch is collected, and a second at least", () => {
    expect(roomOf(busy(2.1), scenario, 101)).toBe(0);
    expect(roomOf(busy(1), scenario, 102.1)).toBe(0);
    expect(roomOf({ ...idle(), slowSeconds: 9 }, scenario, 100)).toBe(10);
    expect([patienceOf({ linger: 0.2 }), patienceOf({ linger: 5 })]).toEqual([1, 5]);
    // One slow batch is forgotten after some quick ones.
    expect(slowOf({ ...idle(), slowSeconds: 3 }, 1)).toBeCloseTo(2.7);
    expect(slowOf({ ...idle(), slowSeconds: 1 }, 3)).toBe(3);
  });

  it("reads nothing before it is up, and when it stops", () => {
    expect(roomOf(createConsumer(1, 0, 1), scenario, 100)).toBe(0);
    expect(roomOf({ ...idle(), isDraining: true }, scenario, 100)).toBe(0);
  });

  it("begins a batch when it is full, or when its oldest message has waited long enough", () => {
    expect(nextBatch({ ...idle(), held: held(12, 100) }, scenario, one, 100)).toHaveLength(10);
    expect(nextBatch({ ...idle(), held: held(3, 100) }, scenario, one, 101.9)).toEqual([]);
    expect(nextBatch({ ...idle(), held: held(3, 100) }, scenario, one, 102)).toEqual([0, 1, 2]);
    expect(nextBatch({ ...busy(1), held: held(12, 100) }, scenario, one, 109)).toEqual([]);
  });

  it("has messages of one partition in a batch", () => {
    const odd = (message: number): number => message % 2;
    expect(nextBatch({ ...idle(), held: held(12, 100) }, scenario, odd, 100)).toEqual([]);
    expect(nextBatch({ ...idle(), held: held(12, 100) }, scenario, odd, 103)).toEqual([0, 2, 4, 6, 8, 10]);
    expect(nextBatch({ ...idle(), held: held(21, 100) }, scenario, odd, 100)).toEqual([
      0, 2, 4, 6, 8, 10, 12, 14, 16, 18,
    ]);
  });

  it("knows what it has read ahead for too long, and says with its heartbeat whether it has a free place", () => {
    expect(lateOf({ ...busy(1), held: [...held(2, 100), ...held(1, 101)] }, scenario, 102)).toEqual([0, 1]);
    expect(isFreePlace(idle())).toBe(true);
    expect(isFreePlace({ ...idle(), isDraining: true })).toBe(false);
    expect(isFreePlace({ ...busy(1), reported: { ...idle().reported, isFree: false } })).toBe(false);
  });
});
