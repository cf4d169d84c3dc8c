import { setTimeout as pause } from "node:timers/promises";
import { runWorker } from "@redis-batch/test-support";
import { isStarted, NO_WORK, tallyLine, type WorkerTally } from "./worker-tally.ts";

type WorkerProcess = Awaited<ReturnType<typeof runWorker>>;

const MAIN = new URL("../src/main.ts", import.meta.url);

const LOOK_EVERY_MS = 20;
// Far more than a batch takes on a slow machine: after this time nothing will happen any more.
const STALLED_AFTER_MS = 60_000;

/** Runs the example worker in several processes. They end with this process at the latest. */
export class WorkerPool implements AsyncDisposable {
  readonly #workers: readonly WorkerProcess[];
  readonly #killed = new Set<number>();

  private constructor(workers: readonly WorkerProcess[]) {
    this.#workers = workers;
  }

  static async start(size: number, env: Readonly<Record<string, string>>): Promise<WorkerPool> {
    return new WorkerPool(await Promise.all(Array.from({ length: size }, () => runWorker(MAIN, { env }))));
  }

  get tallies(): readonly WorkerTally[] {
    return this.#workers.map(({ lines }) => lines.reduce(tallyLine, NO_WORK));
  }

  /** Indexes, in the list of tallies, of the workers that were killed. */
  get killed(): ReadonlySet<number> {
    return this.#killed;
  }

  /** Ends a worker at once, and waits until it has. */
  async kill(place: number): Promise<void> {
    const worker = this.#workers[place];
    if (worker === undefined) throw new RangeError(`there is no worker at place ${place}`);
    this.#killed.add(place);
    worker.kill("SIGKILL");
    await worker.exited;
  }

  /**
   * Counts the remaining work repeatedly, until there is none.
   *
   * @throws {Error} with the workers' last lines when one ends by itself, or when the count does not change any more
   */
  async whenNothingIsLeft(countLeft: () => Promise<number>): Promise<void> {
    let left = await countLeft();
    let changedAtMs = performance.now();
    while (left > 0) {
      await pause(LOOK_EVERY_MS);
      const ended = this.#alive().find((worker) => !worker.running);
      if (ended !== undefined) throw new Error(`a worker ended unexpectedly; ${lastWords(ended)}`);
      const leftNow = await countLeft();
      if (leftNow !== left) changedAtMs = performance.now();
      else if (performance.now() - changedAtMs > STALLED_AFTER_MS) {
        const words = this.#workers.map(lastWords).join("\n");
        throw new Error(`no progress for ${STALLED_AFTER_MS / 1_000} s, with ${left} messages left; ${words}`);
      }
      left = leftNow;
    }
  }

  /**
   * Asks the live workers to stop, and waits until they have.
   *
   * @throws {Error} with a worker's last lines when it does not end as it should
   */
  async stop(): Promise<void> {
    const workers = this.#alive();
    // With few messages the others may have stored all of them before the last one has begun to read, or to listen.
    await Promise.all(workers.map((worker) => worker.waitForLine(isStarted, { timeoutMs: STALLED_AFTER_MS })));
    for (const worker of workers) worker.kill("SIGTERM");
    for (const worker of workers) {
      const { code, signal } = await worker.exited;
      if (code !== 0) throw new Error(`a worker ended with ${signal ?? `exit code ${code}`}; ${lastWords(worker)}`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker[Symbol.asyncDispose]()));
  }

  #alive(): readonly WorkerProcess[] {
    return this.#workers.filter((_, place) => !this.#killed.has(place));
  }
}

function lastWords({ lines, stderr }: WorkerProcess): string {
  return `its last lines:\n${[...lines.slice(-10), stderr].join("\n")}`;
}
