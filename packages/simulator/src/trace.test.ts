import { ConfigError } from "@redis-batch/core";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SCENARIO_DEFAULTS } from "./scenarios.ts";
import { TRACE_LIMITS, type TracePoint, traceScenario } from "./trace.ts";
import { generateTraffic } from "./traffic.ts";

const ratesOf = (points: readonly TracePoint[]): number[] => {
  const { seconds, rate } = traceScenario(points);
  return Array.from({ length: seconds }, (_, second) => rate(second, 1));
};

const messagesOf = (points: readonly TracePoint[]): number =>
  points.reduce((sum, { at, perSecond }, index) => {
    const seconds = (points[index + 1]?.at ?? 2 * at - (points[index - 1]?.at ?? at)) - at;
    return sum + seconds * perSecond;
  }, 0);

describe("a trace of recorded rates", () => {
  it("has each rate hold until the next one, and the last one as long as the one before", () => {
    const points = [
      { at: 1_700_000_000, perSecond: 10 },
      { at: 1_700_000_003, perSecond: 0 },
      { at: 1_700_000_005, perSecond: 7 },
    ];
    expect(ratesOf(points)).toEqual([10, 10, 10, 0, 0, 7, 7]);
  });

  it("loses nothing that is shorter than a second", () => {
    const points = [0, 0.25, 0.5, 1.25].map((at, index) => ({ at, perSecond: index === 1 ? 1_000 : 0 }));
    expect(ratesOf(points)).toEqual([250, 0]);
    const some = fc.array(
      fc.record({ after: fc.integer({ min: 1, max: 400 }), perSecond: fc.integer({ min: 0, max: 90 }) }),
      { minLength: 2, maxLength: 20 },
    );
    fc.assert(
      fc.property(some, (steps) => {
        let at = 0;
        // Sixteenths have no rounding errors.
        const recorded = steps.map(({ after, perSecond }) => ({ at: (at += after / 16), perSecond }));
        const sum = ratesOf(recorded).reduce((total, each) => total + each, 0);
        expect(sum).toBeCloseTo(messagesOf(recorded), 6);
      }),
    );
  });

  it("begins with as many consumers as its first rate keeps busy, unless `firstConsumers` is given", () => {
    const points = [
      { at: 0, perSecond: 80 },
      { at: 60, perSecond: 0 },
    ];
    const work = { mean: 0.1, variation: 1 };
    const own = { work, overhead: 0, maxConsumers: 30 };
    expect(traceScenario(points, own)).toMatchObject({
      ...SCENARIO_DEFAULTS,
      ...own,
      firstConsumers: 10,
      seconds: 120,
    });
    expect(traceScenario(points, { ...own, maxConsumers: 6 }).firstConsumers).toBe(6);
    expect(traceScenario(points, { ...own, firstConsumers: 3 }).firstConsumers).toBe(3);
  });

  it("has that number of messages arrive, at other times with each seed", () => {
    const scenario = traceScenario([
      { at: 0, perSecond: 200 },
      { at: 100, perSecond: 0 },
    ]);
    const counts = [1, 2, 3].map((seed) => generateTraffic(scenario, seed).count);
    expect(new Set(counts).size).toBe(3);
    for (const count of counts) expect(Math.abs(count - 20_000)).toBeLessThan(5 * Math.sqrt(20_000));
  });

  it.each([
    [[{ at: 0, perSecond: 1 }], "two points at least"],
    [
      [
        { at: 0, perSecond: 1 },
        { at: 0, perSecond: 1 },
      ],
      "points[1].at must be a time later",
    ],
    [
      [
        { at: 0, perSecond: 1 },
        { at: Number.NaN, perSecond: 1 },
      ],
      "points[1].at must be a time later",
    ],
    [
      [
        { at: 0, perSecond: -1 },
        { at: 1, perSecond: 1 },
      ],
      "points[0].perSecond must be 0 or more",
    ],
    [
      [
        { at: 0, perSecond: 0 },
        { at: TRACE_LIMITS.seconds, perSecond: 0 },
      ],
      "must not be longer than 604800 s",
    ],
    [
      [
        { at: 0, perSecond: 1e6 },
        { at: 10, perSecond: 1 },
      ],
      "must have 10000000 messages at most",
    ],
  ])("refuses %j", (points, why) => {
    const make = () => traceScenario(points);
    expect(make).toThrow(ConfigError);
    expect(make).toThrow(why);
  });
});
