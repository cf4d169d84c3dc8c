import { inspect } from "node:util";
import { ConfigError } from "@redis-batch/core";
import { describe, expect, it } from "vitest";
import { Scaler } from "./scaler.ts";
import { resolveScalerOptions, SCALER_DEFAULTS, type ScalerOptions } from "./scaler-options.ts";

const given: ScalerOptions = { redis: "redis://localhost", stream: "orders", group: "billing" };

function problemsOf(options: object): readonly string[] {
  try {
    resolveScalerOptions(options as ScalerOptions);
  } catch (error) {
    if (ConfigError.is(error)) return error.problems;
    throw error;
  }
  return [];
}

describe("resolveScalerOptions", () => {
  it("fills in the documented defaults", () => {
    const policy = resolveScalerOptions(given);
    expect(policy).toMatchObject({ ...given, ...SCALER_DEFAULTS, observer: undefined });
    expect(Object.isFrozen(policy)).toBe(true);
  });

  it("names every problem at once", () => {
    const options = { stream: "a}b", gruop: "g", connectTimeoutMs: 5, auditLength: 1, observer: "log" };
    expect(problemsOf(options)).toEqual([
      'unknown option "gruop", did you mean "group"?',
      "redis is missing: a URL, ioredis options, or an ioredis client",
      "connectTimeoutMs must be a whole number from 100 to 600000, got 5",
      "observer must be a function",
      expect.stringContaining('"a}b" contains "}" outside a hash tag') as string,
      "group must be a non-empty text, got undefined",
      "auditLength must be a whole number from 100 to 1000000, got 1",
    ]);
  });
});

it("a scaler is shown with stream, group and state, and never with its options", () => {
  const shown = inspect(new Scaler({ ...given, redis: "redis://u:hunter2@localhost" }));
  expect(shown).toMatch(/^Scaler \{.*stream: 'orders',.*group: 'billing',.*state: 'idle'/s);
  expect(shown).not.toContain("hunter2");
});
