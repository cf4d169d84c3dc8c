import { describe, expect, it } from "vitest";
import { noRun, renderResults, type ServerResult, summariseRun, type VitestReport } from "./server-results.ts";

const tests = (...names: readonly (readonly [string, "passed" | "failed" | "skipped"])[]) =>
  names.map(([fullName, status]) => ({ fullName, status }));

const green: VitestReport = {
  success: true,
  testResults: [
    {
      name: "/p/test/plain.test.ts",
      assertionResults: tests(["adds", "passed"], ["tells a Cluster by its URL", "passed"], ["trims", "skipped"]),
    },
    {
      name: "/p/test/mixed.test.ts",
      assertionResults: tests(
        ["over a URL adds", "passed"],
        ["over a Cluster adds", "passed"],
        ["over a Cluster trims", "skipped"],
        ["behind Sentinels adds", "passed"],
        ["a Sentinel is taken for a Cluster", "passed"],
        ["the server goes on after a failover", "passed"],
        ["the server goes on while a slot is half moved", "passed"],
      ),
    },
    { name: "/p/test/cluster-faults.test.ts", assertionResults: tests(["goes on", "passed"]) },
    { name: "/p/test/chaos.test.ts", assertionResults: tests(["in a Cluster", "passed"]) },
  ],
};
const FILES: Readonly<Record<string, string>> = {
  "/p/test/plain.test.ts": "useServer()",
  "/p/test/mixed.test.ts": "startCluster({}); startSentinel({})",
  "/p/test/cluster-faults.test.ts": "startCluster({})",
  "/p/test/chaos.test.ts": 'pass({ topology: "cluster" })',
};

function summary(report: VitestReport | undefined, exitCode: number | null = 0, seconds = 12.34): ServerResult {
  return summariseRun("redis-7.0", "redis 7.0.15", report, exitCode, seconds, (path) => FILES[path] ?? "");
}

describe("summariseRun", () => {
  it("counts a green run", () => {
    expect(summary(green)).toMatchObject({
      server: "redis-7.0",
      version: "redis 7.0.15",
      files: 4,
      all: { passed: 10, failed: 0, skipped: 2 },
      seconds: 12.34,
      failure: null,
    });
  });

  it("counts a test for a Cluster or Sentinels where its file starts them and a name speaks of them", () => {
    expect(summary(green)).toMatchObject({
      single: { passed: 3, failed: 0, skipped: 1 },
      cluster: { passed: 5, failed: 0, skipped: 1 },
      sentinel: { passed: 3, failed: 0, skipped: 0 },
    });
  });

  const failing = { name: "/p/test/plain.test.ts", assertionResults: tests(["adds", "failed"]) };
  const skipping = { name: "/p/test/plain.test.ts", assertionResults: tests(["adds", "skipped"]) };
  it.each([
    ["a failed test", { success: false, testResults: [failing] }, 1, "1 failed"],
    ["a file that did not load", { ...green, success: false }, 1, "outside its tests"],
    ["an unhandled rejection", green, 1, "outside its tests"],
    ["everything skipped", { success: true, testResults: [skipping] }, 0, "no test ran"],
    ["no report", undefined, 1, "without a report"],
    ["a killed run", undefined, null, "code null"],
  ])("is a failure with %s", (_, report, exitCode, failure) => {
    expect(summary(report, exitCode).failure).toContain(failure);
  });
});

describe("renderResults", () => {
  it("aligns names to the left and numbers to the right", () => {
    const rows = [summary(green, 0, 9.96), noRun("valkey-8.0", null, "no such server here", 0.2)];
    expect(renderResults(rows)).toBe(
      [
        "server      real version  files  passed  on a Cluster  with Sentinels  failed  skipped  seconds",
        "redis-7.0   redis 7.0.15      4      10             5               3       0        2     10.0  ok",
        "valkey-8.0  –                 0       0             0               0       0        0      0.2  no such server here",
      ].join("\n"),
    );
  });
});
