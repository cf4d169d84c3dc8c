import {
  type Clock,
  createNotifier,
  instanceName,
  type Observer,
  POOL_VARIABLE,
  type Random,
  systemClock,
  systemRandom,
  UsageError,
  warningObserver,
} from "@redis-batch/core/internal";
import type { Decision } from "../decisions/decision.ts";
import { type Executor, isEarlierOrder, type Order, type ScalingContext, type Workforce } from "../executor.ts";
import type { ProcessPoolEvent } from "./pool-events.ts";
import { PoolGuard, SHELL } from "./pool-guard.ts";
import { type ProcessPoolOptions, type ProcessPoolPolicy, resolveProcessPoolOptions } from "./pool-options.ts";
import { PoolWorker, type PoolWorkerContext } from "./pool-worker.ts";

/** What a test replaces. */
export interface ProcessPoolDependencies {
  readonly clock: Clock;
  readonly random: Random;
}

const REAL_DEPENDENCIES: ProcessPoolDependencies = { clock: systemClock, random: systemRandom };

/**
 * Workers as processes of this machine. One that is not needed any more is told to end (SIGTERM), and gets `drainMs` to
 * finish or release what it holds; one that ends by itself is replaced, with growing waits. Whether they work is told by
 * their heartbeats. Each has one consumer.
 *
 * Workers do not outlive this process: however it ends, they are told to end, and killed after `drainMs`. That is done by
 * a small shell (`/bin/sh`), which learns even of SIGKILL.
 *
 * Each scaler of a group has its own pool; one that loses the lead drains it. Workers of another pool that are still
 * there, because its scaler died or stands still, count: there are never more processes than the maximum, those on their
 * way out included. They are known by the variable `REDIS_BATCH_POOL`, which a consumer of Redis Batch tells the group;
 * programs that tell nothing are known to their own pool only.
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
  /** Those that are wanted, in the order in which they came. */
  readonly #workers: PoolWorker[] = [];
  readonly #leaving = new Set<Promise<void>>();
  #lastOrder: Order | null = null;
  /** How many there shall be with those of other pools; `null`: nothing was ordered. */
  #desired: number | null = null;
  /** The workers of other pools, and among them those that stay. */
  #others = { all: 0, atWork: 0 };
  #most: number;
  /** Until when nobody else leads; nothing is started after it. */
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

  /** Workers that are wanted and whose process is there, and those that are on their way out. */
  get size(): { readonly wanted: number; readonly atWork: number; readonly leaving: number } {
    const atWork = this.#workers.filter((worker) => worker.isAtWork).length;
    return { wanted: this.#workers.length, atWork, leaving: this.#leaving.size };
  }

  /** What is wanted, together with the workers of other pools. Who of them works is told by the heartbeats. */
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
   * Starts what is missing, as far as there is room; tells those that came last to end, without waiting for it.
   *
   * @throws {UsageError} after `close()`, and for an order that is earlier than one that was carried out
   */
  async scale({ desired }: Pick<Decision, "desired">, _signal: AbortSignal, order: Order): Promise<void> {
    if (this.#isClosed) throw new UsageError("cannot scale: the process pool is closed");
    if (this.#lastOrder !== null && isEarlierOrder(order, this.#lastOrder)) {
      throw new UsageError(`the order ${order.term}.${order.sequence} is earlier than one that was carried out`);
    }
    this.#lastOrder = order;
    this.#desired = Math.max(this.#policy.minWorkers, Math.min(this.#policy.maxWorkers, desired));
    this.#settle();
  }

  /** Drains all of them, without waiting for it: the scaler that leads now has a pool of its own. */
  async onLeadershipLost(): Promise<void> {
    this.#desired = null;
    this.#settle();
  }

  /** Drains all of them; resolves when none is left. Idempotent. */
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

  /** Has there be as many as are wanted, and never more than there is room for; called when either may have changed. */
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

  /** Nobody would ever drain the workers of a process that ends: they are told to end, too. */
  readonly #leaveNobodyBehind = (): void => {
    this.#desired = null;
    this.#settle();
  };

  /** Those without a process first, because nothing is lost with them; then those that came last. */
  #surplus(count: number): readonly PoolWorker[] {
    const latestFirst = this.#workers.toReversed();
    return latestFirst.toSorted((a, b) => Number(a.isAtWork) - Number(b.isAtWork)).slice(0, Math.max(0, count));
  }
}

/** What nobody else would learn of without an observer. */
function describeProblem(event: ProcessPoolEvent): string | undefined {
  if (event.type === "unguarded") {
    return `workers of this process pool will not end when its process is killed: ${SHELL} could not be started (${event.reason})`;
  }
  if (event.type === "workerKilled") return `the worker ${event.pid} did not end within ${event.afterMs} ms: killed`;
  if (event.type !== "workerEnded" || event.wasAsked) return undefined;
  return `a worker ended by itself (${event.pid ?? "not started"}): ${event.reason}`;
}
