// Installs the packed packages in empty folders, as users would, and uses them there: the libraries on every runtime we
// support by import and require(), in Jest, bundled, by TypeScript declarations, and with a real server, each without the
// others; the command line by npx on the oldest and the newest.
//
//   REDIS_BATCH_SMOKE_URL   a running server to use; by default the one the tests use
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { RedisServer } from "@redis-batch/test-support";
import { byBun, byEsbuild, byWebpack } from "./lib/bundles.ts";
import { tryExamples, tryReadmeWorker, writeTests } from "./lib/examples.ts";
import { readInstallation } from "./lib/installed.ts";
import { build, pack } from "./lib/pack.ts";
import { publishedDoors, publishedPackages, readManifest } from "./lib/packages.ts";
import { PackedRegistry } from "./lib/packed-registry.ts";
import { publishTarball } from "./lib/publish-tarball.ts";
import { ROOT } from "./lib/root.mjs";
import { runIn } from "./lib/run-in.ts";
import { bun, deno, node, type Runtime } from "./lib/runtimes.ts";
import { COMPILERS, IOREDIS_VERSIONS, NODE_VERSIONS, NPX_VERSIONS } from "./lib/supported.ts";
import { installTool } from "./lib/tool.ts";
import { tryCommandLine } from "./lib/try-command-line.ts";

// Each is installed on its own.
const LIBRARIES = ["core", "consumer", "monitor", "scaler", "simulator", "dashboard", "opentelemetry", "testing"];
// What else of ours comes with one, beside core.
const INSTALLED_WITH: Readonly<Record<string, readonly string[]>> = {
  ...{ simulator: ["scaler"], dashboard: ["monitor"], testing: ["consumer"] },
};
// And what of others, beside ioredis.
const OF_OTHERS: Readonly<Record<string, readonly string[]>> = {
  dashboard: ["@hono/node-server", "hono"],
  opentelemetry: ["@opentelemetry/api"],
};
const ALL_LIBRARIES = Object.fromEntries(LIBRARIES.map((library) => [`@redis-batch/${library}`, "*"]));
const NAMES = LIBRARIES.flatMap(namesOf);

// How a project may have its modules found; node10 is what TypeScript 7 has no more.
const RESOLUTIONS = {
  node10: { module: "commonjs", moduleResolution: "node10" },
  node16: { module: "node16" },
  nodenext: { module: "nodenext" },
  bundler: { module: "preserve", moduleResolution: "bundler" },
};

build();
const folder = mkdtempSync(join(tmpdir(), "rb-smoke-"));
try {
  const tarballs = packAll();
  await using registry = await PackedRegistry.start(tarballs);
  await using server = await startServer();
  const nodes = await Promise.all(NODE_VERSIONS.map(node));
  const oldest = nodes[0] as Runtime;
  const others = (await Promise.all([available("Bun", bun), available("Deno", deno)])).flat();
  await step("npm would publish each of them", async () => {
    for (const tarball of tarballs) publishTarball(tarball, { isReal: false });
  });
  await step(
    "each library installs core and ioredis, three of them a sibling as well, two what they are for, and nothing else",
    () => all(LIBRARIES.map((library) => installLibrary(library, registry))),
  );
  await step("TypeScript 5.8, 6 and 7 understand their declarations, by node10, node16, nodenext and bundler", compile);
  for (const runtime of [...nodes, ...others]) {
    await step(`${runtime.name}: import and require() give the same, and each is used alone`, () =>
      all(LIBRARIES.map((library) => useLibrary(runtime, library, server.url))),
    );
  }
  await step("Jest and ts-jest: each loads and works, in CommonJS; the guides' tests pass", () =>
    useJest(nodes, registry, server.url),
  );
  // Vitest itself needs Node 22.
  await step("Vitest: the guides' tests pass", () => useVitest(nodes.slice(1), registry));
  await step(`${listOf([...nodes, ...others])}: the README's worker, as an ES module and as CommonJS`, () =>
    inTurn([...nodes, ...others], (runtime) =>
      all(
        (["mjs", "cjs"] as const).map((format) => tryReadmeWorker(runtime, format, join(folder, "consumer"), server)),
      ),
    ),
  );
  await step(`${oldest.name}: every example of the guides runs`, () => useExamples(oldest, registry, server.url));
  await step("esbuild, webpack and bun, minified: 12 refusals are the same, over ioredis 5 and 6", () =>
    all(IOREDIS_VERSIONS.map((version) => useBundled(version, oldest, others, registry))),
  );
  await step(`Node ${NPX_VERSIONS.map((each) => each.node).join(" and ")}: npx runs the command line anywhere`, () =>
    all(NPX_VERSIONS.map((versions) => useCommandLine(versions, registry, server.url))),
  );
} finally {
  rmSync(folder, { recursive: true });
}

