/** Runs `redis-batch` as its users do: as a process of its own. */
import { execFile, spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runWorker, type UsedServer, type WorkerProcess } from "@redis-batch/test-support";
import { build } from "tsup";
import { afterAll, beforeAll, expect, type TestContext } from "vitest";
import { escapeText } from "../src/render/escape.ts";

const PACKAGE = fileURLToPath(new URL("..", import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly input?: string | Buffer;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

export interface Cli {
  /** Runs it to its end. */
  readonly run: (args: readonly string[], options?: RunOptions) => Promise<Ended>;
  /** The same with `--json` → what it printed, parsed. */
  readonly json: (args: readonly string[], options?: RunOptions) => Promise<Readonly<Record<string, unknown>>>;
  /** Starts it, to be spoken to and killed. */
  readonly start: (args: readonly string[]) => Promise<WorkerProcess>;
  /** A shell command line in which `$RB` is the program. */
  readonly shell: (line: string) => Promise<Ended>;
  /** The bundled program. */
  readonly bin: string;
  /** A folder of this file's own. */
  readonly folder: string;
  readonly env: () => Readonly<Record<string, string | undefined>>;
}

/** A command line that speaks to this server, and has a configuration of its own. */
export function useCli(redis?: UsedServer): Cli {
  const folder = mkdtempSync(join(tmpdir(), "rb-cli-"));
  // Where its own dependencies are found.
  mkdirSync(join(PACKAGE, "node_modules/.test"), { recursive: true });
  const home = mkdtempSync(join(PACKAGE, "node_modules/.test/cli-"));
  const bin = join(home, "dist/bin.js");
  beforeAll(() => bundle(home));
  afterAll(() => {
    for (const path of [folder, home]) rmSync(path, { recursive: true, force: true });
  });
  const env = (more: RunOptions["env"] = {}): Readonly<Record<string, string | undefined>> => ({
    ...process.env,
    NODE_OPTIONS: undefined,
    NO_COLOR: undefined,
    FORCE_COLOR: undefined,
    REDIS_BATCH_CONFIG: join(folder, "config.json"),
    REDIS_URL: redis?.server.url,
    RB: `'${process.execPath}' '${bin}'`,
    ...more,
  });
  const run: Cli["run"] = (args, options = {}) =>
    collect(process.execPath, [bin, ...args], env(options.env), options.input);
  return {
    run,
    async json(args, options) {
      const { stdout, stderr, code } = await run([...args, "--json"], options);
      try {
        return JSON.parse(stdout) as Readonly<Record<string, unknown>>;
      } catch {
        throw new Error(`no JSON from ${args.join(" ")}, which ended with ${code}:\n${stdout}${stderr}`);
      }
    },
    start: (args) => runWorker(bin, { args, env: env() }),
    // A shell's variables split where they are not quoted, and `eval` puts the quotes of $RB to use.
    shell: (line) => collect("bash", ["-c", `rb() { eval "$RB" '"$@"'; }; ${line}`], env(), ""),
    bin,
    folder,
    env,
  };
}

/** Bundled once for each file of tests: many processes start then, and few files are quicker to read than many. */
async function bundle(home: string): Promise<void> {
  copyFileSync(join(PACKAGE, "package.json"), join(home, "package.json"));
  await build({
    ...{ config: false, silent: true, clean: false, dts: false },
    ...{ entry: [join(PACKAGE, "src/bin.ts")], outDir: join(home, "dist") },
    ...{ format: ["esm"], target: "node20.19", splitting: true, noExternal: [/^@redis-batch/] },
    // What is installed, or is not.
    external: ["ioredis", "@grpc/grpc-js", "@grpc/proto-loader", "@kubernetes/client-node"],
    esbuildOptions(options) {
      options.conditions = ["@redis-batch/source"];
    },
  });
}

function collect(
  file: string,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  input: string | Buffer = "",
): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile(
      file,
      args,
      { env, maxBuffer: 256 * 1024 * 1024, timeout: 250_000, killSignal: "SIGKILL" },
      (_error, stdout, stderr) => resolve({ code: child.exitCode, stdout, stderr }),
    );
    child.stdin?.on("error", () => {});
    child.stdin?.end(input);
  });
}

/** Skips a test, saying why, where this machine lacks a program that the test drives. */
export function needsTool(context: Pick<TestContext, "skip">, name: string): void {
  if (spawnSync("which", [name]).status !== 0) context.skip(`there is no ${name} on this machine`);
}

/** The JSON of each line. */
export function ndjson(text: string): Readonly<Record<string, unknown>>[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
}

/** It ended with this code, and all of these are in what it said. */
export function expectEnd(ended: Ended, code: number, ...says: readonly string[]): void {
  const missing = says.filter((text) => !ended.stdout.includes(text) && !ended.stderr.includes(text));
  // Everything at once, so that a failure shows what was said instead.
  expect({ ...ended, missing }).toEqual({ ...ended, code, missing: [] });
}

type Json = Readonly<Record<string, unknown>>;

/**
 * The table and the JSON of one command hold the same: as many facts, rows and columns, and cell by cell the same
 * values. Times that go on between the two runs (`…Ms`), and rates that are measured again, only have to be there.
 */
export function expectSameContent(table: string, json: Json): void {
  const { notes = [], ...rest } = json;
  const blocks = table.trimEnd().split("\n\n");
  const facts = Object.entries(rest).filter(([, value]) => !Array.isArray(value));
  if (facts.length > 0) {
    const lines = (blocks.shift() ?? "").split("\n").map((line) => line.split(/ {2,}/)[1] ?? "");
    expect(lines).toEqual(facts.map(([key, value], index) => shownAs(key, value, lines[index])));
  }
  for (const [, list] of Object.entries(rest).filter(([, value]) => Array.isArray(value))) {
    const rows = list as readonly Json[];
    const [head = "", ...lines] = (blocks.shift() ?? "").split("\n");
    if (rows.length === 0) continue;
    const first = Object.keys(rows[0] ?? {});
    expect(head.split(/ {2,}/)).toHaveLength(first.length);
    for (const [at, line] of lines.entries()) {
      const cells = line.trim().split(/ {2,}/);
      const row = rows[at] ?? {};
      expect(cells).toEqual(first.map((key, index) => shownAs(key, row[key], cells[index])));
    }
    expect(lines).toHaveLength(rows.length);
  }
  expect(
    blocks
      .join("\n")
      .split("\n")
      .filter((line) => line !== ""),
  ).toEqual(notes);
}

function shownAs(key: string, value: unknown, shown: string | undefined): string | undefined {
  if (value === null) return "-";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "number") {
    if (key.endsWith("Ms")) return /^[\d.]+(ms|s|m|h|d)/.test(shown ?? "") ? shown : "a time";
    const read = Number(shown?.replaceAll(",", "").replace(/ B$/, ""));
    // A rate is what it was measured as in this run.
    return read === value || (key === "perSecond" && read > 0) ? shown : String(value);
  }
  return value === "" ? '""' : escapeText(value as string);
}

/** Nothing in it is an order to a terminal. */
export function expectNoControls(text: string): void {
  expect(text.replaceAll("\n", "").match(/[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/u)).toBeNull();
}
