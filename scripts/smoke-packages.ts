// Installs the packed consumer in an empty folder, as a user would, and uses it there on every Node we support: import,
// require(), TypeScript declarations, and a round trip through a real server.
//
//   REDIS_BATCH_SMOKE_URL   a running server to use; by default the one the tests use
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RedisServer } from "@redis-batch/test-support";
import { build, pack } from "./lib/pack.ts";
import { publishedPackages } from "./lib/packages.ts";
import { ROOT } from "./lib/root.mjs";

// The floor of `engines`, and the newest of each line after it.
const NODE_VERSIONS = ["20.19", "22", "24"];
// Besides those the workspace has anyway: tsc is the native one (7), tsc6 the last JavaScript one.
const TYPESCRIPT_VERSION = "5.8";

build();
const folder = mkdtempSync(join(tmpdir(), "rb-smoke-"));
try {
  step("installs with ioredis and nothing else of ours", installConsumer);
  step("TypeScript 5.8, 6 and 7 understand its declarations", compile);
  await using server = await startServer();
  for (const version of NODE_VERSIONS) {
    const node = nodeBinary(version);
    step(`Node ${version}: import and require() give the same classes`, () => {
      runQuietly(node, ["import.mjs"]);
      runQuietly(node, ["require.cjs"]);
    });
    step(`Node ${version}: produces, consumes, acknowledges`, () => runQuietly(node, ["round-trip.mjs", server.url]));
  }
} finally {
  rmSync(folder, { recursive: true });
}

function installConsumer(): void {
  cpSync(join(ROOT, "scripts/smoke"), folder, { recursive: true });
  const tarballs = new Map(
    publishedPackages(ROOT).map((published) => [
      published.manifest.name,
      `file:${pack(published, join(folder, "packed"))}`,
    ]),
  );
  const core = tarballs.get("@redis-batch/core");
  // As from a registry: the application names the consumer, and core comes as its dependency.
  const application = {
    private: true,
    type: "module",
    dependencies: { "@redis-batch/consumer": tarballs.get("@redis-batch/consumer") },
    devDependencies: { "@types/node": "20" },
    overrides: { "@redis-batch/core": core },
  };
  writeFileSync(join(folder, "package.json"), JSON.stringify(application, null, 2));
  run("npm", ["install", "--no-audit", "--no-fund"]);
  expectEntries(join(folder, "node_modules/@redis-batch"), ["consumer", "core"]);
  if (!existsSync(join(folder, "node_modules/ioredis/package.json"))) throw new Error("ioredis was not installed");
}

function compile(): void {
  const compilerOptions = { strict: true, exactOptionalPropertyTypes: true, target: "es2022", module: "nodenext" };
  writeFileSync(
    join(folder, "tsconfig.json"),
    JSON.stringify({
      compilerOptions: { ...compilerOptions, skipLibCheck: false, noEmit: true, types: ["node"] },
      files: ["types.mts", "types.cts"],
    }),
  );
  run("tsc", []);
  run("tsc6", []);
  run(join(installTool("typescript", TYPESCRIPT_VERSION), "bin/tsc"), []);
}

function startServer(): Promise<RedisServer> {
  const url = process.env["REDIS_BATCH_SMOKE_URL"] ?? process.env["REDIS_BATCH_TEST_URL"];
  return url ? Promise.resolve(RedisServer.external(url)) : RedisServer.start();
}

function nodeBinary(version: string): string {
  return join(installTool("node", version), "bin/node");
}

/** A package from npm in a version of its own, kept in the checkout's cache. Returns its folder. */
function installTool(name: string, version: string): string {
  const home = join(ROOT, ".cache", `${name}-versions`, version);
  const installed = join(home, "node_modules", name);
  if (!existsSync(join(installed, "package.json"))) {
    mkdirSync(home, { recursive: true });
    writeFileSync(join(home, "package.json"), '{ "private": true }');
    execFileSync("npm", ["install", "--no-audit", "--no-fund", "--prefix", home, `${name}@${version}`], {
      stdio: "pipe",
    });
  }
  return installed;
}

function expectEntries(path: string, expected: readonly string[]): void {
  const found = readdirSync(path).toSorted();
  if (found.join() !== expected.join())
    throw new Error(`${path} holds ${found.join(", ")}, not ${expected.join(", ")}`);
}

/** Runs a command in the application's folder. */
function run(file: string, args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(file, args, { cwd: folder, encoding: "utf8" });
  if (status !== 0) throw new Error(`${file} ${args.join(" ")} failed:\n${error?.message ?? ""}${stdout}${stderr}`);
  return `${stdout}${stderr}`;
}

/** The same, with nothing to say: the warning Node gives for an experimental feature is one our users would see. */
function runQuietly(file: string, args: readonly string[]): void {
  const output = run(file, args);
  if (output !== "") throw new Error(`${file} ${args.join(" ")} was expected to say nothing, but said:\n${output}`);
}

function step(name: string, action: () => void): void {
  const startedAt = performance.now();
  action();
  console.log(`✓ ${name} (${((performance.now() - startedAt) / 1000).toFixed(1)} s)`);
}
