import { ConfigError } from "@redis-batch/core";
import { describe, expect, it } from "vitest";
import { resolveScalingOptions, SCALING_DEFAULTS, type ScalingOptions } from "./options.ts";

function problemsOf(options: ScalingOptions): readonly string[] {
  try {
    resolveScalingOptions(options);
  } catch (error) {
    if (ConfigError.is(error)) return error.problems;
    throw error;
  }
  return [];
}

describe("resolveScalingOptions", () => {
  it("fills in the defaults", () => {
    expect(resolveScalingOptions({})).toEqual({ ...SCALING_DEFAULTS, utilisation: null });
  });

  it("lets the ratio rule do what it always did: no limits, no cooldown", () => {
    const policy = resolveScalingOptions({ strategy: "ratio" });
    expect(policy).toMatchObject({
      minConsumers: 0,
      maxConsumers: 100_000,
      scaleInCooldownMs: 0,
      scaleOutCooldownMs: 0,
    });
    expect(policy).toMatchObject({ scaleOutRate: 50, scaleInRate: 10 });
  });

  it("raises the largest number where only a smallest above it is given", () => {
    expect(resolveScalingOptions({ minConsumers: 20 }).maxConsumers).toBe(20);
  });

  it.each([
    [{ scaleOutRate: 20, scaleInRate: 60 }, "scaleInRate (60) must not be above scaleOutRate (20)"],
    [{ scaleOutRate: 101 }, "scaleOutRate must be a number from 0 to 100, got 101"],
    [{ scaleInRate: -1 }, "scaleInRate must be a number from 0 to 100, got -1"],
    [{ minConsumers: 5, maxConsumers: 3 }, "maxConsumers (3) must not be below minConsumers (5)"],
    [{ objectiveMs: 0 }, "objectiveMs must be a whole number from 100 to 86400000, got 0"],
    [{ utilisation: 1 }, "utilisation must be a number from 0.1 to 0.99, got 1"],
    [{ maxConsumer: 4 } as ScalingOptions, 'unknown option "maxConsumer", did you mean "maxConsumers"?'],
  ])("refuses %o", (options, problem) => {
    expect(problemsOf(options)).toEqual([problem]);
  });
});
