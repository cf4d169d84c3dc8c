import { type Observer, UsageError } from "@redis-batch/core";
import { POOL_VARIABLE } from "@redis-batch/core/internal/groups";
import {
  type Clock,
  createNotifier,
  instanceName,
  type Random,
  systemClock,
  systemRandom,
  warningObserver,
} from "@redis-batch/core/internal/service";
import type { Decision } from "../decisions/decision.ts";
import { type Executor, isEarlierOrder, type Order, type ScalingContext, type Workforce } from "../executor.ts";
import type { ProcessPoolEvent } from "./pool-events.ts";
import { PoolGuard, SHELL } from "./pool-guard.ts";
import { type ProcessPoolOptions, type ProcessPoolPolicy, resolveProcessPoolOptions } from "./pool-options.ts";
import { PoolWorker, type PoolWorkerContext } from "./pool-worker.ts";

/** Replaced in tests. */
export interface ProcessPoolDependencies {
  readonly clock: Clock;
  readonly random: Random;
}

const REAL_DEPENDENCIES: ProcessPoolDependencies = { clock: systemClock, random: systemRandom };

/**
 * Runs workers as processes on this machine. A worker that is no longer needed is asked to stop (SIGTERM), and has
 * `drainMs` to finish or release its messages; a worker that ends by itself is replaced, with growing delays. Active
 * workers are known by their heartbeats. Each has one consumer.
 *
 * Workers do not outlive this process: however it ends, they are asked to stop, and killed after `drainMs`. A small shell
 * (`/bin/sh`) does that, which notices even SIGKILL.
 *
 * Each scaler of a group has its own pool; one that loses the lead drains it. Running workers of another pool, whose
 * scaler died or hangs, count as well: there are never more processes than the maximum, including those that are
 * stopping. They are known by the variable `REDIS_BATCH_POOL`, which consumers of Redis Batch report to the group;
 * programs that do not report it are known to their own pool only.
 *
 * @example
 * ```ts
 * import { ProcessPool, Scaler } from "@redis-batch/scaler";
 *
 * const pool = new ProcessPool({ command: process.execPath, args: ["worker.js"] });
 * const scaler = new Scaler({ redis: "redis://localhost:6379", stream: "orders", group: "billing" });
 * const stop = new AbortController();
 * process.once("SIGTERM", () => stop.abort());
 * await scaler.run({ executor: pool, signal: stop.signal });
 * await scaler.close();
 * await pool.close();
 * ```
 */
export class ProcessPool implements Executor, AsyncDisposable {
  readonly name = "process pool";
  readonly #policy: ProcessPoolPolicy;
  readonly #dependencies: ProcessPoolDependencies;
  readonly #report: Observer<ProcessPoolEvent>;
  readonly #guard: PoolGuard;
  readonly #context: PoolWorkerContext;
  readonly #id = instanceName();
  /** The wanted workers, in the order in which they were started. */
  readonly #workers: PoolWorker[] = [];
  readonly #leaving = new Set<Promise<void>>();
  #lastOrder: Order | null = null;
  /** The wanted number, including other pools' workers; `null`: no order yet. */
  #desired: number | null = null;
  /** The number of workers of other pools, and of those among them that stay. */
  #others = { all: 0, atWork: 0 };
  #most: number;
  /** Until when this scaler certainly leads; nothing is started after that. */
  #leadsUntilMs = Number.POSITIVE_INFINITY;
  #isClosed = false;

  /** @throws {ConfigError} naming every problem */
  constructor(options: ProcessPoolOptions);
  /** @internal */
  constructor(options: ProcessPoolOptions, dependencies: ProcessPoolDependencies);
  constructor(options: ProcessPoolOptions, dependencies: ProcessPoolDependencies = REAL_DEPENDENCIES) {
    this.#policy = resolveProcessPoolOptions(options);
    this.#dependencies = dependencies;
    const { observer, drainMs, maxWorkers } = this.#policy;
    this.#report = createNotifier(
      "process-pool",
      observer ?? warningObserver("process pool", describeProblem, dependencies.clock),
    );
    this.#most = maxWorkers;
    this.#guard = new PoolGuard({ drainMs, clock: dependencies.clock, report: this.#report });
    this.#context = {
      ...{
        policy: this.#policy,
        guard: this.#guard,
        clock: dependencies.clock,
        random: dependencies.random,
        report: this.#report,
      },
      env: { [POOL_VARIABLE]: this.#id },
      mayStart: () => dependencies.clock.nowMs() < this.#leadsUntilMs,
    };
    process.on("exit", this.#leaveNobodyBehind);
  }

