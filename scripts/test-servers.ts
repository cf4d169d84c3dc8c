// Runs the integration tests on each server version in turn and says how each of them did: on one server, on a Cluster, and
// with Sentinels.
//
//   pnpm test:servers                        all of them
//   pnpm test:servers redis-7.0 valkey-9.1   some
//   pnpm test:servers --binary /opt/redis-7.2/redis-server   a server of your own; may be given several times
//   pnpm test:servers --only packages/core   only the tests below this path; may be given several times
//   pnpm test:servers --json                 the table as JSON on stdout
//   pnpm test:servers --publish              puts the results into the guide; those of other servers stay as they are
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { findServer, isServerVersion, SERVER_VERSION_NAMES } from "@redis-batch/test-support";
import { ROOT } from "./lib/root.mjs";
import { type CapturedRun, runCaptured } from "./lib/run-captured.ts";
import {
  decodeServers,
  encodeServers,
  fillServerTable,
  publishResults,
  SERVER_GUIDE,
  SERVER_RESULTS,
  whyUnpublished,
} from "./lib/server-publication.ts";
import { noRun, renderResults, type ServerResult, summariseRun, type VitestReport } from "./lib/server-results.ts";

const { values: options, positionals } = parseArgs({
  options: {
    binary: { type: "string", multiple: true, default: [] },
    json: { type: "boolean", default: false },
    only: { type: "string", multiple: true, default: [] },
    publish: { type: "boolean", default: false },
  },
  allowPositionals: true,
});

const unknown = positionals.filter((name) => !isServerVersion(name));
if (unknown.length > 0) {
  giveUp(`There is no server called ${unknown.join(", ")}. There are: ${SERVER_VERSION_NAMES.join(", ")}.`);
}
if (options.publish && options.only.length > 0) giveUp("--publish needs all tests, so it cannot come with --only.");
const binaries = options.binary.map((path) => resolve(path));
const servers = positionals.length + binaries.length === 0 ? SERVER_VERSION_NAMES : [...positionals, ...binaries];

const results: ServerResult[] = [];
for (const server of servers) results.push(await testOn(server));
console.log(options.json ? JSON.stringify(results, null, 2) : `\n${renderResults(results)}`);
process.exitCode = results.some(({ failure }) => failure !== null) ? 1 : 0;
if (options.publish) publish();

function giveUp(why: string): never {
  console.error(why);
  process.exit(2);
}

/** @param server the name of a version, or the path of a server binary */
async function testOn(server: string): Promise<ServerResult> {
  const startedAt = performance.now();
  const seconds = (): number => (performance.now() - startedAt) / 1000;
  let found: { readonly name: string; readonly version: string };
  try {
    found = await identify(server);
  } catch (error) {
    console.error(`${server}: ${String(error)}`);
    return noRun(server, null, "no such server on this machine", seconds());
  }
  const { name, version } = found;
  console.error(`Testing on ${name} (${version}) …`);
  const { exitCode, report, output } = await runTests(server);
  const result = summariseRun(name, version, report, exitCode, seconds(), (path) => readFileSync(path, "utf8"));
  if (result.failure !== null) console.error(output);
  return result;
}

/** What to call a server, and what it says it is. */
async function identify(server: string): Promise<{ readonly name: string; readonly version: string }> {
  const source = await findServer({
    env: { ...process.env, REDIS_BATCH_TEST_URL: "", REDIS_BATCH_TEST_SERVER: server },
  });
  switch (source.kind) {
    case "binary": {
      const { flavour, version } = source;
      return { name: `${flavour}-${version.replace(/\.\d+$/, "")}`, version: `${flavour} ${version}` };
    }
    case "docker":
      return { name: server, version: source.image };
    case "external":
      return { name: server, version: source.url };
  }
}

function publish(): void {
  for (const result of results) {
    const why = whyUnpublished(result);
    if (why !== undefined) console.error(`${result.server} is not published: ${why}`);
  }
  const file = join(ROOT, SERVER_RESULTS);
  const date = new Date().toISOString().slice(0, 10);
  const published = publishResults(existsSync(file) ? decodeServers(readFileSync(file, "utf8")) : [], results, date);
  writeFileSync(file, encodeServers(published));
  const guide = join(ROOT, SERVER_GUIDE);
  writeFileSync(guide, fillServerTable(readFileSync(guide, "utf8"), published));
  console.error(`${SERVER_RESULTS} and ${SERVER_GUIDE} written`);
}

async function runTests(server: string): Promise<CapturedRun & { readonly report: VitestReport | undefined }> {
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
