/** What `vitest --reporter=json` writes, as far as we read it. */
export interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly success: boolean;
  readonly testResults: readonly unknown[];
}

/** How the integration tests went on one server version. */
export interface ServerResult {
  /** The name it was asked for by: `redis-8.6`. */
  readonly server: string;
  /** What the server says it is: `redis 8.6.3`; null when none could be had. */
  readonly version: string | null;
  readonly files: number;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly seconds: number;
  /** Why this counts as a failure; null when it does not. */
  readonly failure: string | null;
}

/** Folds a run into a row. No report at all (a crash, nothing to run) is a failure, never a row of zeros. */
export function summariseRun(
  server: string,
  version: string,
  report: VitestReport | undefined,
  exitCode: number | null,
  seconds: number,
): ServerResult {
  if (report === undefined) {
    return noRun(server, version, `vitest ended with code ${exitCode} and without a report`, seconds);
  }
  const failed = report.numFailedTests;
  return {
    server,
    version,
    files: report.testResults.length,
    passed: report.numPassedTests,
    failed,
    skipped: report.numPendingTests + report.numTodoTests,
    seconds,
    failure: decideFailure(report, exitCode),
  };
}

/** A row for a server that no test ran on. */
export function noRun(server: string, version: string | null, failure: string, seconds: number): ServerResult {
  return { server, version, files: 0, passed: 0, failed: 0, skipped: 0, seconds, failure };
}

function decideFailure(report: VitestReport, exitCode: number | null): string | null {
  if (report.numFailedTests > 0) return `${report.numFailedTests} failed`;
  // A file that fails to load, or an unhandled rejection, fails the run without failing a test.
  if (!report.success || exitCode !== 0) return `the run failed outside its tests (code ${exitCode})`;
  if (report.numPassedTests === 0) return "no test ran";
  return null;
}

/** The rows as an aligned table. */
export function renderResults(results: readonly ServerResult[]): string {
  const rows = [
    ["server", "real version", "files", "passed", "failed", "skipped", "seconds", ""],
    ...results.map(({ server, version, files, passed, failed, skipped, seconds, failure }) => [
      ...[server, version ?? "–"],
      ...[files, passed, failed, skipped].map(String),
      ...[seconds.toFixed(1), failure ?? "ok"],
    ]),
  ];
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows
    .map((row) =>
      row
        // Names to the left, numbers to the right.
        .map((cell, column) =>
          column < 2 || column === 7 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