  /** Running workers: wanted ones, and those that are stopping. */
  get size(): { readonly wanted: number; readonly atWork: number; readonly leaving: number } {
    const atWork = this.#workers.filter((worker) => worker.isAtWork).length;
    return { wanted: this.#workers.length, atWork, leaving: this.#leaving.size };
  }

  /** The wanted number, including other pools' workers. Active ones are known by their heartbeats. */
  async status(_signal?: AbortSignal, seen?: ScalingContext): Promise<Workforce> {
    if (seen !== undefined) {
      const others = seen.consumers.filter(({ pool }) => pool !== null && pool !== this.#id);
      this.#others = { all: others.length, atWork: others.filter(({ isLeaving }) => !isLeaving).length };
      this.#most = Math.min(this.#policy.maxWorkers, seen.maxConsumers);
      this.#leadsUntilMs = this.#dependencies.clock.nowMs() + seen.leadsForMs;
      this.#settle();
    }
    const desired = this.#desired ?? this.#others.atWork;
    return { desired, ready: null, startingMs: [], startUpsMs: [] };
  }

  /**
   * Starts missing workers, as far as there is room; asks surplus ones, newest first, to stop, without waiting for it.
   *
   * @throws {UsageError} after `close()`, and for an order that is earlier than one that was already carried out
   */
  async scale({ desired }: Pick<Decision, "desired">, _signal: AbortSignal, order: Order): Promise<void> {
    if (this.#isClosed) throw new UsageError("cannot scale: the process pool is closed");
    if (this.#lastOrder !== null && isEarlierOrder(order, this.#lastOrder)) {
      throw new UsageError(
        `the order ${order.term}.${order.sequence} is earlier than one that was already carried out`,
      );
    }
    this.#lastOrder = order;
    this.#desired = Math.max(this.#policy.minWorkers, Math.min(this.#policy.maxWorkers, desired));
    this.#settle();
  }

  /** Drains all workers, without waiting for it: the new leader has its own pool. */
  async onLeadershipLost(): Promise<void> {
    this.#desired = null;
    this.#settle();
  }

  /** Drains all workers; resolves when none is left. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.onLeadershipLost();
    await Promise.all(this.#leaving);
    this.#guard.close();
    process.off("exit", this.#leaveNobodyBehind);
  }

  /** The same as `close()`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Starts and stops workers to match the wanted number, within the room; called when either may have changed. */
  #settle(): void {
    const wanted = this.#desired === null ? 0 : Math.max(0, this.#desired - this.#others.atWork);
    const room = this.#most - this.#others.all;
    while (
      this.#workers.length < wanted &&
      this.#workers.length + this.#leaving.size < room &&
      this.#context.mayStart()
    ) {
      this.#workers.push(new PoolWorker(this.#context));
    }
    for (const worker of this.#surplus(this.#workers.length - wanted)) {
      this.#workers.splice(this.#workers.indexOf(worker), 1);
      const leaving = worker.leave().finally(() => {
        this.#leaving.delete(leaving);
        this.#settle();
      });
      this.#leaving.add(leaving);
    }
  }

  /** Asks the workers to stop when this process ends: nothing else would drain them. */
  readonly #leaveNobodyBehind = (): void => {
    this.#desired = null;
    this.#settle();
  };

  /** Workers without a process first, because nothing is lost with them; then the newest. */
  #surplus(count: number): readonly PoolWorker[] {
    const latestFirst = this.#workers.toReversed();
    return latestFirst.toSorted((a, b) => Number(a.isAtWork) - Number(b.isAtWork)).slice(0, Math.max(0, count));
  }
}

/** The process warning of an event, if there is no observer. */
function describeProblem(event: ProcessPoolEvent): string | undefined {
  if (event.type === "unguarded") {
    return `workers of this process pool keep running if its process is killed: ${SHELL} could not be started (${event.reason})`;
  }
  if (event.type === "workerKilled")
    return `the worker ${event.pid} did not stop within ${event.afterMs} ms, and was killed`;
  if (event.type !== "workerEnded" || event.wasAsked) return undefined;
  return `a worker ended by itself (${event.pid ?? "not started"}): ${event.reason}`;
}
