// Installs the packed packages in empty folders, as users would, and uses them there: the libraries on every Node we
// support by import, require(), TypeScript declarations and with a real server, each without the others; the command line
// by npx on the oldest and the newest.
//
//   REDIS_BATCH_SMOKE_URL   a running server to use; by default the one the tests use
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { RedisServer } from "@redis-batch/test-support";
import { readInstallation } from "./lib/installed.ts";
import { build, pack } from "./lib/pack.ts";
import { publishedPackages, readManifest } from "./lib/packages.ts";
import { PackedRegistry } from "./lib/packed-registry.ts";
import { ROOT } from "./lib/root.mjs";
import { runIn } from "./lib/run-in.ts";
import { installTool } from "./lib/tool.ts";
import { tryCommandLine } from "./lib/try-command-line.ts";

// The floor of `engines`, and the newest of each line after it.
const NODE_VERSIONS = ["20.19", "22", "24"];
// The oldest and the newest, each with the npm that comes with it.
const NPX_VERSIONS = [
  { node: "20.19", npm: "10.8" },
  { node: "24", npm: "11" },
];
// Besides those the workspace has anyway: tsc is the native one (7), tsc6 the last JavaScript one.
const TYPESCRIPT_VERSION = "5.8";
// What is installed on its own.
const LIBRARIES = ["consumer", "monitor", "scaler"];

build();
const folder = mkdtempSync(join(tmpdir(), "rb-smoke-"));
try {
  await using registry = await PackedRegistry.start(packAll());
  await using server = await startServer();
  await step("consumer, monitor and scaler each install core and ioredis, and nothing else", () =>
    all(LIBRARIES.map((library) => installLibrary(library, registry))),
  );
  await step("TypeScript 5.8, 6 and 7 understand their declarations", compile);
  for (const version of NODE_VERSIONS) {
    const node = await nodeBinary(version);
    await step(`Node ${version}: import and require() give the same, and each is used alone`, () =>
      all(LIBRARIES.map((library) => useLibrary(node, library, importsOf(library), server.url))),
    );
  }
  await step(`Node ${NPX_VERSIONS.map(({ node }) => node).join(" and ")}: npx runs the command line anywhere`, () =>
    all(NPX_VERSIONS.map((versions) => useCommandLine(versions, registry, server.url))),
  );
} finally {
  rmSync(folder, { recursive: true });
}

/** All that a package offers to import. */
function importsOf(library: string): readonly string[] {
  const { name, exports = {} } = readManifest(join(ROOT, "packages", library));
  return Object.keys(exports)
    .filter((path) => path !== "./package.json")
    .map((path) => `${name}${path.slice(1)}`);
}

function packAll(): readonly string[] {
  return publishedPackages(ROOT).map((published) => pack(published, join(folder, "packed")));
}

async function installLibrary(library: string, registry: PackedRegistry): Promise<void> {
  const home = join(folder, library);
  for (const files of ["import.mjs", "require.cjs", library]) {
    cpSync(join(ROOT, "scripts/smoke", files), files === library ? home : join(home, files), { recursive: true });
  }
  const application = {
    private: true,
    type: "module",
    dependencies: { [`@redis-batch/${library}`]: "*" },
    devDependencies: { "@types/node": "20" },
  };
  writeFileSync(join(home, "package.json"), JSON.stringify(application, null, 2));
  await run(home, "npm", ["install", "--no-audit", "--no-fund"], registry.env);
  expectInstalled(home, [library]);
}

async function compile(): Promise<void> {
  const compilerOptions = { strict: true, exactOptionalPropertyTypes: true, target: "es2022", module: "nodenext" };
  const typeRoots = [`${LIBRARIES[0]}/node_modules/@types`];
  writeFileSync(
    join(folder, "tsconfig.json"),
    JSON.stringify({
      compilerOptions: { ...compilerOptions, skipLibCheck: false, noEmit: true, types: ["node"], typeRoots },
      files: LIBRARIES.flatMap((library) => [`${library}/types.mts`, `${library}/types.cts`]),
    }),
  );
  const oldest = join(await installTool("typescript", TYPESCRIPT_VERSION), "bin/tsc");
  await all(["tsc", "tsc6", oldest].map((compiler) => run(folder, compiler, [])));
}

