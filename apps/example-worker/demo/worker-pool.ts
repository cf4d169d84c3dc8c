import { setTimeout as pause } from "node:timers/promises";
import { runWorker } from "@redis-batch/test-support";
import { isStarted, NO_WORK, tallyLine, type WorkerTally } from "./worker-tally.ts";

type WorkerProcess = Awaited<ReturnType<typeof runWorker>>;

const MAIN = new URL("../src/main.ts", import.meta.url);

const LOOK_EVERY_MS = 50;
// Far more than a batch takes on a slow machine: whoever waits longer waits for ever.
const STALLED_AFTER_MS = 60_000;

/** The example worker, in several processes of its own. They end at the latest when this process does. */
export class WorkerPool implements AsyncDisposable {
  readonly #workers: readonly WorkerProcess[];

  private constructor(workers: readonly WorkerProcess[]) {
    this.#workers = workers;
  }

  static async start(size: number, env: Readonly<Record<string, string>>): Promise<WorkerPool> {
    return new WorkerPool(await Promise.all(Array.from({ length: size }, () => runWorker(MAIN, { env }))));
  }

  get tallies(): readonly WorkerTally[] {
    return this.#workers.map(({ lines }) => lines.reduce(tallyLine, NO_WORK));
  }

  /**
   * Waits until the workers have stored so many messages.
   *
   * @throws {Error} with a worker's last lines when it ends by itself, or when nothing is stored any more
   */
  async whenStored(messages: number, onProgress: (tallies: readonly WorkerTally[]) => void): Promise<void> {
    let stored = 0;
    let advancedAtMs = performance.now();
    while (stored < messages) {
      await pause(LOOK_EVERY_MS);
      const ended = this.#workers.find((worker) => !worker.running);
      if (ended !== undefined) throw new Error(`a worker has ended by itself; ${lastWords(ended)}`);
      const { tallies } = this;
      const storedNow = tallies.reduce((total, { added }) => total + added, 0);
      if (storedNow > stored) advancedAtMs = performance.now();
      else if (performance.now() - advancedAtMs > STALLED_AFTER_MS) {
        throw new Error(
          `nothing was stored for ${STALLED_AFTER_MS / 1_000} s; ${this.#workers.map(lastWords).join("\n")}`,
        );
      }
      stored = storedNow;
      onProgress(tallies);
    }
  }

  /**
   * Tells the workers to stop, and waits until they have.
   *
   * @throws {Error} with a worker's last lines when it does not end as it should
   */
  async stop(): Promise<void> {
    // With few messages the others may have stored them all before the last one has begun to read, or to listen.
    await Promise.all(this.#workers.map((worker) => worker.waitForLine(isStarted, { timeoutMs: STALLED_AFTER_MS })));
    for (const worker of this.#workers) worker.kill("SIGTERM");
    for (const worker of this.#workers) {
      const { code, signal } = await worker.exited;
      if (code !== 0) throw new Error(`a worker ended with ${signal ?? `exit code ${code}`}; ${lastWords(worker)}`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker[Symbol.asyncDispose]()));
  }
}

function lastWords({ lines, stderr }: WorkerProcess): string {
  return `its last lines:\n${[...lines.slice(-10), stderr].join("\n")}`;
}
