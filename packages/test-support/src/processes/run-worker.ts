import { type ChildProcessByStdio, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { deferred, EventRecorder } from "@redis-batch/testing/time";
import { atExit } from "./exit-sweep.ts";
import { LineSplitter } from "./lines.ts";
import { findNode } from "./node-binary.ts";
import { dyingWithParent } from "./pdeathsig.ts";

export interface WorkerOptions {
  readonly args?: readonly string[];
  /** Added to this process's environment; `undefined` removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** A major version such as 20, looked for on the PATH; by default our own Node. Below 22.18 no TypeScript. */
  readonly nodeVersion?: number;
  readonly cwd?: string;
  /** A command line that starts Node, such as one that drops rights first. */
  readonly launcher?: readonly string[];
}

export interface WorkerExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface LineWait {
  /** The hard limit on the fair clock, 10 s by default. */
  readonly timeoutMs?: number;
  /** Only lines after this many count (`worker.lines.length` marks now). */
  readonly after?: number;
}

/** Events of a worker. */
type WorkerEvent = { readonly type: "line"; readonly line: string } | { readonly type: "exited" };

/** A real Node process that runs a script; killed when it is disposed of, and when this process ends. */
export class WorkerProcess implements AsyncDisposable {
  readonly exited: Promise<WorkerExit>;
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #events = new EventRecorder<WorkerEvent>();
  readonly #lines: string[] = [];
  #stderr = "";

  private constructor(child: ChildProcessByStdio<Writable, Readable, Readable>) {
    this.#child = child;
    const done = atExit(() => void child.kill("SIGKILL"));
    const splitter = new LineSplitter();
    const announce = (line: string) => {
      this.#lines.push(line);
      this.#events.observe({ type: "line", line });
    };
    child.stdout.setEncoding("utf8").on("data", (text: string) => splitter.push(text).forEach(announce));
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr += text;
    });
    // A killed worker does not read any more.
    child.stdin.on("error", () => undefined);
    const { promise, resolve, reject } = deferred<WorkerExit>();
    this.exited = promise;
    this.exited.catch(() => undefined);
    child.once("error", reject);
    // "close" follows "exit" once all output has been read.
    child.once("close", (code, signal) => {
      done();
      splitter.finish().forEach(announce);
      this.#events.observe({ type: "exited" });
      resolve({ code, signal });
    });
  }

  /** Starts the script; the process exists, but may not have run anything yet. */
  static async start(scriptPath: string | URL, options: WorkerOptions = {}): Promise<WorkerProcess> {
    const { args = [], env = {}, nodeVersion, cwd, launcher = [] } = options;
    const node = nodeVersion === undefined ? process.execPath : await findNode(nodeVersion);
    const script = scriptPath instanceof URL ? fileURLToPath(scriptPath) : scriptPath;
    const flags = ["--conditions=@redis-batch/source", "--disable-warning=ExperimentalWarning"];
    const [program = node, ...programArgs] = [...launcher, node, ...flags, script, ...args];
    const [command, ...rest] = dyingWithParent(program, programArgs);
    // The test runner's own options are not the worker's.
    const workerEnv = { ...process.env, NODE_OPTIONS: undefined, ...env };
    const child = spawn(command, rest, { env: workerEnv, cwd, stdio: ["pipe", "pipe", "pipe"] });
    return new WorkerProcess(child);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** The complete lines of its standard output so far. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /**
   * Waits for a line of standard output: an earlier one, or the next one that matches.
   *
   * @throws {Error} with the worker's output, when it ends or the time is over before.
   */
  async waitForLine(matches: string | RegExp | ((line: string) => boolean), options: LineWait = {}): Promise<string> {
    const { timeoutMs = 10_000, after = 0 } = options;
    const isIt = lineTest(matches);
    const found = (event: WorkerEvent) => event.type === "exited" || isIt(event.line);
    const event = await this.#events.waitFor(found, { timeoutMs, after }).catch(() => undefined);
    if (event?.type === "line") return event.line;
    const why = event === undefined ? `did not print it within ${timeoutMs} ms` : "ended before it had printed it";
    throw new Error(
      `waiting for the line ${String(matches)}: the worker ${why}; ` +
        `its output:\n${this.#lines.join("\n")}\nits errors:\n${this.#stderr}`,
    );
  }

  /** Writes a line to its standard input. */
  send(line: string): void {
    this.#child.stdin.write(`${line}\n`);
  }

  /** Sends a signal, SIGKILL by default; `exited` tells when it has ended. */
  kill(signal: NodeJS.Signals = "SIGKILL"): void {
    this.#child.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill();
    await this.exited.catch(() => undefined);
  }
}

function lineTest(matches: string | RegExp | ((line: string) => boolean)): (line: string) => boolean {
  if (typeof matches === "function") return matches;
  return typeof matches === "string" ? (line) => line === matches : (line) => matches.test(line);
}

/**
 * Runs a script in its own Node process. TypeScript runs directly, and our packages are loaded from their sources.
 *
 * @example
 * await using worker = await runWorker(new URL("workers/consumer.ts", import.meta.url), { args: [server.url] });
 * await worker.waitForLine("ready");
 * worker.kill();
 */
export function runWorker(scriptPath: string | URL, options: WorkerOptions = {}): Promise<WorkerProcess> {
  return WorkerProcess.start(scriptPath, options);
}
