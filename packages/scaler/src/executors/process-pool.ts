import {
  type Clock,
  createNotifier,
  type Observer,
  type Random,
  systemClock,
  systemRandom,
  UsageError,
  warningObserver,
} from "@redis-batch/core/internal";
import type { Decision } from "../decisions/decision.ts";
import { type Executor, isEarlierOrder, type Order, type Workforce } from "../executor.ts";
import type { ProcessPoolEvent } from "./pool-events.ts";
import { type ProcessPoolOptions, type ProcessPoolPolicy, resolveProcessPoolOptions } from "./pool-options.ts";
import { PoolWorker } from "./pool-worker.ts";

/** What a test replaces. */
export interface ProcessPoolEdge {
  readonly clock: Clock;
  readonly random: Random;
}

const SYSTEM_EDGE: ProcessPoolEdge = { clock: systemClock, random: systemRandom };

/**
 * Workers as processes of this machine. One that is not needed any more is told to end (SIGTERM), and gets `drainMs` to
 * finish or give back what it holds; one that ends by itself is replaced, with growing waits. Whether they work is told by
 * their heartbeats. Each has one consumer.
 *
 * When this process ends by itself its workers are told to end; when it is killed they are not, so have it end in good
 * order (`signal` of `run`, then `close()`), or kill its process group.
 *
 * Not for several machines: each scaler has its own pool, and one that loses the lead drains it.
 *
 * @example
 * ```ts
 * import { ProcessPool, Scaler } from "@redis-batch/scaler";
 *
 * await using pool = new ProcessPool({ command: process.execPath, args: ["worker.js"] });
 * await using scaler = new Scaler({ redis: "redis://localhost:6379", stream: "orders", group: "billing" });
 * const stop = new AbortController();
 * process.once("SIGTERM", () => stop.abort());
 * await scaler.run({ executor: pool, signal: stop.signal });
 * ```
 */
export class ProcessPool implements Executor, AsyncDisposable {
  readonly name = "process pool";
  readonly #policy: ProcessPoolPolicy;
  readonly #edge: ProcessPoolEdge;
  readonly #report: Observer<ProcessPoolEvent>;
  /** Those that are wanted, in the order in which they came. */
  readonly #workers: PoolWorker[] = [];
  readonly #leaving = new Set<Promise<void>>();
  #lastOrder: Order | null = null;
  #isClosed = false;

  /** @throws {ConfigError} naming every problem */
  constructor(options: ProcessPoolOptions);
  /** @internal */
  constructor(options: ProcessPoolOptions, edge: ProcessPoolEdge);
  constructor(options: ProcessPoolOptions, edge: ProcessPoolEdge = SYSTEM_EDGE) {
    this.#policy = resolveProcessPoolOptions(options);
    this.#edge = edge;
    const { observer } = this.#policy;
    this.#report = createNotifier(
      "process-pool",
      observer ?? warningObserver("process pool", wordsOfTrouble, edge.clock),
    );
    process.on("exit", this.#leaveNobodyBehind);
  }

  /** Workers that are wanted and whose process is there, and those that are on their way out. */
  get size(): { readonly wanted: number; readonly atWork: number; readonly leaving: number } {
    const atWork = this.#workers.filter((worker) => worker.isAtWork).length;
    return { wanted: this.#workers.length, atWork, leaving: this.#leaving.size };
  }

  /** What is wanted. Who of them works is told by the heartbeats. */
  async survey(): Promise<Workforce> {
    return { desired: this.#workers.length, ready: null, startingMs: [], startUpsMs: [] };
  }

  /**
   * Starts what is missing; tells those that came last to end, without waiting for it.
   *
   * @throws {UsageError} after `close()`, and for an order that is earlier than one that was carried out
   */
  async scale({ desired }: Pick<Decision, "desired">, _signal: AbortSignal, order: Order): Promise<void> {
    if (this.#isClosed) throw new UsageError("cannot scale: the process pool is closed");
    if (this.#lastOrder !== null && isEarlierOrder(order, this.#lastOrder)) {
      throw new UsageError(`the order ${order.term}.${order.sequence} is earlier than one that was carried out`);
    }
    this.#lastOrder = order;
    this.#resize(Math.max(this.#policy.minWorkers, Math.min(this.#policy.maxWorkers, desired)));
  }

  /** Drains all of them, without waiting for it: the scaler that leads now has a pool of its own. */
  async resign(): Promise<void> {
    this.#resize(0);
  }

  /** Drains all of them; resolves when none is left. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#resize(0);
    await Promise.all(this.#leaving);
    process.off("exit", this.#leaveNobodyBehind);
  }

  /** The same as `close()`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #resize(count: number): void {
    const { clock, random } = this.#edge;
    const context = { policy: this.#policy, clock, random, report: this.#report };
    while (this.#workers.length < count) this.#workers.push(new PoolWorker(context));
    for (const worker of this.#surplus(this.#workers.length - count)) {
      this.#workers.splice(this.#workers.indexOf(worker), 1);
      const leaving = worker.leave().finally(() => this.#leaving.delete(leaving));
      this.#leaving.add(leaving);
    }
  }

  /** Nobody would ever drain the workers of a process that ends: they are told to end, too. */
  readonly #leaveNobodyBehind = (): void => {
    this.#resize(0);
  };

  /** Those without a process first, because nothing is lost with them; then those that came last. */
  #surplus(count: number): readonly PoolWorker[] {
    const latestFirst = this.#workers.toReversed();
    return latestFirst.toSorted((a, b) => Number(a.isAtWork) - Number(b.isAtWork)).slice(0, Math.max(0, count));
  }
}

/** What nobody else would learn of without an observer. */
function wordsOfTrouble(event: ProcessPoolEvent): string | undefined {
  if (event.type === "workerKilled") return `the worker ${event.pid} did not end within ${event.afterMs} ms: killed`;
  if (event.type !== "workerEnded" || event.wasAsked) return undefined;
  return `a worker ended by itself (${event.pid ?? "not started"}): ${event.reason}`;
}
