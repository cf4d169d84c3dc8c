/**
 * The partitions of a consumer: takes those that it should own, works on them, and gives up what others should own.
 *
 * | a partition is | meaning                                             | leaves by                                         |
 * |----------------|-----------------------------------------------------|---------------------------------------------------|
 * | not owned      | another consumer owns it, or nobody                 | the server says that this consumer owns it now    |
 * | owned          | its lane starts, or works                           | another should have it · the lane failed · lost   |
 * | leaving        | still owned: its lane finishes what is open         | the lane has ended, and the ownership is given up |
 *
 * The ownership is renewed until the lane has ended. One that was not renewed in time is lost: somebody else may own the partition, so its lane
 * ends at once, and touches nothing any more.
 */
import { type EntryId, PartitionLostError, RedisBatchError } from "@redis-batch/core";
import type { StreamClient } from "@redis-batch/core/internal/connection";
import { toErrorInfo } from "@redis-batch/core/internal/errors";
import { assurePartitions } from "@redis-batch/core/internal/groups";
import { type BackoffPolicy, backoffDelayMs, type Clock, Loop, type Random } from "@redis-batch/core/internal/service";
import type { OwnedPartition } from "./batch.ts";
import { decideMoves, type Member } from "./decisions/assignment.ts";
import type { ConsumerEvent, StopReport } from "./events.ts";
import type { Lane } from "./lane.ts";
import type { Lanes } from "./lanes.ts";
import type { ConnectionWatch } from "./liveness/connection-watch.ts";
import { retryUntil } from "./liveness/retry-until.ts";
import { withTimeout } from "./liveness/with-timeout.ts";
import type { ConsumerPolicy } from "./options.ts";
import { Membership } from "./partition-members.ts";

/** How long a partition whose lane has failed is left to others. */
const REST: BackoffPolicy = { baseMs: 1_000, capMs: 30_000 };
/** How long the others may wait for what a consumer has given up, and a new one for its share. */
const LOOK_EVERY_MS = 1_000;
const IDS_PER_PAGE = 1_000;
/** An ownership that is about to end is asked about again this long after its end. */
const AFTER_END_MS = 50;

export interface PartitionsOptions<Value> {
  readonly policy: ConsumerPolicy<Value> & { readonly partitions: number };
  readonly client: StreamClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly connection: ConnectionWatch;
  readonly lanes: Lanes<Value>;
  /** Whether this consumer can work on a partition now: it is not paused, and a handler can be free for it. */
  readonly canWork: () => boolean;
  /** How many batches can be at work at the same time. */
  readonly places: () => number;
  readonly report: (event: ConsumerEvent) => void;
  /** The consumer cannot go on. */
  readonly fail: (error: unknown) => void;
}

interface Owned<Value> extends OwnedPartition {
  readonly stream: string;
  /** When the last renewal that the server confirmed was sent, by the local clock. */
  renewedAtMs: number;
  isLeaving: boolean;
  lane: Lane<Value> | undefined;
}

export class Partitions<Value> {
  readonly #options: PartitionsOptions<Value>;
  readonly #membership: Membership;
  readonly #heartbeats: Loop;
  readonly #renewals: Loop;
  readonly #owned = new Map<number, Owned<Value>>();
  /** The highest token of each partition that was seen. */
  readonly #heardOf = new Map<number, number>();
  /** Since when no member says that it owns it. */
  readonly #freeSinceMs = new Map<number, number>();
  /** Partitions whose lane failed, how often in a row, and until when they are left to others. */
  readonly #failed = new Map<number, { readonly failures: number; readonly untilMs: number }>();
  /** Partitions that were lost, and whose lane has not ended yet. */
  readonly #ending = new Set<number>();
  readonly #tasks = new Set<Promise<void>>();
  readonly #stopped = new AbortController();
  #members: readonly Member[] = [];

