/** What `vitest --reporter=json` writes, as far as we read it. */
export interface VitestReport {
  readonly success: boolean;
  readonly testResults: readonly {
    /** The path of the test file. */
    readonly name: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: "passed" | "failed" | "skipped" | "pending" | "todo" | "disabled";
    }[];
  }[];
}

/** Where a test runs. A test that needs both a Cluster and Sentinels counts in both places. */
export const PLACES = ["single", "cluster", "sentinel"] as const;
export type Place = (typeof PLACES)[number];

/** How many tests passed, failed, and were skipped. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** How the integration tests went on one server version. */
export interface ServerResult extends Readonly<Record<Place, Counts>> {
  /** The name it was asked for by: `redis-8.6`. */
  readonly server: string;
  /** What the server says it is: `redis 8.6.3`; null when none could be had. */
  readonly version: string | null;
  readonly files: number;
  /** All of them: each test once. */
  readonly all: Counts;
  readonly seconds: number;
  /** Why this counts as a failure; null when it does not. */
  readonly failure: string | null;
}

/**
 * Folds a run into a row. No report at all (a crash, nothing to run) is a failure, never a row of zeros.
 *
 * @param readTestFile gives the text of a test file, by its path
 */
export function summariseRun(
  server: string,
  version: string,
  report: VitestReport | undefined,
  exitCode: number | null,
  seconds: number,
  readTestFile: (path: string) => string,
): ServerResult {
  if (report === undefined) {
    return noRun(server, version, `vitest ended with code ${exitCode} and without a report`, seconds);
  }
  const tests = report.testResults.flatMap(({ name: path, assertionResults }) => {
    const text = readTestFile(path);
    return assertionResults.map(({ fullName, status }) => ({ status, places: placesOf(path, fullName, text) }));
  });
  const at = (place: Place) => count(tests.filter(({ places }) => places.includes(place)));
  const all = count(tests);
  return {
    ...{ server, version, files: report.testResults.length, all },
    ...{ single: at("single"), cluster: at("cluster"), sentinel: at("sentinel") },
    ...{ seconds, failure: decideFailure(report, all, exitCode) },
  };
}

/** A row for a server that no test ran on. */
export function noRun(server: string, version: string | null, failure: string, seconds: number): ServerResult {
  const none = count([]);
  return { server, version, files: 0, all: none, single: none, cluster: none, sentinel: none, seconds, failure };
}

/** A test runs on a Cluster when its file starts one, and the name of the test or of the file speaks of it; so with Sentinels. */
function placesOf(path: string, testName: string, text: string): readonly Place[] {
  const names = `${path.replace(/^.*[\\/]/, "")} ${testName}`;
  const isOn = (starts: readonly string[], word: RegExp) =>
    starts.some((start) => text.includes(start)) && word.test(names);
  const places: Place[] = [];
  // The second of each is how the tests of `chaos/` ask for it.
  if (isOn(["startCluster(", 'topology: "cluster"'], /cluster|slot/i)) places.push("cluster");
  if (isOn(["startSentinel(", 'topology: "sentinel"'], /sentinel|failover/i)) places.push("sentinel");
  return places.length === 0 ? ["single"] : places;
}

function count(tests: readonly { readonly status: string }[]): Counts {
  const passed = tests.filter(({ status }) => status === "passed").length;
  const failed = tests.filter(({ status }) => status === "failed").length;
  return { passed, failed, skipped: tests.length - passed - failed };
}

function decideFailure(report: VitestReport, all: Counts, exitCode: number | null): string | null {
  if (all.failed > 0) return `${all.failed} failed`;
  // A file that fails to load, or an unhandled rejection, fails the run without failing a test.
  if (!report.success || exitCode !== 0) return `the run failed outside its tests (code ${exitCode})`;
  if (all.passed === 0) return "no test ran";
  return null;
}

/** The rows as an aligned table. */
export function renderResults(results: readonly ServerResult[]): string {
  const rows = [
    ["server", "real version", "files", "passed", "on a Cluster", "with Sentinels", "failed", "skipped", "seconds", ""],
    ...results.map(({ server, version, files, all, cluster, sentinel, seconds, failure }) => [
      ...[server, version ?? "–"],
      ...[files, all.passed, cluster.passed, sentinel.passed, all.failed, all.skipped].map(String),
      ...[seconds.toFixed(1), failure ?? "ok"],
    ]),
  ];
  const last = (rows[0]?.length ?? 0) - 1;
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows
    .map((row) =>
      row
        // Names to the left, numbers to the right.
        .map((cell, column) =>
          column < 2 || column === last ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
