/**
 * The streams of a consumer: starts and stops their lanes together, and lets a stream that cannot be worked on rest alone. Such
 * a lane stops as a consumer would, and after a pause another one takes its place, as after a restart.
 *
 * | stream is | meaning                                     | leaves by                     |
 * |-----------|---------------------------------------------|-------------------------------|
 * | at work   | callers get its batches                     | failed · the consumer stops   |
 * | resting   | it failed, and is tried again after a pause | started · the consumer stops  |
 */
import { ConsumerNameInUseError } from "@redis-batch/core";
import type { StreamClient } from "@redis-batch/core/internal/connection";
import { toErrorInfo } from "@redis-batch/core/internal/errors";
import type { WorkCounters } from "@redis-batch/core/internal/groups";
import {
  type BackoffPolicy,
  backoffDelayMs,
  type Clock,
  type Lifecycle,
  pause,
  type Random,
} from "@redis-batch/core/internal/service";
import type { OwnedPartition } from "./batch.ts";
import type { ConsumerEvent, IntakeHold, StopReport } from "./events.ts";
import { Lane } from "./lane.ts";
import type { ConnectionWatch } from "./liveness/connection-watch.ts";
import { WorkCounter } from "./liveness/work-counter.ts";
import { type ConsumerPolicy, policyOfStream } from "./options.ts";
import { LookTimes } from "./receiving/look-times.ts";
import { type NewEntries, OwnReads, type ReadingConsumer, SharedReads } from "./receiving/shared-reads.ts";
import { Callers } from "./scheduling/callers.ts";
import { Sink } from "./scheduling/sink.ts";
import { ALONE, type Shares } from "./scope.ts";
import type { Usage } from "./usage.ts";

/** What the caller of `fetch()` is at work on, if its partition was taken away meanwhile. */
const FETCHED = Symbol("fetched");
const REST: BackoffPolicy = { baseMs: 1_000, capMs: 30_000 };

export interface LanesOptions<Value> {
  readonly policy: ConsumerPolicy<Value>;
  readonly client: StreamClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly usage: Usage;
  readonly connection: ConnectionWatch;
  readonly lifecycle: Lifecycle;
  readonly report: (event: ConsumerEvent) => void;
  /** The consumer cannot go on. */
  readonly fail: (error: unknown) => void;
  /** Where streams are partitions, which come and go; `undefined`: the same streams are worked on all the time. */
  readonly partitions: PartitionLanes<Value> | undefined;
}

export interface PartitionLanes<Value> {
  /** What reads them instead of the client itself. */
  readonly reads: ReadingConsumer["client"];
  /** The lane of one cannot go on. */
  readonly laneFailed: (lane: Lane<Value>, error: unknown) => void;
}

/** The work of all lanes together. */
export interface LaneTotals extends Readonly<Record<"inFlight" | "deferred" | "handlersHung" | "freePlaces", number>> {
  readonly oldestInFlightMs: number | null;
  readonly oldestOfferableMs: number | null;
  /** Why new messages are not read, of the first stream that is not read. */
  readonly intake: IntakeHold | "open";
  readonly isUnfit: boolean;
  readonly busyMs: number;
  readonly work: WorkCounters;
  readonly acked: number;
  readonly deadLettered: number;
}

export class Lanes<Value> {
  readonly #options: LanesOptions<Value>;
  readonly #reads: ReadonlyMap<string, NewEntries>;
  readonly #lookTimes: LookTimes;
  readonly #sink = new Sink();
  /** The lane of each stream: while it rests, the one that failed. */
  readonly #lanes = new Map<string, Lane<Value>>();
  /** Why each of these streams is not worked on. */
  readonly #resting = new Map<string, unknown>();
  readonly #rests = new Set<Promise<void>>();
  /** The stream that reports that the server is away, for all that are read over the same connection. */
  readonly #tellers = new Map<NewEntries, string>();
  readonly #stopped = new AbortController();
  readonly callers: Callers<Value, Lane<Value>>;
  /** The work on all streams. */
  readonly #work = new WorkCounter();
  /** How long the batches of lanes that have ended were open, summed over the batches. */
  #endedBusyMs = 0;
  /** The lanes whose batches your code has, once for each. */
  readonly #atWork = new Map<symbol, Lane<Value>>();
  #isPaused = false;

