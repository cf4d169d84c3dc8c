/**
 * Measures how busy the machine is with other things: as many threads as a contender and its server use do a piece of work
 * that needs nothing but a processor, and what it took is compared with what it costs.
 */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";

// One contender and one server.
const THREADS = Math.min(2, availableParallelism());
// This many steps last longer than the time slice of a scheduler if other threads wait.
const STEPS = 40_000_000;

const SPIN = `
  const { parentPort } = require("node:worker_threads");
  const spin = (steps) => { let sum = 0; for (let step = 0; step < steps; step++) sum = (sum * 31 + step) | 0; return sum; };
  spin(1_000_000);
  parentPort.on("message", (steps) => {
    const began = performance.now();
    // From Node 23.9 on; before that, only the quickest run shows what the work costs.
    const cpu = process.threadCpuUsage?.();
    const sum = spin(steps);
    const ms = performance.now() - began;
    const used = cpu === undefined ? undefined : process.threadCpuUsage(cpu);
    parentPort.postMessage({ ms, costMs: used === undefined ? ms : (used.user + used.system) / 1000, sum });
  });
`;

export class Probe implements AsyncDisposable {
  readonly #threads = Array.from({ length: THREADS }, () => new Worker(SPIN, { eval: true }));
  #leastMs = Number.POSITIVE_INFINITY;

  /** How many times as long as at best so far the work takes now, the mean of the threads: 1 when nobody disturbs. */
  async slowdown(): Promise<number> {
    const spins = await Promise.all(this.#threads.map(spin));
    this.#leastMs = Math.min(this.#leastMs, ...spins.map(({ costMs }) => costMs));
    return spins.reduce((sum, { ms }) => sum + ms, 0) / spins.length / this.#leastMs;
  }

  /** Learns what the work costs at best. */
  async calibrate(): Promise<void> {
    for (let attempt = 0; attempt < 20; attempt++) await this.slowdown();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.terminate()));
  }
}

/** How long the work took, and what it cost of a processor. */
interface Spin {
  readonly ms: number;
  readonly costMs: number;
}

function spin(thread: Worker): Promise<Spin> {
  return new Promise((resolve, reject) => {
    thread.once("error", reject);
    thread.once("message", (spun: Spin) => {
      thread.off("error", reject);
      resolve(spun);
    });
    thread.postMessage(STEPS, []);
  });
}
