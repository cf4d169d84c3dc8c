/** The scaler: observes a group, decides how many consumers it needs, and scales to that number. Its states are those of a CallScope. */
import { type ErrorInfo, type Observer, RedisBatchError, UsageError } from "@redis-batch/core";
import { type Dependencies, dependenciesOf, type StreamClient } from "@redis-batch/core/internal/connection";
import { toErrorInfo } from "@redis-batch/core/internal/errors";
import type { LeaseAnswer } from "@redis-batch/core/internal/groups";
import {
  CallScope,
  type Clock,
  createNotifier,
  createSafeCaller,
  INSPECT,
  type InspectContext,
  instanceName,
  nameService,
  type Random,
  repeatPasses,
  showAs,
  warningObserver,
} from "@redis-batch/core/internal/service";
import { auditOrder, auditOutcome } from "./audit.ts";
import { limitsOf } from "./decisions/bounds.ts";
import { decide, emptyMemory, type ScalerMemory } from "./decisions/decide.ts";
import type { Decision } from "./decisions/decision.ts";
import { followStarts, NO_STARTS, type StartsMemory } from "./decisions/starts.ts";
import type { ScalerEvent } from "./events.ts";
import type { Executor, Order } from "./executor.ts";
import { Leadership } from "./leadership.ts";
import type { Observation } from "./observation.ts";
import { observe, type Snapshot } from "./observe.ts";
import {
  type RunOptions,
  type RunPolicy,
  resolveRunOptions,
  resolveScalerOptions,
  type ScalerOptions,
  type ScalerPolicy,
} from "./scaler-options.ts";
import { encodeState, readDecision, recall } from "./state.ts";
import { describeProblem } from "./warn.ts";

/**
 * Decides how many consumers a group needs, and explains why; with an executor it scales the group to that number. Works
 * with any consumer group; the throughput strategy knows more about consumers of Redis Batch. The constructor does no
 * I/O; the first use connects. It learns from every decision, so a scaler that you keep decides better than a new one.
 *
 * @example
 * ```ts
 * import { Scaler } from "@redis-batch/scaler";
 *
 * const scaler = new Scaler({ redis: "redis://localhost:6379", stream: "orders", group: "billing" });
 * const { direction, desired, reason } = await scaler.decide();
 * console.log(direction, desired, reason);
 * await scaler.close();
 * ```
 */
export class Scaler implements AsyncDisposable {
  readonly #policy: ScalerPolicy;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #calls: CallScope;
  readonly #report: Observer<ScalerEvent>;
  #memory: ScalerMemory;
  #starts: StartsMemory = NO_STARTS;
  /** Offset from the local clock, which never jumps, to the server's clock, which all scalers share. */
  #toServerMs: number | null = null;

