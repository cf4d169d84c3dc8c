/**
 * The scaler: looks at a group, decides how many consumers it needs, and has that be so.
 *
 * | state  | means                                             | leaves by             |
 * |--------|---------------------------------------------------|-----------------------|
 * | idle   | not used yet, no connection                       | first use · `close()` |
 * | open   | was used; the connection comes back by itself     | `close()`             |
 * | closed | every call and run has ended, the connection is gone | –                  |
 */
import {
  backoffDelayMs,
  type Clock,
  type ConnectionEvent,
  createNotifier,
  createRedisStreamClient,
  describeTrouble,
  type Observer,
  pause,
  type Random,
  RedisBatchError,
  type StreamClient,
  systemClock,
  systemRandom,
  UsageError,
} from "@redis-batch/core/internal";
import { decide, emptyMemory, type ScalerMemory } from "./decisions/decide.ts";
import type { Decision } from "./decisions/decision.ts";
import { followStarts, NO_STARTS, type StartsMemory } from "./decisions/starts.ts";
import type { ScalerEvent } from "./events.ts";
import type { Executor, Workforce } from "./executor.ts";
import type { Observation } from "./observation.ts";
import { observe } from "./observe.ts";
import {
  type RunOptions,
  type RunPolicy,
  resolveRunOptions,
  resolveScalerOptions,
  type ScalerOptions,
  type ScalerPolicy,
} from "./scaler-options.ts";
import { warnOfTrouble } from "./warn.ts";

/** What a scaler gets from outside; replaced in tests. */
export interface ScalerEdge {
  readonly clock: Clock;
  readonly random: Random;
  readonly createClient: typeof createRedisStreamClient;
}

const SYSTEM_EDGE: ScalerEdge = { clock: systemClock, random: systemRandom, createClient: createRedisStreamClient };

const RETRY_BASE_MS = 500;

/**
 * Says how many consumers a group needs, and why; with an executor, has there be so many. Works on any consumer group;
 * the throughput strategy knows more of one whose consumers are Redis Batch's. Constructing does no I/O; the first use
 * connects. It learns from every decision, so one that is kept decides better than a new one.
 *
 * @example
 * ```ts
 * import { Scaler } from "@redis-batch/scaler";
 *
 * await using scaler = new Scaler({ redis: "redis://localhost:6379", stream: "orders", group: "billing" });
 * const { direction, desired, reason } = await scaler.decide();
 * console.log(direction, desired, reason);
 * ```
 */
export class Scaler implements AsyncDisposable {
  readonly #policy: ScalerPolicy;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #client: StreamClient;
  readonly #report: Observer<ScalerEvent>;
  readonly #ending = new AbortController();
  readonly #underWay = new Set<Promise<unknown>>();
  #memory: ScalerMemory;
  #starts: StartsMemory = NO_STARTS;
  #isRunning = false;
  #closing: Promise<void> | undefined;

  /** @throws {ConfigError} naming every option that is wrong */
  constructor(options: ScalerOptions);
  /** @internal */
  constructor(options: ScalerOptions, edge: ScalerEdge);
  constructor(options: ScalerOptions, { clock, random, createClient }: ScalerEdge = SYSTEM_EDGE) {
    const policy = resolveScalerOptions(options);
    this.#policy = policy;
    this.#clock = clock;
    this.#random = random;
    this.#memory = emptyMemory(policy.scaling.strategy);
    this.#report = createNotifier("scaler", policy.observer ?? warnOfTrouble);
    // No read ever blocks here.
    this.#client = createClient({ redis: policy.redis, blockMs: 0, report: (event) => this.#onConnection(event) });
  }

  /**
   * Looks at the group as it is now. Every call looks anew.
   *
   * @throws {ConnectionError} when there is no connection within `connectTimeoutMs`, or it fails
   * @throws {UsageError} after `close()`
   * @throws {PermissionError} {@link WrongTypeError}
   */
  async collect({ signal }: { readonly signal?: AbortSignal } = {}): Promise<Observation> {
    return this.#use(signal, () => observe(this.#client, this.#policy, null));
  }

  /**
   * Looks at the group and says how many consumers it shall have. Changes nothing, except what this scaler remembers.
   *
   * @param observation one that `collect()` gave just now; default: looks by itself
   * @throws {ConnectionError} when there is no connection within `connectTimeoutMs`, or it fails
   * @throws {UsageError} after `close()`
   */
  async decide(observation?: Observation): Promise<Decision> {
    this.#ending.signal.throwIfAborted();
    return this.#decide(observation ?? (await this.collect()), null);
  }

