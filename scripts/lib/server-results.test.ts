import { describe, expect, it } from "vitest";
import { noRun, renderResults, summariseRun, type VitestReport } from "./server-results.ts";

const green: VitestReport = {
  numPassedTests: 40,
  numFailedTests: 0,
  numPendingTests: 2,
  numTodoTests: 0,
  success: true,
  testResults: [{}, {}, {}],
};

describe("summariseRun", () => {
  it("counts files and tests of a green run", () => {
    expect(summariseRun("redis-7.0", "redis 7.0.15", green, 0, 12.34)).toEqual({
      server: "redis-7.0",
      version: "redis 7.0.15",
      files: 3,
      passed: 40,
      failed: 0,
      skipped: 2,
      seconds: 12.34,
      failure: null,
    });
  });

  it.each([
    ["a failed test", { ...green, numFailedTests: 1, success: false }, 1, "1 failed"],
    ["a file that did not load", { ...green, success: false }, 1, "outside its tests"],
    ["an unhandled rejection", green, 1, "outside its tests"],
    ["everything skipped", { ...green, numPassedTests: 0 }, 0, "no test ran"],
    ["no report", undefined, 1, "without a report"],
    ["a killed run", undefined, null, "code null"],
  ])("is a failure with %s", (_, report, exitCode, failure) => {
    expect(summariseRun("redis-7.0", "redis 7.0.15", report, exitCode, 1).failure).toContain(failure);
  });
});

describe("renderResults", () => {
  it("aligns names to the left and numbers to the right", () => {
    const rows = [
      summariseRun("redis-7.0", "redis 7.0.15", green, 0, 9.96),
      noRun("valkey-8.0", null, "no such server here", 0.2),
    ];
    expect(renderResults(rows)).toBe(
      [
        "server      real version  files  passed  failed  skipped  seconds",
        "redis-7.0   redis 7.0.15      3      40       0        2     10.0  ok",
        "valkey-8.0  –                 0       0       0        0      0.2  no such server here",
      ].join("\n"),
    );
  });
});