/** All that a package, once published, offers to import. */
function namesOf(library: string): readonly string[] {
  const home = join(ROOT, "packages", library);
  const manifest = readManifest(home);
  return publishedDoors({ folder: home, manifest }).map((door) => `${manifest.name}${door.slice(1)}`);
}

function packAll(): readonly string[] {
  return publishedPackages(ROOT).map((published) => pack(published, join(folder, "packed")));
}

async function installLibrary(library: string, registry: PackedRegistry): Promise<void> {
  const home = join(folder, library);
  for (const file of ["import.mjs", "require.cjs"]) cpSync(join(ROOT, "scripts/smoke", file), join(home, file));
  cpSync(join(ROOT, "scripts/smoke", library), home, { recursive: true });
  await install(home, { type: "module", dependencies: { [`@redis-batch/${library}`]: "*" } }, registry);
  expectInstalled(home, [library, ...(INSTALLED_WITH[library] ?? [])]);
}

async function install(home: string, application: object, registry: PackedRegistry): Promise<void> {
  const manifest = { private: true, devDependencies: { "@types/node": "20" }, ...application };
  writeFileSync(join(home, "package.json"), JSON.stringify(manifest, null, 2));
  await run(home, "npm", ["install", "--no-audit", "--no-fund"], registry.env);
}

async function compile(): Promise<void> {
  const oldest = join(await installTool("typescript", "5.8"), "bin/tsc");
  const commands = { "5.8": oldest, "6": "tsc6", "7": "tsc" };
  const strict = {
    strict: true,
    exactOptionalPropertyTypes: true,
    target: "es2022",
    skipLibCheck: false,
    noEmit: true,
  };
  const typeRoots = [`${LIBRARIES[0]}/node_modules/@types`];
  const files = LIBRARIES.flatMap((library) => [`${library}/types.mts`, `${library}/types.cts`]);
  await inTurn(Object.entries(COMPILERS), ([version, { resolutions, settings }]) =>
    all(
      resolutions.map((resolution) => {
        const compilerOptions = {
          ...{ ...strict, ...settings, ...RESOLUTIONS[resolution], types: ["node"], typeRoots },
          // Once: that the declarations find each other by the other resolutions as well is are-the-types-wrong's to see.
          skipLibCheck: resolution !== "nodenext",
        };
        const config = `tsconfig.${version}.${resolution}.json`;
        writeFileSync(join(folder, config), JSON.stringify({ compilerOptions, files }));
        return run(folder, commands[version as keyof typeof commands], ["-p", config]);
      }),
    ),
  );
}

async function useLibrary({ command: [file, ...args] }: Runtime, library: string, url: string): Promise<void> {
  const home = join(folder, library);
  const names = namesOf(library);
  await runQuietly(home, file, [...args, "import.mjs", ...names]);
  await runQuietly(home, file, [...args, "require.cjs", ...names]);
  await runQuietly(home, file, [...args, "use.mjs", url]);
}

async function useJest(nodes: readonly Runtime[], registry: PackedRegistry, url: string): Promise<void> {
  const home = join(folder, "commonjs");
  const smoke = join(ROOT, "scripts/smoke/commonjs");
  cpSync(join(smoke, "tsconfig.json"), join(home, "tsconfig.json"));
  cpSync(join(smoke, "jest.cjs"), join(home, "packages.test.js"));
  cpSync(join(smoke, "ts-jest.ts"), join(home, "ts/packages.test.ts"));
  writeTests("jest", join(home, "ts"));
  // For its types.
  await install(home, { dependencies: { ...ALL_LIBRARIES, "@jest/globals": "30" } }, registry);
  const jest = fileURLToPath(import.meta.resolve("jest/bin/jest"));
  const tsJest = fileURLToPath(import.meta.resolve("ts-jest"));
  const transform = { "\\.ts$": [tsJest, { tsconfig: join(home, "tsconfig.json") }] };
  const config = JSON.stringify({ transform, roots: ["<rootDir>/ts"] });
  const env = { SMOKE_URL: url, SMOKE_PACKAGES: NAMES.join(" ") };
  await inTurn(nodes, ({ command: [file] }) =>
    all([
      run(home, file, [jest, "--testPathIgnorePatterns", "ts/"], env),
      run(home, file, [jest, "--config", config], env),
    ]),
  );
}

async function useVitest(nodes: readonly Runtime[], registry: PackedRegistry): Promise<void> {
  const home = join(folder, "vitest");
  writeTests("vitest", home);
  await install(home, { type: "module", dependencies: ALL_LIBRARIES, devDependencies: { vitest: "5" } }, registry);
  await inTurn(nodes, ({ command: [file] }) => run(home, file, ["node_modules/vitest/vitest.mjs", "run"]));
}

