// Runs the integration tests on each server version in turn and says how each of them did.
//
//   pnpm test:servers                        all of them
//   pnpm test:servers redis-7.0 valkey-9.1   some
//   pnpm test:servers --only packages/core   only the tests below this path; may be given several times
//   pnpm test:servers --json                 the table as JSON on stdout
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { findServer, isServerVersion, SERVER_VERSION_NAMES, type ServerVersion } from "@redis-batch/test-support";
import { type CapturedRun, runCaptured } from "./lib/run-captured.ts";
import { noRun, renderResults, type ServerResult, summariseRun, type VitestReport } from "./lib/server-results.ts";

const { values: options, positionals } = parseArgs({
  options: { json: { type: "boolean", default: false }, only: { type: "string", multiple: true, default: [] } },
  allowPositionals: true,
});

const unknown = positionals.filter((name) => !isServerVersion(name));
if (unknown.length > 0) {
  console.error(`There is no server called ${unknown.join(", ")}. There are: ${SERVER_VERSION_NAMES.join(", ")}.`);
  process.exit(2);
}
const servers = positionals.length === 0 ? SERVER_VERSION_NAMES : positionals.filter(isServerVersion);

const results: ServerResult[] = [];
for (const server of servers) results.push(await testOn(server));
console.log(options.json ? JSON.stringify(results, null, 2) : `\n${renderResults(results)}`);
process.exitCode = results.some(({ failure }) => failure !== null) ? 1 : 0;

async function testOn(server: ServerVersion): Promise<ServerResult> {
  const startedAt = performance.now();
  const seconds = (): number => (performance.now() - startedAt) / 1000;
  let version: string;
  try {
    version = await realVersion(server);
  } catch (error) {
    console.error(`${server}: ${String(error)}`);
    return noRun(server, null, "no such server on this machine", seconds());
  }
  console.error(`Testing on ${server} (${version}) …`);
  const { exitCode, report, output } = await runTests(server);
  const result = summariseRun(server, version, report, exitCode, seconds());
  if (result.failure !== null) console.error(output);
  return result;
}

async function realVersion(server: ServerVersion): Promise<string> {
  const source = await findServer({ version: server });
  switch (source.kind) {
    case "binary":
      return `${source.flavour} ${source.version}`;
    case "docker":
      return source.image;
    case "external":
      return source.url;
  }
}

async function runTests(server: ServerVersion): Promise<CapturedRun & { readonly report: VitestReport | undefined }> {
  // A running server named by URL would win over the version that is asked for here.
  const { REDIS_BATCH_TEST_URL: _, ...env } = process.env;
  const folder = mkdtempSync(join(tmpdir(), "rb-report-"));
  const file = join(folder, "report.json");
  try {
    const run = await runCaptured(
      "vitest",
      [
        ...["run", "--project=integration", "--reporter=default", "--reporter=json", `--outputFile.json=${file}`],
        ...options.only,
      ],
      { ...env, REDIS_BATCH_TEST_SERVER: server },
    );
    return { ...run, report: existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as VitestReport) : undefined };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
