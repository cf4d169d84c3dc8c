/** Two monitors beside the workers, each replaced when it ends: one leads, the other stands by. */
import { runWorker, type WorkerProcess } from "@redis-batch/test-support";
import type { MonitorTask } from "./tasks.ts";
import type { Topology } from "./topology/topology.ts";

const SCRIPT = "monitor-process.ts";
/** How many there are. */
export const MONITORS = 2;

export interface MonitorsOptions {
  readonly streams: readonly string[];
  readonly leaseMs: number;
  /** The folder of an earlier version's scripts: the last monitor is of that version. */
  readonly oldSource: URL | undefined;
}

export class Monitors implements AsyncDisposable {
  /** Unexpected ends, with the last output of each. */
  readonly crashes: string[] = [];
  readonly #task: MonitorTask;
  readonly #oldSource: URL | undefined;
  readonly #processes: (WorkerProcess | undefined)[] = [];
  readonly #supervision: Promise<void>[] = [];
  #moves = 0;
  #isEnding = false;

  constructor(topology: Topology, { streams, leaseMs, oldSource }: MonitorsOptions) {
    this.#task = { url: topology.url, stream: streams[0] as string, streams, intervalMs: leaseMs / 4 };
    this.#oldSource = oldSource;
    for (let index = 0; index < MONITORS; index++) this.#supervision.push(this.#supervise(index));
  }

  /** How often messages were handed over, or what is left of a consumer was removed. */
  get moves(): number {
    return this.#moves;
  }

  /** The last line of each about its actions. */
  get lastWords(): readonly string[] {
    return this.#processes.map((process) => process?.lines.at(-1) ?? "");
  }

  /** Waits until it is gone. */
  async kill(index: number): Promise<boolean> {
    const process = this.#processes[index % MONITORS];
    if (!this.#signal(index, "SIGKILL")) return false;
    await process?.exited;
    return true;
  }

  /** Its process; `undefined` when there is none to stop. */
  stop(index: number): number | undefined {
    const process = this.#processes[index % MONITORS];
    return this.#signal(index, "SIGSTOP") ? process?.pid : undefined;
  }

  resume(index: number): boolean {
    return this.#signal(index, "SIGCONT");
  }

  /** Ends them, and starts no others. */
  async end(): Promise<void> {
    this.#isEnding = true;
    for (const index of this.#processes.keys()) this.#signal(index, "SIGTERM");
    await Promise.all(this.#supervision);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isEnding = true;
    for (const index of this.#processes.keys()) this.#signal(index, "SIGKILL");
    await Promise.all(this.#supervision);
  }

  #signal(index: number, name: NodeJS.Signals): boolean {
    const process = this.#processes[index % MONITORS];
    if (process?.running !== true) return false;
    process.kill(name);
    return true;
  }

  async #supervise(index: number): Promise<void> {
    const isOld = this.#oldSource !== undefined && index === MONITORS - 1;
    const script = new URL(SCRIPT, isOld ? this.#oldSource : import.meta.url);
    while (!this.#isEnding) {
      const process = await runWorker(script, { args: [JSON.stringify(this.#task)] });
      this.#processes[index] = process;
      // It may have been told to end while it started.
      if (this.#isEnding) process.kill("SIGTERM");
      const { code, signal } = await process.exited;
      this.#moves += process.lines.filter((line) => /^\{"type":"(handedOver|consumerRemoved)"/.test(line)).length;
      const isAsked = signal === "SIGKILL" || this.#isEnding;
      if (isAsked || code === 0) continue;
      this.crashes.push(`monitor ${index} ended with ${code ?? signal}: ${process.stderr.slice(-2_000)}`);
    }
    this.#processes[index] = undefined;
  }
}
