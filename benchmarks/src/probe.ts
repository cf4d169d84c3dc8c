/**
 * Tells how busy the machine is with other things: as many threads as a contender and its server use do a piece of work
 * that needs nothing but a processor, and what it took is compared with what it costs.
 */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";

// One contender and one server.
const THREADS = Math.min(2, availableParallelism());
// So many steps last longer than a scheduler leaves a thread alone when somebody else waits.
const STEPS = 40_000_000;

const SPIN = `
  const { parentPort } = require("node:worker_threads");
  const spin = (steps) => { let sum = 0; for (let step = 0; step < steps; step++) sum = (sum * 31 + step) | 0; return sum; };
  spin(1_000_000);
  parentPort.on("message", (steps) => {
    const began = performance.now();
    const sum = spin(steps);
    parentPort.postMessage({ ms: performance.now() - began, sum });
  });
`;

export class Probe implements AsyncDisposable {
  readonly #threads = Array.from({ length: THREADS }, () => new Worker(SPIN, { eval: true }));
  #leastMs = Number.POSITIVE_INFINITY;

  /** How many times as long as at best so far the work takes now, the mean of the threads: 1 when nobody disturbs. */
  async slowdown(): Promise<number> {
    const tookMs = await Promise.all(this.#threads.map(spin));
    this.#leastMs = Math.min(this.#leastMs, ...tookMs);
    return tookMs.reduce((sum, ms) => sum + ms, 0) / tookMs.length / this.#leastMs;
  }

  /** Learns what the work costs at best. */
  async calibrate(): Promise<void> {
    for (let attempt = 0; attempt < 20; attempt++) await this.slowdown();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.terminate()));
  }
}

function spin(thread: Worker): Promise<number> {
  return new Promise((resolve, reject) => {
    thread.once("error", reject);
    thread.once("message", ({ ms }: { readonly ms: number }) => {
      thread.off("error", reject);
      resolve(ms);
    });
    thread.postMessage(STEPS, []);
  });
}