async function useLibrary(node: string, library: string, names: readonly string[], url: string): Promise<void> {
  const home = join(folder, library);
  await runQuietly(home, node, ["import.mjs", ...names]);
  await runQuietly(home, node, ["require.cjs", ...names]);
  await runQuietly(home, node, ["use.mjs", url]);
}

async function useCommandLine(
  versions: (typeof NPX_VERSIONS)[number],
  registry: PackedRegistry,
  url: string,
): Promise<void> {
  const node = await nodeBinary(versions.node);
  const script = join(await installTool("npm", versions.npm), "bin/npx-cli.js");
  const cache = join(folder, `npm-cache-${versions.node}`);
  const empty = join(folder, `empty-${versions.node}`);
  mkdirSync(empty);
  const env = {
    ...registry.env,
    PATH: [dirname(node), process.env["PATH"]].join(delimiter),
    npm_config_cache: cache,
    // The npm that runs this may have been told to say nothing.
    npm_config_loglevel: "warn",
    npm_config_update_notifier: "false",
    REDIS_URL: url,
    // No contexts of whoever runs this.
    XDG_CONFIG_HOME: empty,
  };
  const [core] = publishedPackages(ROOT);
  await tryCommandLine({ node, script, folder: empty, env }, core?.manifest.version ?? "");
  const [home = ""] = readdirSync(join(cache, "_npx"));
  expectInstalled(join(cache, "_npx", home), ["cli", "consumer", "monitor", "scaler"]);
}

/** These of ours, with core and ioredis: what only some need, such as gRPC, is for them to install. */
function expectInstalled(home: string, ours: readonly string[]): void {
  const { names, packages, megabytes } = readInstallation(home);
  const expected = [...["core", ...ours].map((name) => `@redis-batch/${name}`).toSorted(), "ioredis"];
  if (names.join() !== expected.join())
    throw new Error(`${names.join(", ")} are installed, not ${expected.join(", ")}`);
  console.log(`  ${ours[0]}: ${packages} packages, ${megabytes.toFixed(1)} MB`);
}

function startServer(): Promise<RedisServer> {
  const url = process.env["REDIS_BATCH_SMOKE_URL"] ?? process.env["REDIS_BATCH_TEST_URL"];
  return url ? Promise.resolve(RedisServer.external(url)) : RedisServer.start();
}

async function nodeBinary(version: string): Promise<string> {
  return join(await installTool("node", version), "bin/node");
}

async function run(home: string, file: string, args: readonly string[], env = {}): Promise<string> {
  const { code, stdout, stderr } = await runIn(home, file, args, { env });
  if (code !== 0) throw new Error(`${file} ${args.join(" ")} ended with ${code}:\n${stdout}${stderr}`);
  return `${stdout}${stderr}`;
}

/** The same, with nothing to say: the warning Node gives for an experimental feature is one our users would see. */
async function runQuietly(home: string, file: string, args: readonly string[]): Promise<void> {
  const output = await run(home, file, args);
  if (output !== "") throw new Error(`${file} ${args.join(" ")} was expected to say nothing, but said:\n${output}`);
}

/** Waits for all to end, also when one has failed: none is left at work in a folder that is gone. */
async function all(work: readonly Promise<unknown>[]): Promise<void> {
  const failed = (await Promise.allSettled(work)).find((end) => end.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}

async function step(name: string, action: () => Promise<void>): Promise<void> {
  const startedAt = performance.now();
  await action();
  console.log(`✓ ${name} (${((performance.now() - startedAt) / 1000).toFixed(1)} s)`);
}
