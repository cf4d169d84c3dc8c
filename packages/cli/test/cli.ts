/** Runs `redis-batch` as its users do: as a process of its own. */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runWorker, type UsedServer, type WorkerProcess } from "@redis-batch/test-support";
import { afterAll, expect } from "vitest";

export const BIN: string = fileURLToPath(new URL("../src/bin.ts", import.meta.url));
const NODE_FLAGS = ["--conditions=@redis-batch/source", "--disable-warning=ExperimentalWarning"];

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
  /** A folder of this file's own. */
  readonly folder: string;
  readonly env: () => Readonly<Record<string, string | undefined>>;
}

/** A command line that speaks to this server, and has a configuration of its own. */
export function useCli(redis?: UsedServer): Cli {
  const folder = mkdtempSync(join(tmpdir(), "rb-cli-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const env = (more: RunOptions["env"] = {}): Readonly<Record<string, string | undefined>> => ({
    ...process.env,
    NODE_OPTIONS: undefined,
    NO_COLOR: undefined,
    FORCE_COLOR: undefined,
    REDIS_BATCH_CONFIG: join(folder, "config.json"),
    REDIS_URL: redis?.server.url,
    RB: [process.execPath, ...NODE_FLAGS, BIN].map((word) => `'${word}'`).join(" "),
    ...more,
  });
  const run: Cli["run"] = (args, options = {}) =>
    collect(process.execPath, [...NODE_FLAGS, BIN, ...args], env(options.env), options.input);
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
    start: (args) => runWorker(BIN, { args, env: env() }),
    // A shell's variables split where they are not quoted, and `eval` puts the quotes of $RB to use.
    shell: (line) => collect("bash", ["-c", `rb() { eval "$RB" '"$@"'; }; ${line}`], env(), ""),
    folder,
    env,
  };
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
      { env, maxBuffer: 256 * 1024 * 1024, timeout: 25_000, killSignal: "SIGKILL" },
      (_error, stdout, stderr) => resolve({ code: child.exitCode, stdout, stderr }),
    );
    child.stdin?.on("error", () => {});
    child.stdin?.end(input);
  });
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