  /**
   * Decides every `intervalMs`, and has the executor carry it out. Without one every decision is only told: a dry run.
   * Resolves when `signal` aborts or `close()` is called. An outage, of Redis or of the executor, changes nothing and
   * does not end it.
   *
   * @throws {ConnectionError} when the first connection cannot be made within `connectTimeoutMs`
   * @throws {UsageError} while another run of this scaler is under way, and after `close()`
   * @throws {RedisBatchError} what no repetition can mend: wrong credentials, missing rights, a key of another type
   */
  async run(options: RunOptions = {}): Promise<void> {
    const policy = resolveRunOptions(options);
    this.#ending.signal.throwIfAborted();
    if (this.#isRunning) throw new UsageError("cannot run: another run of this scaler is under way");
    this.#isRunning = true;
    try {
      await this.#use(policy.signal, (over) => this.#runUntil(over, policy));
    } catch (error) {
      // Told to end while it connected.
      if (!policy.signal?.aborted && !this.#ending.signal.aborted) throw error;
    } finally {
      this.#isRunning = false;
    }
  }

  /** Ends runs and calls under way, then closes the connection. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** The same as `close()`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#ending.abort(new UsageError("the scaler was closed"));
    await Promise.allSettled(this.#underWay);
    await this.#client.close();
    this.#report({ type: "closed" });
  }

  /** Runs one call with a connection. Its signal aborts with the caller's, and when all of this is closed. */
  async #use<Result>(signal: AbortSignal | undefined, run: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
    const ending = this.#ending.signal;
    const over = signal === undefined ? ending : AbortSignal.any([ending, signal]);
    over.throwIfAborted();
    const work = this.#client
      .connect(["commands"], { timeoutMs: this.#policy.connectTimeoutMs, signal: over })
      .then(() => run(over));
    this.#underWay.add(work);
    try {
      return await work;
    } finally {
      this.#underWay.delete(work);
    }
  }

  #decide(observation: Observation, executor: string | null): Decision {
    const { decision, memory } = decide(observation, this.#memory, this.#policy.scaling, this.#clock.nowMs());
    this.#memory = memory;
    this.#report({ type: "decided", decision, executor });
    return decision;
  }

  /** Times the starts by the consumers that work, where the executor knows no more than what was ordered. */
  #timeStarts(seen: Observation, workforce: Workforce | null): Observation {
    if (workforce === null || workforce.ready !== null) return seen;
    const nowMs = this.#clock.nowMs();
    this.#starts = followStarts(this.#starts, seen.current, seen.ready, nowMs);
    const { orderedAtMs, startUpsMs } = this.#starts;
    return { ...seen, startingMs: orderedAtMs.map((atMs) => nowMs - atMs), startUpsMs };
  }

  async #runUntil(over: AbortSignal, { intervalMs, executor }: RunPolicy): Promise<void> {
    let failures = 0;
    while (!over.aborted) {
      const beganAtMs = this.#clock.nowMs();
      let waitMs = intervalMs;
      try {
        await this.#pass(over, executor);
        failures = 0;
      } catch (error) {
        if (over.aborted) return;
        // What an executor throws is its own; it may well be there again the next time.
        if (RedisBatchError.is(error) && !error.retryable) throw error;
        failures++;
        waitMs = backoffDelayMs(failures, { baseMs: RETRY_BASE_MS, capMs: intervalMs }, this.#random);
        this.#report({ type: "passFailed", retryInMs: waitMs, error: describeTrouble(error) });
      }
      await pause(this.#clock, Math.max(beganAtMs + waitMs - this.#clock.nowMs(), 0), over);
    }
  }

  async #pass(over: AbortSignal, executor: Executor | null): Promise<void> {
    const workforce = executor === null ? null : await executor.survey(over);
    const seen = await observe(this.#client, this.#policy, workforce);
    if (over.aborted) return;
    const decision = this.#decide(this.#timeStarts(seen, workforce), executor?.name ?? null);
    executor?.heed?.(decision);
    if (executor === null || decision.direction === "NO_SCALE") return;
    const move = { from: decision.current, to: decision.desired, executor: executor.name };
    try {
      await executor.scale(decision, over);
      this.#report({ type: "scaled", ...move });
    } catch (error) {
      if (!over.aborted) this.#report({ type: "scaleFailed", ...move, error: describeTrouble(error) });
    }
  }

  #onConnection(event: ConnectionEvent): void {
    // Our own closing is told as such.
    if (this.#ending.signal.aborted) return;
    if (event.type === "disconnected") return this.#report({ type: "disconnected", reason: event.reason });
    this.#report({ type: "connected" });
  }
}