  constructor(options: PartitionsOptions<Value>) {
    const { policy, client, clock, connection } = options;
    this.#options = options;
    this.#membership = new Membership({
      ...{ policy, client, clock, connection },
      describe: () => this.#describe(),
    });
    this.#heartbeats = new Loop(clock, { pass: () => this.#look(), onError: (error) => this.#heartbeatFailed(error) });
    this.#renewals = new Loop(clock, { pass: () => this.#renewAll() });
  }

  /** The token of this consumer's ownership of a partition's stream; `undefined`: it does not own it. */
  tokenOf(stream: string): number | undefined {
    for (const owned of this.#owned.values()) if (owned.stream === stream) return owned.token;
    return undefined;
  }

  /**
   * Joins the others. Resolves with `true` when this consumer owns what it can have at once, and with `false` when it was stopped
   * before.
   *
   * @throws an error that cannot pass, or the last one when `connectTimeoutMs` is over
   */
  async start(): Promise<boolean> {
    const { policy, client, clock, random } = this.#options;
    const { signal } = this.#stopped;
    const { stream, partitions, connectTimeoutMs } = policy;
    await retryUntil(
      async (timeoutMs) => {
        await client.connect(["commands"], { timeoutMs, signal });
        await assurePartitions(client, { stream, partitions });
        await this.#membership.join(signal);
        await this.#look();
      },
      { clock, random, timeoutMs: connectTimeoutMs, signal },
    );
    // What it got at once is worked on before the first call is answered; but one that cannot be started keeps no other waiting.
    await withTimeout(clock, policy.heartbeatMs, Promise.all(this.#tasks));
    if (signal.aborted) return false;
    this.#heartbeats.start(this.#lookEveryMs);
    this.#renewals.start(policy.leaseMs / 3);
    return true;
  }

  /** This consumer can work now, or cannot any more: the others should know at once. */
  stateChanged(): void {
    this.#heartbeats.notify();
  }

  /** The lane of a partition cannot go on. */
  laneFailed(lane: Lane<Value>, error: unknown): void {
    for (const owned of this.#owned.values()) if (owned.lane === lane) this.#giveUp(owned, error);
  }

  /** Another consumer owns the partition, or nobody does. */
  lost(stream: string, token: number): void {
    for (const owned of this.#owned.values()) {
      if (owned.stream === stream && owned.token === token) this.#lose(owned);
    }
  }

  /** Finishes what is open, and leaves. */
  async leave(): Promise<StopReport> {
    this.#stopped.abort();
    const heartbeatsEnded = this.#heartbeats.stop();
    const owned = [...this.#owned.values()];
    const report = await this.#options.lanes.leave();
    await Promise.all(owned.map((one) => this.#release(one)));
    await Promise.all([this.#renewals.stop(), heartbeatsEnded]);
    await this.#membership.leave();
    return report;
  }

  /** Resolves when nothing is under way any more. */
  async finish(): Promise<void> {
    await Promise.all(this.#tasks);
  }

  #describe() {
    const { policy, lanes, canWork, places } = this.#options;
    const { batchSize, prefetch, maxDeferred, maxHoldMs } = policy;
    const isStopping = this.#stopped.signal.aborted;
    const concurrency = places();
    return {
      state: isStopping ? "draining" : canWork() ? "running" : "paused",
      partitions: [...this.#owned.keys()],
      ...{ batchSize, concurrency, capacity: batchSize * (concurrency + prefetch) + maxDeferred },
      ...{ holdLimitMs: maxHoldMs, ...lanes.totals, intake: lanes.isPaused ? "paused" : lanes.totals.intake },
    };
  }

  async #look(): Promise<number> {
    const { policy, clock, lanes } = this.#options;
    this.#members = await this.#membership.look();
    // Another consumer works on what this one could not.
    for (const { name, owns } of this.#members) {
      if (name !== policy.name) for (const one of owns) lanes.endRest(policy.streams[one] ?? "");
    }
    return Math.min(this.#lookEveryMs, Math.max((await this.#move()) - clock.nowMs(), 0));
  }

  get #lookEveryMs(): number {
    return Math.min(this.#options.policy.heartbeatMs, LOOK_EVERY_MS);
  }

  /** The others cannot be seen: everything stays as it is. */
  #heartbeatFailed(error: unknown): number | "end" {
    const { policy, fail, report } = this.#options;
    if (!RedisBatchError.is(error) || !error.retryable) {
      fail(error);
      return "end";
    }
    report({ type: "heartbeatFailed", stream: policy.stream, error: toErrorInfo(error) });
    return policy.heartbeatMs;
  }

  /** Takes and gives up what it should → when to look again, by the local clock. */
  async #move(): Promise<number> {
    const { policy } = this.#options;
    const owns = [...this.#owned.values()].filter(({ isLeaving }) => !isLeaving).map(({ partition }) => partition);
    const { take, giveUp } = decideMoves(policy.name, owns, this.#members, policy.partitions, this.#overdue());
    for (const partition of giveUp) {
      const owned = this.#owned.get(partition);
      if (owned !== undefined) this.#giveUp(owned);
    }
    const ends = await Promise.all(take.map((partition) => this.#take(partition)));
    if (ends.includes(null)) await this.#membership.tell();
    return Math.min(Number.POSITIVE_INFINITY, ...ends.filter((end) => end !== null));
  }

  /** Partitions that nobody has owned for longer than a lease. */
  #overdue(): ReadonlySet<number> {
    const { policy, clock } = this.#options;
    const nowMs = clock.nowMs();
    const taken = new Set(this.#members.flatMap(({ owns }) => owns));
    const overdue = new Set<number>();
    for (let partition = 0; partition < policy.partitions; partition++) {
      if (taken.has(partition)) this.#freeSinceMs.delete(partition);
      else if (!this.#freeSinceMs.has(partition)) this.#freeSinceMs.set(partition, nowMs);
      else if (nowMs - (this.#freeSinceMs.get(partition) ?? nowMs) > 2 * policy.leaseMs) overdue.add(partition);
    }
    return overdue;
  }

  /** Asks for a partition → `null` if it is this consumer's now, otherwise when to ask again. */
  async #take(partition: number): Promise<number | null> {
    const { policy, client, clock, report } = this.#options;
    const { group, name: member, leaseMs } = policy;
    const stream = policy.streams[partition] as string;
    const askedAtMs = clock.nowMs();
    const restsUntilMs = this.#failed.get(partition)?.untilMs ?? 0;
    if (restsUntilMs > askedAtMs) return restsUntilMs;
    const isBusy = this.#owned.has(partition) || this.#ending.has(partition);
    if (isBusy || this.#stopped.signal.aborted) return Number.POSITIVE_INFINITY;
    const heardOf = this.#heardOf.get(partition) ?? 0;
    const { isHeld, token, leftMs } = await client.holdPartition({
      stream,
      group,
      member,
      leaseMs,
      token: null,
      heardOf,
    });
    this.#heardOf.set(partition, Math.max(heardOf, token));
    if (!isHeld) return clock.nowMs() + leftMs + AFTER_END_MS;
    const owned: Owned<Value> = { partition, token, stream, renewedAtMs: askedAtMs, isLeaving: false, lane: undefined };
    this.#owned.set(partition, owned);
    report({ type: "partitionTaken", stream, partition, token });
    this.#run(this.#work(owned));
    return null;
  }

  async #work(owned: Owned<Value>): Promise<void> {
    const { lanes } = this.#options;
    const lane = lanes.open(owned.stream, owned);
    owned.lane = lane;
    try {
      if (!(await lane.start()) || !(await this.#adopt(owned))) return;
    } catch (error) {
      return this.#giveUp(owned, error);
    }
    this.#failed.delete(owned.partition);
    lanes.join(lane);
  }

  /** Takes over what is pending for earlier owners → whether the partition is still this consumer's. */
  async #adopt(owned: Owned<Value>): Promise<boolean> {
    const { policy, client, clock, random } = this.#options;
    const { group, name: member, leaseMs } = policy;
    const { stream, token } = owned;
    const adoptPage = (after: EntryId | null): ReturnType<StreamClient["adoptPending"]> =>
      retryUntil(() => client.adoptPending({ stream, group, member, token, after, count: IDS_PER_PAGE }), {
        ...{ clock, random, timeoutMs: leaseMs, signal: this.#stopped.signal },
      });
    let page = await adoptPage(null);
    while (page !== null && page.next !== null && !owned.isLeaving) page = await adoptPage(page.next);
    if (page === null) this.#lose(owned);
    return !owned.isLeaving && !this.#stopped.signal.aborted;
  }

  /** Lets the next one have a partition, once everything that is open has ended. */
  #giveUp(owned: Owned<Value>, error?: unknown): void {
    if (owned.isLeaving) return;
    owned.isLeaving = true;
    if (error !== undefined) this.#laneFailed(owned, error);
    this.#run(this.#leave(owned));
  }

  #laneFailed({ partition, stream }: Owned<Value>, error: unknown): void {
    const { clock, random, report, lanes } = this.#options;
    const failures = (this.#failed.get(partition)?.failures ?? 0) + 1;
    const retryInMs = backoffDelayMs(failures, REST, random);
    this.#failed.set(partition, { failures, untilMs: clock.nowMs() + retryInMs });
    lanes.rest(stream, error);
    report({ type: "streamFailed", stream, retryInMs, error: toErrorInfo(error) });
  }

  async #leave(owned: Owned<Value>): Promise<void> {
    const { lanes } = this.#options;
    if (owned.lane !== undefined) await lanes.close(owned.lane);
    await this.#release(owned);
  }

  /** Gives up the ownership. Best effort: otherwise it ends by itself. */
  async #release(owned: Owned<Value>): Promise<void> {
    const { policy, client, report } = this.#options;
    const { group, name: member } = policy;
    const { stream, partition, token } = owned;
    if (this.#owned.get(partition) !== owned) return;
    this.#owned.delete(partition);
    try {
      await client.holdPartition({ stream, group, member, leaseMs: 0, token, heardOf: token });
    } catch (error) {
      if (!RedisBatchError.is(error)) throw error;
    }
    report({ type: "partitionGivenUp", stream, partition });
  }

  /** Touches nothing of the partition any more. */
  #lose(owned: Owned<Value>): void {
    const { lanes, report } = this.#options;
    const { stream, partition, lane, token } = owned;
    if (this.#owned.get(partition) !== owned) return;
    this.#owned.delete(partition);
    owned.isLeaving = true;
    report({ type: "partitionLost", stream, partition, token });
    if (lane !== undefined) {
      lane.parts.shutdown.letGoOfName(
        new PartitionLostError(`partition ${partition} is not this consumer's any more`, { partition }),
      );
      this.#ending.add(partition);
      this.#run(lanes.close(lane).finally(() => this.#ending.delete(partition)));
    }
    this.#heartbeats.notify();
  }

  async #renewAll(): Promise<number> {
    const { policy } = this.#options;
    const areRenewed = await Promise.all([...this.#owned.values()].map((owned) => this.#renew(owned)));
    return areRenewed.every(Boolean) ? policy.leaseMs / 3 : Math.min(policy.leaseMs / 10, 1_000);
  }

  /** → whether the server has answered. */
  async #renew(owned: Owned<Value>): Promise<boolean> {
    const { policy, client, clock, report } = this.#options;
    const { group, name: member, leaseMs } = policy;
    const { stream, token } = owned;
    const askedAtMs = clock.nowMs();
    try {
      const { isHeld } = await client.holdPartition({ stream, group, member, leaseMs, token, heardOf: token });
      if (isHeld) owned.renewedAtMs = askedAtMs;
      else this.#lose(owned);
      return true;
    } catch (error) {
      if (!RedisBatchError.is(error)) throw error;
      const retryInMs = Math.min(leaseMs / 10, 1_000);
      report({ type: "renewFailed", stream, retryInMs, error: toErrorInfo(error) });
      if (clock.nowMs() - owned.renewedAtMs >= leaseMs) this.#lose(owned);
      return false;
    }
  }

  /** Whatever has ended, there may be something to take. */
  #run(task: Promise<void>): void {
    const tracked = task.finally(() => {
      this.#tasks.delete(tracked);
      this.#heartbeats.notify();
    });
    this.#tasks.add(tracked);
  }
}
