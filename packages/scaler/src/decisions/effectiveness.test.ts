import { describe, expect, it } from "vitest";
import {
  ALL_EFFECTIVE,
  type EffectivenessMemory,
  type Effort,
  effectiveTarget,
  judgeEffect,
  recordOrder,
} from "./effectiveness.ts";
import type { Sample } from "./samples.ts";

const LOOK_MS = 5_000;

/** A group whose consumers are doubled from 4 to 8 after a minute; they work 20 s later. */
function double(
  perSecond: (ready: number, atMs: number) => number,
  untilMs: number,
  isSaturated = true,
  arrivingPerSecond = 200,
) {
  const deliveries: Sample[] = [];
  let delivered = 0;
  let memory: EffectivenessMemory = ALL_EFFECTIVE;
  for (let atMs = 0; atMs <= untilMs; atMs += LOOK_MS) {
    const isThere = atMs >= 80_000;
    const ready = isThere && memory.cap === null ? 8 : 4;
    delivered += (perSecond(ready, atMs) * LOOK_MS) / 1_000;
    deliveries.push({ atMs, count: delivered });
    const isStarting = atMs >= 60_000 && !isThere;
    const effort: Effort = { ready, isStarting, isDisturbed: false, isSaturated, arrivingPerSecond, deliveries };
    memory = judgeEffect(memory, effort, 1, atMs);
    if (atMs === 60_000) memory = recordOrder(memory, effort, 4, 8, atMs);
  }
  return memory;
}

const bottleneck = (): number => 70;
const each = (ready: number): number => ready * 10;

describe("judgeEffect", () => {
  it("caps the consumers at the number before when more of them brought nothing", () => {
    const memory = double(bottleneck, 150_000);
    expect(memory.cap).toMatchObject({ consumers: 4, beforePerSecond: 70, afterPerSecond: 70 });
    expect(effectiveTarget(memory, 20, 8)).toBe(4);
  });

  it("is content when they brought what they should", () => {
    expect(double(each, 150_000)).toEqual(ALL_EFFECTIVE);
  });

  it("does not judge when what waited is worked off", () => {
    expect(double(bottleneck, 150_000, false)).toEqual(ALL_EFFECTIVE);
  });

  it("is content when the backlog shrinks, however little they brought", () => {
    expect(double(bottleneck, 150_000, true, 69)).toEqual(ALL_EFFECTIVE);
    expect(double(bottleneck, 150_000, true, 71).cap).not.toBeNull();
  });

  it("waits until the new ones have worked for a while", () => {
    expect(double(bottleneck, 115_000)).toMatchObject({ cap: null, trial: { from: 4, to: 8 } });
  });

  it("tries again with a few when the cap is ten minutes old", () => {
    const memory = double(bottleneck, 120_000 + 600_000);
    expect(memory).toMatchObject({ cap: null, isProbing: true });
    expect(effectiveTarget(memory, 20, 4)).toBe(5);
  });

  it("lifts the cap when as many achieve half as much again", () => {
    const memory = double((_, atMs) => (atMs < 200_000 ? 70 : 140), 230_000);
    expect(memory).toMatchObject({ cap: null, isProbing: false });
  });

  it("undoes a cap that made it worse, and does not cap again for half an hour", () => {
    const memory = double((_, atMs) => (atMs < 130_000 ? 70 : 35), 260_000);
    expect(memory).toMatchObject({ cap: null, trustUntilMs: 120_000 + 65_000 + 1_800_000 });
  });

  it("concludes nothing when consumers are missing", () => {
    const effort: Effort = {
      ...{ ready: 3, isStarting: false, isDisturbed: false, isSaturated: true, arrivingPerSecond: 9, deliveries: [] },
    };
    expect(recordOrder(ALL_EFFECTIVE, effort, 4, 8, 0)).toEqual(ALL_EFFECTIVE);
    const started = recordOrder(ALL_EFFECTIVE, { ...effort, ready: 4 }, 4, 8, 0);
    expect(judgeEffect(started, { ...effort, isDisturbed: true }, 1, 5_000).trial).toBeNull();
  });
});