  constructor(options: LanesOptions<Value>) {
    this.#options = options;
    this.#reads = readsOf(options);
    this.#lookTimes = new LookTimes(options);
    this.callers = new Callers({
      clock: options.clock,
      maxWaitMs: options.policy.maxWaitMs,
      isOpen: () => !this.#stopped.signal.aborted && options.lifecycle.isOpen,
      restReason: () => this.#resting.values().next().value,
    });
    if (options.partitions !== undefined) return;
    for (const stream of options.policy.streams) this.callers.join(this.#open(stream, null));
  }

  /** The lane of each stream, also of one that rests. */
  get all(): readonly Lane<Value>[] {
    return [...this.#lanes.values()];
  }

  /** What the lanes do now, and have done: those that have ended, too. */
  get totals(): LaneTotals {
    const lanes = this.all;
    const sum = (count: (lane: Lane<Value>) => number): number => lanes.reduce((total, lane) => total + count(lane), 0);
    const loads = lanes.map(({ parts }) => parts.intake.load());
    const oldestOf = (ages: readonly (number | null)[]): number | null => {
      const known = ages.filter((age) => age !== null);
      return known.length === 0 ? null : Math.max(...known);
    };
    const { work, acked, deadLettered } = this.#work;
    return {
      inFlight: sum(({ parts }) => parts.open.messages),
      deferred: sum(({ scope }) => scope.held.deferredCount),
      handlersHung: this.handlersHung,
      oldestInFlightMs: oldestOf(lanes.map(({ parts }) => parts.open.oldestMs)),
      oldestOfferableMs: oldestOf(loads.map((load) => load.oldestOfferableMs)),
      freePlaces: Math.max(0, this.#options.usage.places - this.#atWork.size),
      intake: lanes.map(({ parts }) => parts.intake.hold).find((hold) => hold !== "open") ?? "open",
      isUnfit: lanes.some(({ parts }) => parts.intake.hold === "unfit"),
      busyMs: this.#endedBusyMs + sum(({ parts }) => parts.open.busyMs),
      ...{ work, acked, deadLettered },
    };
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** Streams that failed, and why: also partitions that this consumer left for now, until it or another one works on them. */
  get resting(): ReadonlyMap<string, unknown> {
    return this.#resting;
  }

  /** The lane of a stream; `undefined`: it is a partition of which this consumer does nothing now. */
  of(stream: string): Lane<Value> | undefined {
    return this.#lanes.get(stream);
  }

  /** Makes the lane of a partition that this consumer owns. */
  open(stream: string, owned: OwnedPartition): Lane<Value> {
    return this.#open(stream, null, owned);
  }

  /** From now on callers get the batches of a lane that has started. */
  join(lane: Lane<Value>): void {
    if (this.#lanes.get(lane.stream) !== lane || this.#stopped.signal.aborted) return;
    this.callers.join(lane);
    if (this.#options.usage.current !== undefined) lane.startReading();
    if (this.#resting.delete(lane.stream)) this.#options.report({ type: "streamResumed", stream: lane.stream });
  }

  /** Stops the lane of a partition; resolves when nothing is under way any more. */
  async close(lane: Lane<Value>): Promise<void> {
    this.callers.leave(lane);
    await lane.leave();
    await lane.finish();
    if (this.#lanes.get(lane.stream) !== lane) return;
    this.#lanes.delete(lane.stream);
    this.#endedBusyMs += lane.parts.open.busyMs;
    if (lane.parts.open.isFetchedAbandoned) this.#atWork.set(FETCHED, lane);
  }

  /** Your code has a batch of this lane → call it when it has finished. */
  beginWork(lane: Lane<Value>): () => void {
    const work = Symbol("work");
    this.#atWork.set(work, lane);
    return () => this.#atWork.delete(work);
  }

  /** The caller of `fetch()` has come back, so it is not at work on the batch before. */
  endFetched(): void {
    for (const { parts } of this.all) parts.open.endFetched();
    this.#atWork.delete(FETCHED);
  }

  /** Handlers that hang, or still are at work on a batch of a lane that has ended without waiting for them: nobody else gets their place. */
  get handlersHung(): number {
    let hung = this.all.reduce((sum, { parts }) => sum + parts.open.hung, 0);
    for (const lane of this.#atWork.values()) if (this.#lanes.get(lane.stream) !== lane) hung++;
    return hung;
  }

  /** Notes why a partition is not worked on. */
  rest(stream: string, error: unknown): void {
    this.#resting.set(stream, error);
  }

  endRest(stream: string): void {
    this.#resting.delete(stream);
  }

  /**
   * Resolves with `true` when all run, and with `false` when they were stopped before.
   *
   * @throws what keeps one of them from starting
   */
  async start(): Promise<boolean> {
    return (await Promise.all(this.all.map((lane) => lane.start()))).every(Boolean);
  }

  startReading(): void {
    for (const lane of this.all) lane.startReading();
  }

  pause(): void {
    this.#isPaused = true;
    for (const lane of this.all) lane.pause();
  }

  resume(): void {
    this.#isPaused = false;
    for (const lane of this.all) lane.resume();
  }

  /** Those who wait for a batch get the error. */
  fail(error: unknown): void {
    for (const lane of this.all) lane.fail(error);
  }

  /** Stops all, and leaves their groups. */
  async leave(): Promise<StopReport> {
    this.#stopped.abort();
    const leaving = this.all.map((lane) => lane.leave());
    this.callers.drain();
    const reports = await Promise.all(leaving);
    const sum = (count: (report: StopReport) => number): number =>
      reports.reduce((total, report) => total + count(report), 0);
    return {
      released: sum(({ released }) => released),
      unconfirmedAcks: sum(({ unconfirmedAcks }) => unconfirmedAcks),
      abandoned: sum(({ abandoned }) => abandoned),
      nameRemoved: this.#resting.size === 0 && reports.every(({ nameRemoved }) => nameRemoved),
    };
  }

  /** Resolves when nothing is under way any more. */
  async finish(): Promise<void> {
    await Promise.all([...this.all.map((lane) => lane.finish()), ...this.#rests]);
  }

  #open(stream: string, lastHeartbeatMs: number | null, owned?: OwnedPartition): Lane<Value> {
    const { policy, client, clock, random, usage, connection, report } = this.#options;
    const lane: Lane<Value> = new Lane({
      ...{ client, clock, random, usage, connection, lastHeartbeatMs, owned },
      policy: policyOfStream(policy, stream),
      newEntries: this.#reads.get(stream) as NewEntries,
      lookTimes: this.#lookTimes,
      // The handler of a stream with partitions has one sink.
      sink: owned === undefined ? new Sink() : this.#sink,
      shares: policy.streams.length === 1 && owned === undefined ? ALONE : this.#sharesOf(stream),
      report: (event) => {
        this.#work.count(event);
        report({ ...event, stream });
      },
      fail: (error) => this.#failed(lane, error),
    });
    const { batchEnded, paceChanged } = lane.scope.signals;
    for (const signal of [batchEnded, paceChanged]) {
      signal.listen(() => {
        for (const other of this.all) if (other !== lane) other.scope.signals.placesChanged.raise();
      });
    }
    if (this.#isPaused) lane.parts.intake.pause();
    this.#lanes.set(stream, lane);
    return lane;
  }

  #sharesOf(stream: string): Shares {
    const reads = this.#reads.get(stream) as NewEntries;
    const elsewhere = (): Lane<Value>[] => this.all.filter((lane) => lane.stream !== stream);
    const sumElsewhere = (count: (lane: Lane<Value>) => number): number =>
      elsewhere().reduce((sum, lane) => sum + count(lane), 0);
    return {
      streams: this.#options.policy.streams.length,
      bufferedElsewhere: () => sumElsewhere(({ scope }) => scope.held.fresh.messages),
      hungElsewhere: () => this.handlersHung - (this.#lanes.get(stream)?.parts.open.hung ?? 0),
      openElsewhere: () => sumElsewhere(({ parts }) => parts.open.size),
      busyElsewhereMs: () => sumElsewhere(({ parts }) => parts.open.busyMs),
      batchTakesElsewhereMs: () => Math.max(0, ...elsewhere().map(({ parts }) => parts.open.durationMs)),
      tellsOfLoss: () => {
        if (!this.#tellers.has(reads)) this.#tellers.set(reads, stream);
        return this.#tellers.get(reads) === stream;
      },
      wasRead: () => void this.#tellers.delete(reads),
    };
  }

  #failed(lane: Lane<Value>, error: unknown): void {
    const { lifecycle, fail, partitions } = this.#options;
    if (this.#lanes.get(lane.stream) !== lane) return;
    if (partitions !== undefined && !ConsumerNameInUseError.is(error)) return partitions.laneFailed(lane, error);
    if (this.#resting.has(lane.stream)) return;
    if (ConsumerNameInUseError.is(error)) {
      lane.fail(error);
      lane.parts.shutdown.letGoOfName(error);
    }
    // Without another stream at work there is nothing left to do, and the application has to know.
    const isLast = this.#lanes.size - this.#resting.size <= 1;
    if (isLast || lifecycle.state !== "running" || ConsumerNameInUseError.is(error)) return fail(error);
    const rest = this.#rest(lane, error).finally(() => this.#rests.delete(rest));
    this.#rests.add(rest);
  }

  async #rest(failed: Lane<Value>, cause: unknown): Promise<void> {
    const { clock, random, report, usage } = this.#options;
    const { stream } = failed;
    const { signal } = this.#stopped;
    let lane = failed;
    let error = cause;
    for (let failures = 1; ; failures++) {
      this.#resting.set(stream, error);
      const retryInMs = backoffDelayMs(failures, REST, random);
      report({ type: "streamFailed", stream, retryInMs, error: toErrorInfo(error) });
      // Another one says so from now on.
      if (this.#tellers.get(this.#reads.get(stream) as NewEntries) === stream) lane.scope.shares.wasRead();
      this.callers.leave(lane);
      await lane.leave();
      await lane.finish();
      await pause(clock, retryInMs, signal);
      if (signal.aborted) return;
      lane = this.#open(stream, lane.parts.heartbeat.lastAtMs);
      try {
        if (!(await lane.start())) return;
        break;
      } catch (reason) {
        if (signal.aborted) return;
        error = reason;
      }
    }
    this.#resting.delete(stream);
    this.callers.join(lane);
    if (usage.current !== undefined) lane.startReading();
    report({ type: "streamResumed", stream });
  }
}

/** How each stream is read: those of one connection together. */
function readsOf<Value>({ policy, client, clock, partitions }: LanesOptions<Value>): ReadonlyMap<string, NewEntries> {
  const { group, name } = policy;
  const reads = new Map<string, NewEntries>();
  for (const together of client.readTogether(policy.streams)) {
    const consumer = { client: partitions?.reads ?? client, clock, group, name };
    const shared = together.length === 1 ? new OwnReads(consumer) : new SharedReads(consumer);
    for (const stream of together) reads.set(stream, shared);
  }
  return reads;
}