  /** @throws {ConfigError} naming every wrong option */
  constructor(options: ScalerOptions);
  /** @internal */
  constructor(options: ScalerOptions, dependencies: Dependencies);
  constructor(options: ScalerOptions, dependencies?: Dependencies) {
    const policy = resolveScalerOptions(options);
    const { clock, random, createClient } = dependencies ?? dependenciesOf(policy.redis);
    this.#policy = policy;
    this.#clock = clock;
    this.#random = random;
    this.#memory = emptyMemory(policy.scaling.strategy);
    const subject = nameService("scaler", policy.stream, policy.group);
    this.#report = createNotifier("scaler", policy.observer ?? warningObserver(subject, describeProblem, clock));
    this.#calls = new CallScope({
      whenClosed: "the scaler was closed",
      connectTimeoutMs: policy.connectTimeoutMs,
      clock,
      report: this.#report,
      // No read ever blocks here.
      createClient: (report) =>
        createClient({
          redis: policy.redis,
          credentials: policy.credentials,
          blockMs: 0,
          actor: { role: "scaler", stream: policy.stream },
          report,
        }),
    });
  }

  get #client(): StreamClient {
    return this.#calls.client;
  }

  /**
   * Observes the current state of the group. Every call reads it again.
   *
   * @throws {ConnectionError} when there is no connection within `connectTimeoutMs`, or it fails
   * @throws {UsageError} after `close()`
   * @throws {PermissionError} {@link WrongTypeError}
   */
  async collect({ signal }: { readonly signal?: AbortSignal } = {}): Promise<Observation> {
    return this.#calls.use(signal, async () => {
      const snapshot = await observe(this.#client, this.#policy, async () => null);
      this.#now(snapshot);
      return snapshot.observation;
    });
  }

  /**
   * Observes the group and decides how many consumers it needs. Changes nothing, except the memory of this scaler.
   *
   * @param observation a fresh one from `collect()`; default: makes its own
   * @throws {ConnectionError} when there is no connection within `connectTimeoutMs`, or it fails
   * @throws {UsageError} after `close()`
   */
  async decide(observation?: Observation): Promise<Decision> {
    this.#calls.assertOpen();
    const seen = observation ?? (await this.collect());
    return this.#decide(seen, this.#clock.nowMs() + (this.#toServerMs ?? 0), null);
  }

  /**
   * Decides every `intervalMs`, and lets the executor carry out the decisions. Without an executor decisions are only
   * reported: a dry run, which changes nothing, not even in Redis. If several scalers with executors run for one group,
   * one leads and the others stand by; when the leader is gone, another resumes from its saved state. Orders are recorded
   * in the group's audit log. Resolves when `signal` aborts or `close()` is called. An outage of Redis or of the executor
   * changes nothing and does not end it.
   *
   * @throws {ConnectionError} when the first connection cannot be made within `connectTimeoutMs`
   * @throws {UsageError} while another run of this scaler is active, and after `close()`
   * @throws {RedisBatchError} on errors that a retry cannot fix: wrong credentials, missing rights, a key of another type
   */
  async run(options: RunOptions = {}): Promise<void> {
    const policy = resolveRunOptions(options);
    await this.#calls.run(policy.signal, (over) => this.#runUntil(over, policy));
  }

  /** Ends runs and calls that are active, then closes the connection. Idempotent. */
  close(): Promise<void> {
    return this.#calls.close();
  }

  /** The same as `close()`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** @internal */
  [INSPECT](depth: number, options: InspectContext): string {
    return showAs(
      "Scaler",
      { stream: this.#policy.stream, group: this.#policy.group, state: this.#calls.state },
      depth,
      options,
    );
  }

  /** Measures start-up times by active consumers, if the executor only knows how many were ordered. */
  #timeStarts({ observation: seen, workforce }: Snapshot, nowMs: number): Observation {
    if (workforce === null || workforce.ready !== null) return seen;
    this.#starts = followStarts(this.#starts, seen.current, seen.ready, nowMs);
    const { orderedAtMs, startUpsMs } = this.#starts;
    return { ...seen, startingMs: orderedAtMs.map((atMs) => nowMs - atMs), startUpsMs };
  }

  /** Notes when new consumers are ordered: at the next look they have been starting for an interval. */
  #timeOrder({ observation, workforce }: Snapshot, { desired }: Decision, nowMs: number): void {
    if (workforce === null || workforce.ready !== null || desired <= observation.current) return;
    this.#starts = followStarts(this.#starts, desired, observation.ready, nowMs);
  }

  #decide(observation: Observation, nowMs: number, executor: string | null): Decision {
    const { decision, memory } = decide(observation, this.#memory, this.#policy.scaling, nowMs);
    this.#memory = memory;
    this.#report({ type: "decided", decision, executor });
    return decision;
  }

  /** The time of the local clock, converted to the server's, so that the next leader understands the saved state. */
  #now({ atMs }: Snapshot): number {
    this.#toServerMs ??= atMs - this.#clock.nowMs();
    return this.#clock.nowMs() + this.#toServerMs;
  }

  async #runUntil(over: AbortSignal, policy: RunPolicy): Promise<void> {
    const { intervalMs, executor } = policy;
    const pass = executor === null || policy.isDryRun ? this.#dryPasses(executor) : this.#passes(executor, policy);
    const onFailure = (error: unknown, retryInMs: number): void => {
      // An executor's error is its own; it may work again the next time.
      if (RedisBatchError.is(error) && !error.retryable) throw error;
      this.#report({ type: "passFailed", retryInMs, error: toErrorInfo(error) });
    };
    try {
      await repeatPasses(over, () => pass.once(over), {
        ...{ intervalMs, onFailure, clock: this.#clock, random: this.#random },
      });
    } finally {
      await pass.end();
    }
  }

  #look(executor: Executor | null, over: AbortSignal, leadsForMs: () => number): Promise<Snapshot> {
    return observe(this.#client, this.#policy, async (consumers, { isAlone, partitions }) => {
      const room = { isAlone: isAlone ?? this.#memory.isAlone, partitions };
      const { maxConsumers } = limitsOf(this.#policy.scaling, room);
      return (await executor?.status(over, { consumers, maxConsumers, leadsForMs: leadsForMs() })) ?? null;
    });
  }

  #dryPasses(executor: Executor | null): Passes {
    return {
      once: async (over) => {
        const snapshot = await this.#look(executor, over, () => 0);
        const nowMs = this.#now(snapshot);
        if (!over.aborted) this.#decide(this.#timeStarts(snapshot, nowMs), nowMs, null);
      },
      end: async () => {},
    };
  }

  /** Passes of a scaler with an executor; only the leader's passes act. */
  #passes(executor: Executor, { leaseMs }: RunPolicy): Passes {
    const { stream, group, auditLength } = this.#policy;
    const holder = instanceName();
    const call = createSafeCaller(`onDecision() of the executor ${executor.name}`);
    const onDecision = (decision: Decision): void =>
      call((decided: Decision) => executor.onDecision?.(decided), decision);
    const lead = new Leadership({
      client: this.#client,
      clock: this.#clock,
      stream,
      group,
      holder,
      leaseMs,
      auditLength,
    });
    /** The term in which this scaler leads; `null`: it stands by; `undefined`: not known yet. */
    let led: number | null | undefined;
    let heard = "";
    const follow = async ({ term, state }: LeaseAnswer): Promise<void> => {
      // Only new decisions: an old decision of a leader that is stuck must not look current.
      const decision = state === heard ? null : readDecision(state);
      heard = state;
      if (decision !== null) onDecision(decision);
      if (led === null) return;
      const hasLed = led !== undefined;
      led = null;
      this.#report({ type: "following", term });
      if (hasLed) await executor.onLeadershipLost?.();
    };
    const once = async (over: AbortSignal): Promise<void> => {
      const askedAtMs = this.#clock.nowMs();
      const answer = await lead.hold();
      if (!answer.isHeld) return follow(answer);
      const { term, state } = answer;
      const snapshot = await this.#look(executor, over, () => askedAtMs + leaseMs - this.#clock.nowMs());
      if (over.aborted) return;
      if (led !== term) {
        led = term;
        this.#recall(state, snapshot);
        this.#report({ type: "leading", term });
      }
      const nowMs = this.#now(snapshot);
      const decision = this.#decide(this.#timeStarts(snapshot, nowMs), nowMs, executor.name);
      this.#timeOrder(snapshot, decision, nowMs);
      const left = encodeState({ memory: this.#memory, starts: this.#starts, decision, atMs: nowMs });
      if (decision.direction === "NO_SCALE") {
        if (await lead.write(left, null)) onDecision(decision);
        return;
      }
      const move = { from: decision.current, to: decision.desired, executor: executor.name };
      // The observation may have taken long, and the rest needs a whole lease.
      const untilMs = this.#clock.nowMs() + leaseMs;
      const { isHeld, term: latest } = await lead.hold();
      const order = { stream, group, term, sequence: lead.nextSequence() };
      // Recorded before it is carried out: nothing unrecorded is done, and an earlier leader stops here.
      const entry = auditOrder(order, decision, executor.name);
      const isRecorded = isHeld && latest === term && (await lead.write(left, entry));
      // If this process was suspended meanwhile, another scaler leads by now.
      if (!isRecorded || this.#clock.nowMs() >= untilMs) {
        this.#report({ type: "superseded", ...move });
        return;
      }
      onDecision(decision);
      const failure = await this.#carryOut(executor, decision, order, { over, untilMs });
      if (failure === null) this.#report({ type: "scaled", ...move });
      else if (!over.aborted) this.#report({ type: "scaleFailed", ...move, error: failure });
      await lead.write(left, auditOutcome(order, failure));
    };
    return { once, end: () => lead.giveUp() };
  }

  /** Resumes from the last leader's saved state, as far as this version understands it. */
  #recall(state: string, snapshot: Snapshot): void {
    this.#toServerMs = null;
    const known = recall(state, this.#policy.scaling.strategy, this.#now(snapshot));
    this.#memory = known?.memory ?? this.#memory;
    this.#starts = known?.starts ?? this.#starts;
  }

  /** Gives the order → the error if it could not be carried out; `null`: it was. */
  async #carryOut(
    executor: Executor,
    decision: Decision,
    order: Order,
    { over, untilMs }: { readonly over: AbortSignal; readonly untilMs: number },
  ): Promise<ErrorInfo | null> {
    // Another scaler may lead once the lease has expired.
    const tooLate = new AbortController();
    const cancel = this.#clock.setTimer(untilMs - this.#clock.nowMs(), () => {
      tooLate.abort(new UsageError("another scaler may lead by now"));
    });
    try {
      await executor.scale(decision, AbortSignal.any([over, tooLate.signal]), order);
      return null;
    } catch (error) {
      return toErrorInfo(error);
    } finally {
      cancel();
    }
  }
}

/** The pass of a run, and what happens at its end. */
interface Passes {
  once(over: AbortSignal): Promise<void>;
  end(): Promise<void>;
}
