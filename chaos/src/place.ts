/**
 * A place for a worker: behind its own proxy, with one process at a time, which is replaced when it ends, as a process
 * manager would.
 */
import { join } from "node:path";
import { FaultProxy, type RedisServer, runWorker, type WorkerProcess } from "@redis-batch/test-support";
import { NAME_IN_USE, type WorkerTask } from "./tasks.ts";

const SCRIPT = new URL("worker-process.ts", import.meta.url);
/** How long a process may take to drain. */
const DRAIN_LIMIT_MS = 20_000;

export interface PlaceOptions {
  readonly server: RedisServer;
  readonly index: number;
  readonly seed: number;
  readonly folder: string;
  readonly task: Omit<WorkerTask, "url" | "name" | "journal">;
  /** How long a handler may hang before its process is killed. */
  readonly hangMs: number;
}

/** One process that was started here. */
export interface Incarnation {
  /** Tells it from others of the same name. */
  readonly worker: string;
  readonly name: string;
  readonly journal: string;
}

export class Place implements AsyncDisposable {
  readonly index: number;
  readonly proxy: FaultProxy;
  readonly incarnations: Incarnation[] = [];
  /** Ends that nobody had asked for: the last words of each. */
  readonly crashes: string[] = [];
  readonly #options: PlaceOptions;
  #process: WorkerProcess | undefined;
  #isEnding = false;
  #keepsName = true;
  #supervision: Promise<void> = Promise.resolve();

  private constructor(options: PlaceOptions, proxy: FaultProxy) {
    this.#options = options;
    this.index = options.index;
    this.proxy = proxy;
  }

  static async open(options: PlaceOptions): Promise<Place> {
    const place = new Place(options, await FaultProxy.start(options.server, { seed: options.seed + options.index }));
    place.#supervision = place.#supervise();
    return place;
  }

  get isRunning(): boolean {
    return this.#process?.running === true;
  }

  /** Kills the process, unless it must last; the next one has the same name, or a new one. */
  kill(keepsName: boolean): boolean {
    if (this.#options.task.mustLast) return false;
    this.#keepsName = keepsName;
    return this.#signal("SIGKILL");
  }

  stop(): boolean {
    return this.#signal("SIGSTOP");
  }

  resume(): boolean {
    return this.#signal("SIGCONT");
  }

  tell(order: string): boolean {
    if (this.#process?.running !== true) return false;
    this.#process.send(order);
    return true;
  }

  /** Lets the process drain, and starts no other. Returns what is wrong with how it ended. */
  async drain(): Promise<readonly string[]> {
    this.#isEnding = true;
    const process = this.#process;
    if (process === undefined) return [];
    this.#signal("SIGTERM");
    const limit = new AbortController();
    const isLate = await Promise.race([process.exited.then(() => false), late(DRAIN_LIMIT_MS, limit.signal)]);
    limit.abort();
    if (isLate) this.#signal("SIGKILL");
    await this.#supervision;
    return isLate ? [`worker ${this.index} did not drain within ${DRAIN_LIMIT_MS} ms`] : [];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isEnding = true;
    this.#signal("SIGKILL");
    await this.#supervision;
    await this.proxy.stop();
  }

  #signal(name: NodeJS.Signals): boolean {
    if (this.#process?.running !== true) return false;
    this.#process.kill(name);
    return true;
  }

  async #supervise(): Promise<void> {
    while (!this.#isEnding) {
      const { worker, name, journal } = this.#incarnate();
      const task: WorkerTask = { ...this.#options.task, url: this.proxy.url, name, journal };
      const process = await runWorker(SCRIPT, { args: [JSON.stringify(task)] });
      this.#process = process;
      this.#keepsName = true;
      // It may have been told to end while it started.
      if (this.#isEnding) process.kill("SIGTERM");
      void this.#watchForHanging(process);
      const { code, signal } = await process.exited;
      // One that is told to end before it listens for that ends by the signal itself.
      const isAsked = signal === "SIGKILL" || (signal === "SIGTERM" && this.#isEnding);
      if (isAsked || code === 0 || code === NAME_IN_USE) continue;
      this.crashes.push(`${worker} ended with ${code ?? signal}: ${process.stderr.slice(-2_000)}`);
    }
    this.#process = undefined;
  }

  #incarnate(): Incarnation {
    const { index, folder } = this.#options;
    const count = this.incarnations.length + 1;
    const worker = `w${index}.${count}`;
    const name = (this.#keepsName ? this.incarnations.at(-1)?.name : undefined) ?? worker;
    const incarnation = { worker, name, journal: join(folder, `${worker}.ndjson`) };
    this.incarnations.push(incarnation);
    return incarnation;
  }

  /** A liveness probe would restart it; here its own word that it hangs is enough. */
  async #watchForHanging(process: WorkerProcess): Promise<void> {
    try {
      await process.waitForLine(/^hanging /, { timeoutMs: 3_600_000 });
    } catch {
      return;
    }
    const ended = new AbortController();
    const isLate = await Promise.race([process.exited.then(() => false), late(this.#options.hangMs, ended.signal)]);
    ended.abort();
    if (isLate) process.kill("SIGKILL");
  }
}

async function late(afterMs: number, signal: AbortSignal): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(true), afterMs);
  signal.addEventListener("abort", () => {
    clearTimeout(timer);
    resolve(false);
  });
  return promise;
}
