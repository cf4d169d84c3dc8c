import { inspect } from "node:util";
import { ConfigError } from "@redis-batch/core";
import { describe, expect, it } from "vitest";
import { Monitor } from "./monitor.ts";
import {
  MONITOR_DEFAULTS,
  type MonitorOptions,
  RUN_DEFAULTS,
  resolveCleanUpOptions,
  resolveMonitorOptions,
  resolveRunOptions,
} from "./options.ts";

const given: MonitorOptions = { redis: "redis://localhost", stream: "orders", group: "billing" };

function problemsOf(resolve: () => unknown): readonly string[] {
  try {
    resolve();
  } catch (error) {
    if (ConfigError.is(error)) return error.problems;
    throw error;
  }
  return [];
}

describe("resolveMonitorOptions", () => {
  it("fills in the documented defaults", () => {
    const policy = resolveMonitorOptions(given);
    expect(policy).toMatchObject({ ...MONITOR_DEFAULTS, group: "billing", graceMs: null });
    expect(Object.isFrozen(policy)).toBe(true);
  });

  it("watches one group, or all", () => {
    const { group: _, ...rest } = given;
    expect(resolveMonitorOptions({ ...rest, groups: "all" }).group).toBeNull();
    expect(problemsOf(() => resolveMonitorOptions(rest))).toEqual(['give group, or groups: "all"']);
    expect(problemsOf(() => resolveMonitorOptions({ ...given, groups: "all" }))).toEqual([
      "group and groups exclude each other; give one",
    ]);
  });

  it("never takes from a foreign consumer what it would not even warn of", () => {
    expect(resolveMonitorOptions({ ...given, idleThresholdMs: 3_600_000 }).foreignIdleMs).toBe(3_600_000);
    const earlier = { ...given, idleThresholdMs: 60_000, foreignIdleMs: 30_000 };
    expect(problemsOf(() => resolveMonitorOptions(earlier))).toEqual([
      "foreignIdleMs (30000) must not be below idleThresholdMs (60000)",
    ]);
  });

  it("names every problem at once", () => {
    const options = { stream: "", group: "g", batchsize: 1, graceMs: -1, handOverTo: "all", observer: 7 };
    const problems = problemsOf(() => resolveMonitorOptions(options as unknown as MonitorOptions));
    expect(problems.join("\n")).toMatch(/batchsize.*did you mean "batchSize"/);
    for (const name of ["redis", "stream", "graceMs", "handOverTo", "observer"]) {
      expect(problems.some((problem) => problem.startsWith(name))).toBe(true);
    }
  });
});

describe("the options of the calls", () => {
  it("have their defaults", () => {
    expect(resolveRunOptions({})).toEqual({ ...RUN_DEFAULTS, signal: undefined });
    expect(resolveCleanUpOptions("cleanUp", {})).toEqual({ dryRun: false, signal: undefined });
  });

  it("are checked: a dry run that is misspelt must not become a real one", () => {
    expect(problemsOf(() => resolveCleanUpOptions("cleanUp", { dryrun: true } as object))).toEqual([
      'unknown option "dryrun", did you mean "dryRun"?',
    ]);
    expect(problemsOf(() => resolveRunOptions({ intervalMs: 0 }))).toHaveLength(1);
  });
});

it("a monitor is shown with stream, group and state, and never with its options", () => {
  const shown = inspect(new Monitor({ ...given, redis: "redis://u:hunter2@localhost" }));
  expect(shown).toMatch(/^Monitor \{.*stream: 'orders',.*group: 'billing',.*state: 'idle'/s);
  expect(shown).not.toContain("hunter2");
});