async function useExamples(oldest: Runtime, registry: PackedRegistry, url: string): Promise<void> {
  const home = join(folder, "examples");
  mkdirSync(home);
  // What only some examples need.
  const others = {
    ...{ "@grpc/grpc-js": "1", "@grpc/proto-loader": "0.8", pino: "10", "prom-client": "15", zod: "4" },
    ...{ "@opentelemetry/context-async-hooks": "3", "@opentelemetry/sdk-trace": "3" },
    "@opentelemetry/exporter-trace-otlp-http": "0.301",
  };
  await install(home, { type: "module", dependencies: { ...ALL_LIBRARIES, ...others } }, registry);
  console.log(`  ${await tryExamples(oldest, home, url)} examples`);
}

async function useBundled(
  ioredis: string,
  { command: [oldest] }: Runtime,
  others: readonly Runtime[],
  registry: PackedRegistry,
): Promise<void> {
  if (process.env["REDIS_BATCH_TEST_URL"]) return console.log("  left out: it needs servers of its own");
  const home = join(folder, `bundled-${ioredis}`);
  cpSync(join(ROOT, "scripts/smoke/bundled"), home, { recursive: true });
  await install(home, { type: "module", dependencies: { "@redis-batch/consumer": "*", ioredis } }, registry);
  const [refusals, copies] = [join(home, "refusals.mjs"), join(home, "copies.cjs")];
  const bundlers = [
    byEsbuild,
    byWebpack,
    ...others.filter(({ name }) => name === "Bun").map(({ command: [file] }) => byBun(file)),
  ];
  await inTurn([async (program: string) => program, ...bundlers], async (bundle) => {
    await runQuietly(home, oldest, [await bundle(copies, home)]);
    const file = await bundle(refusals, home);
    // One for each, because what is tried out shuts everybody out.
    await using server = await RedisServer.start({ config: ["enable-debug-command yes"] });
    await runQuietly(home, oldest, [file, server.url]);
  });
}

async function useCommandLine(
  versions: (typeof NPX_VERSIONS)[number],
  registry: PackedRegistry,
  url: string,
): Promise<void> {
  const {
    command: [file],
  } = await node(versions.node);
  const script = join(await installTool("npm", versions.npm), "bin/npx-cli.js");
  const cache = join(folder, `npm-cache-${versions.node}`);
  const empty = join(folder, `empty-${versions.node}`);
  mkdirSync(empty);
  const env = {
    ...registry.env,
    PATH: [dirname(file), process.env["PATH"]].join(delimiter),
    npm_config_cache: cache,
    // The npm that runs this may be configured to print nothing.
    npm_config_loglevel: "warn",
    npm_config_update_notifier: "false",
    REDIS_URL: url,
    // No contexts of the user who runs this.
    XDG_CONFIG_HOME: empty,
  };
  const [core] = publishedPackages(ROOT);
  await tryCommandLine({ node: file, script, folder: empty, env }, core?.manifest.version ?? "");
  const [home = ""] = readdirSync(join(cache, "_npx"));
  expectInstalled(join(cache, "_npx", home), ["cli", "consumer", "dashboard", "monitor", "scaler", "simulator"]);
}

/** These of ours, with core and ioredis: what only some need, such as gRPC, is for them to install. */
function expectInstalled(home: string, ours: readonly string[]): void {
  const { names, packages, megabytes } = readInstallation(home);
  const expected = [
    ...[...new Set(["core", ...ours])].map((name) => `@redis-batch/${name}`),
    ...ours.flatMap((name) => OF_OTHERS[name] ?? []),
    "ioredis",
  ].toSorted();
  if (names.join() !== expected.join())
    throw new Error(`${names.join(", ")} are installed, not ${expected.join(", ")}`);
  console.log(`  ${ours[0]}: ${packages} packages, ${megabytes.toFixed(1)} MB`);
}

function startServer(): Promise<RedisServer> {
  const url = process.env["REDIS_BATCH_SMOKE_URL"] ?? process.env["REDIS_BATCH_TEST_URL"];
  return url ? Promise.resolve(RedisServer.external(url)) : RedisServer.start();
}

/** A runtime that npm may not have for this machine: then it is left out, and that is said. */
async function available(name: string, find: () => Promise<Runtime>): Promise<readonly Runtime[]> {
  try {
    return [await find()];
  } catch (error) {
    console.log(`  ${name} is left out: ${error instanceof Error ? error.message : String(error)}`);
    return [];
  }
}

function listOf(runtimes: readonly Runtime[]): string {
  return runtimes.map(({ name }) => name).join(", ");
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

async function inTurn<Item>(items: readonly Item[], action: (item: Item) => Promise<unknown>): Promise<void> {
  for (const item of items) await action(item);
}

async function step(name: string, action: () => Promise<void>): Promise<void> {
  const startedAt = performance.now();
  await action();
  console.log(`✓ ${name} (${((performance.now() - startedAt) / 1000).toFixed(1)} s)`);
}
