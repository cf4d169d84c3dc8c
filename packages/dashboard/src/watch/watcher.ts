/**
 * Looks at all streams again and again. One look serves everyone who watches, and its state for each group is the history
 * of the charts. Looks go on while nobody watches, so that a chart has data when somebody comes.
 */
import { RedisBatchError } from "@redis-batch/core";
import type { SharedConnection, StreamClient } from "@redis-batch/core/internal/connection";
import { messageOf, toErrorInfo } from "@redis-batch/core/internal/errors";
import { repeatPasses, systemClock, systemRandom } from "@redis-batch/core/internal/service";
import { type GroupReport, Monitor, type MonitorReport, type PartitionReport } from "@redis-batch/monitor";
import { activeOf, ageOf, countAdded, type OverviewRow, rowOf } from "../decisions/overview.ts";
import { findStreamsOfConsumers, otherStreamsOf } from "../decisions/several-streams.ts";
import type { DashboardEvent } from "../events.ts";
import type { DashboardPolicy } from "../options.ts";
import { nullIfUnreadable, readWanted } from "../views/audit.ts";
import { findStreams } from "./find-streams.ts";
import { History, POINT_MS } from "./history.ts";
import { inTurns } from "./in-turns.ts";

const STREAMS_AT_ONCE = 8;
// Streams come and go seldom, and a decision is taken every few seconds at most.
const LOOK_UP_EVERY_MS = 15_000;

/** The time that a sparkline shows. */
const SPARK_MS = 24 * POINT_MS;

/** A row, and the number of the look that saw it change last. */
interface WatchedGroup {
  row: OverviewRow;
  /** Of a partition: the overview shows the whole. */
  readonly isPart: boolean;
  json: string;
  changedIn: number;
  wanted: number | null;
  report: GroupReport;
  readonly history: History;
}

/** What one look saw, for somebody who has seen an earlier one. */
export interface Look {
  readonly look: number;
  readonly atMs: number;
  readonly durationMs: number;
  /** The rows that have changed since. */
  readonly rows: readonly OverviewRow[];
  /** `[stream, group]` of all groups, if some of them have gone or come. */
  readonly groups: readonly (readonly [string, string])[] | null;
  /** Streams without a group. */
  readonly idle: readonly { readonly stream: string; readonly length: number }[];
  /** What could not be read, and why. */
  readonly troubles: readonly string[];
}

/** A group in one partition of the stream. */
export interface PartitionRow {
  readonly partition: number;
  readonly stream: string;
  readonly health: GroupReport["health"];
  readonly reason: string;
  readonly waiting: number | null;
  readonly pending: number;
  readonly deadLetters: number;
  /** How long the oldest message has waited that could be delivered. */
  readonly ageMs: number | null;
}

/** Why there is no news. */
export interface Trouble {
  readonly sinceMs: number;
  readonly message: string;
}

export interface WatcherDependencies {
  readonly connection: SharedConnection;
  readonly policy: DashboardPolicy;
  readonly report: (event: DashboardEvent) => void;
}

export class Watcher {
  readonly #connection: SharedConnection;
  readonly #policy: DashboardPolicy;
  readonly #report: (event: DashboardEvent) => void;
  readonly #monitors = new Map<string, Monitor>();
  readonly #groups = new Map<string, WatchedGroup>();
  #streams: readonly string[] = [];
  #reports: ReadonlyMap<string, MonitorReport> = new Map();
  /** Of each partition the stream that it is part of. */
  #parts: ReadonlyMap<string, string> = new Map();
  /** Of the last look; made when somebody asks. */
  #streamsOfConsumers: ReadonlyMap<string, readonly string[]> | undefined;
  #troubles: readonly string[] = [];
  #isCut = false;
  #lookedUpAtMs = Number.NEGATIVE_INFINITY;
  #number = 0;
  #groupsChangedIn = 0;
  #atMs = 0;
  #durationMs = 0;
  #trouble: Trouble | null = null;
  #waiting = new Set<() => void>();

  constructor({ connection, policy, report }: WatcherDependencies) {
    this.#connection = connection;
    this.#policy = policy;
    this.#report = report;
  }

  get #client(): StreamClient {
    return this.#connection.client;
  }

  /** Why the last look failed; `null` if it did not. */
  get trouble(): Trouble | null {
    return this.#trouble;
  }

  /** The number of the last look; 0 before the first. */
  get look(): number {
    return this.#number;
  }

  /** When the last look was, by the server's clock. */
  get atMs(): number {
    return this.#atMs;
  }

  /** Looks until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    try {
      await repeatPasses(signal, () => this.#lookAtAll(signal), {
        intervalMs: this.#policy.intervalMs,
        onFailure: (error, retryInMs) => {
          if (signal.aborted) return;
          this.#trouble = { sinceMs: this.#trouble?.sinceMs ?? Date.now(), message: messageOf(error) };
          this.#report({ type: "lookFailed", retryInMs, error: toErrorInfo(error) });
          this.#wake();
        },
        ...{ clock: systemClock, random: systemRandom },
      });
    } finally {
      this.#wake();
      await Promise.all([...this.#monitors.values()].map((monitor) => monitor.close()));
    }
  }

  /** Tells that the connection was lost: a look that waits for it says so only when it has waited for long. */
  tellLost(reason: string): void {
    this.#trouble ??= { sinceMs: Date.now(), message: reason };
    this.#wake();
  }

  /** Resolves after the next look, or attempt, or when the signal aborts. */
  async next(signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const done = (): void => {
        this.#waiting.delete(done);
        signal.removeEventListener("abort", done);
        resolve();
      };
      if (signal.aborted) return resolve();
      this.#waiting.add(done);
      signal.addEventListener("abort", done);
    });
  }

  /** What has changed since a look; all of it since 0. */
  since(look: number): Look {
    const watched = this.#wholes;
    return {
      ...{ look: this.#number, atMs: this.#atMs, durationMs: this.#durationMs, troubles: this.#troubles },
      rows: watched.filter(({ changedIn }) => changedIn > look).map(({ row }) => row),
      groups: this.#groupsChangedIn > look ? watched.map(({ row }) => [row.stream, row.group] as const) : null,
      idle: [...this.#reports.values()].flatMap(({ stream, length, groups }) =>
        groups.length === 0 && length !== null && !this.#parts.has(stream) ? [{ stream, length }] : [],
      ),
    };
  }

  /** The latest rates of each group, as its row's sparkline: the newest last. */
  sparks() {
    return this.#wholes.map(({ row, history }) => {
      const { inPerSecond, outPerSecond } = history.read(this.#atMs, this.#atMs - SPARK_MS);
      return { stream: row.stream, group: row.group, in: inPerSecond, out: outPerSecond };
    });
  }

  /** One group, with the history since a time; `undefined` if it is not watched. */
  group(stream: string, group: string, sinceMs: number) {
    const watched = this.#groups.get(keyOf(stream, group));
    const report = this.#reports.get(stream);
    if (watched === undefined || report === undefined) return undefined;
    return {
      ...{ atMs: this.#atMs, stream, length: report.length, report: watched.report, wanted: watched.wanted },
      retention: report.retention,
      partitions: report.partitions?.flatMap((one) => partitionIn(one, group)) ?? null,
      partOf: this.#parts.get(stream) ?? null,
      alsoReads: otherStreamsOf({ stream, ...watched.report }, this.#consumersOfSeveral()),
      history: watched.history.read(this.#atMs, sinceMs),
    };
  }

  /** What the last look saw of each stream; of one with partitions, of each of them. */
  get reports(): readonly MonitorReport[] {
    return [...this.#reports.values()].filter(({ partitions }) => partitions === undefined);
  }

  get #wholes(): readonly WatchedGroup[] {
    return [...this.#groups.values()].filter(({ isPart }) => !isPart);
  }

  #consumersOfSeveral(): ReadonlyMap<string, readonly string[]> {
    return (this.#streamsOfConsumers ??= findStreamsOfConsumers(
      [...this.#reports.values()].filter(({ stream }) => !this.#parts.has(stream)),
    ));
  }

  /** Whether it is one of the streams that are shown. */
  isWatched(stream: string): boolean {
    return this.#streams.includes(stream) || this.#parts.has(stream);
  }

  /** The streams of a stream's partitions, as the last look found them; none, if it has no partitions. */
  partitionsOf(stream: string): readonly string[] {
    return [...this.#parts].flatMap(([part, whole]) => (whole === stream ? [part] : []));
  }

  /** `[stream, group]` of every group that is watched. */
  get groups(): readonly (readonly [string, string])[] {
    return [...this.#groups.values()].map(({ row }) => [row.stream, row.group]);
  }

  async #lookAtAll(signal: AbortSignal): Promise<void> {
    const beganAtMs = systemClock.nowMs();
    await this.#client.connect(["commands"], { timeoutMs: this.#policy.connectTimeoutMs, signal });
    const looksUp = beganAtMs - this.#lookedUpAtMs >= LOOK_UP_EVERY_MS;
    if (looksUp) await this.#lookUp(signal);
    const seen = await inTurns(this.#streams, STREAMS_AT_ONCE, (stream) => this.#lookAt(stream, signal));
    const looks = seen.flatMap(({ report }) => report ?? []);
    const wanted = looksUp ? await this.#readWanted(looks, signal) : null;
    this.#reports = new Map(looks.flatMap((report) => [report, ...partsOf(report)]).map((one) => [one.stream, one]));
    this.#parts = new Map(
      looks.flatMap((one) => one.partitions?.map(({ stream }) => [stream, one.stream] as const) ?? []),
    );
    this.#streamsOfConsumers = undefined;
    this.#troubles = [
      ...seen.flatMap(({ trouble }) => trouble ?? []),
      ...(this.#isCut ? [`There are more than ${this.#policy.maxStreams} streams. The first by name are shown.`] : []),
    ];
    this.#take(wanted);
    if (looksUp) this.#lookedUpAtMs = beganAtMs;
    this.#durationMs = Math.round(systemClock.nowMs() - beganAtMs);
    this.#trouble = null;
    this.#report({
      ...{ type: "looked", streams: this.#streams.length, groups: this.#groups.size, durationMs: this.#durationMs },
    });
    this.#wake();
  }

  async #lookUp(signal: AbortSignal): Promise<void> {
    const { streams, maxStreams } = this.#policy;
    const { names, isCut } =
      streams === undefined ? await findStreams(this.#client, maxStreams, signal) : { names: streams, isCut: false };
    this.#streams = names;
    this.#isCut = isCut;
    for (const [stream, monitor] of this.#monitors) {
      if (names.includes(stream)) continue;
      this.#monitors.delete(stream);
      await monitor.close();
    }
  }

  async #lookAt(stream: string, signal: AbortSignal): Promise<{ report: MonitorReport | null; trouble?: string }> {
    try {
      return { report: await this.#monitorOf(stream).inspect({ signal }) };
    } catch (error) {
      // Without a connection no other stream can be read either.
      if (!RedisBatchError.is(error) || !this.#connection.isConnected) throw error;
      // One node of a Cluster may be away for a while: what was seen last stays.
      const report = error.retryable ? (this.#reports.get(stream) ?? null) : null;
      return { report, trouble: `${stream}: ${error.message}` };
    }
  }

  #monitorOf(stream: string): Monitor {
    const { connectTimeoutMs } = this.#policy;
    let monitor = this.#monitors.get(stream);
    // The dashboard tells what goes wrong by itself.
    monitor ??= new Monitor({
      ...{ redis: this.#connection.source, stream, groups: "all", connectTimeoutMs, observer: () => {} },
    });
    this.#monitors.set(stream, monitor);
    return monitor;
  }

  /** How many consumers the scaler of each group wants. */
  async #readWanted(reports: readonly MonitorReport[], signal: AbortSignal) {
    const groups = reports.flatMap(({ stream, groups: all }) => all.map(({ group }) => ({ stream, group })));
    const wanted = await inTurns(groups, STREAMS_AT_ONCE, async ({ stream, group }) => {
      signal.throwIfAborted();
      return [keyOf(stream, group), await nullIfUnreadable(readWanted(this.#client, stream, group))] as const;
    });
    return new Map(wanted);
  }

  #take(wanted: ReadonlyMap<string, number | null> | null): void {
    const look = ++this.#number;
    const there = new Set<string>();
    const reports = [...this.#reports.values()];
    this.#atMs = Math.max(0, ...reports.map(({ atMs }) => atMs)) || Date.now();
    for (const { stream, groups } of reports) {
      for (const report of groups) {
        const key = keyOf(stream, report.group);
        there.add(key);
        const known = this.#groups.get(key);
        const history = known?.history ?? new History();
        history.add(this.#atMs, pointOf(report));
        const wants = wanted === null ? (known?.wanted ?? null) : (wanted.get(key) ?? null);
        const deadLettersLastHour = countAdded(history.column("deadLetters", this.#atMs));
        const row = rowOf(stream, report, { wanted: wants, deadLettersLastHour });
        const json = JSON.stringify(row);
        const isChanged = known?.json !== json;
        if (known === undefined) this.#groupsChangedIn = look;
        this.#groups.set(key, {
          ...{ history, report, json, wanted: wants, isPart: this.#parts.has(stream) },
          row: isChanged ? row : known.row,
          changedIn: isChanged ? look : known.changedIn,
        });
      }
    }
    for (const key of this.#groups.keys()) {
      if (there.has(key)) continue;
      this.#groups.delete(key);
      this.#groupsChangedIn = look;
    }
  }

  #wake(): void {
    for (const resolve of [...this.#waiting]) resolve();
  }
}

/** Each partition of a stream, as if it were one by itself. */
function partsOf({ v, atMs, partitions }: MonitorReport): readonly MonitorReport[] {
  return (partitions ?? []).map(({ stream, length, groups, retention }) => ({
    v,
    atMs,
    stream,
    length,
    groups,
    retention,
  }));
}

/** What a partition says of a group, if it has it. */
function partitionIn({ partition, stream, groups }: PartitionReport, name: string): PartitionRow[] {
  return groups
    .filter(({ group }) => group === name)
    .map(({ health, reason, backlog, pending, deadLetters, oldestOfferableMs: ageMs }) => ({
      ...{ partition, stream, health, reason, waiting: backlog.messages, pending, deadLetters, ageMs },
    }));
}

const keyOf = (stream: string, group: string): string => JSON.stringify([stream, group]);

function pointOf(report: GroupReport) {
  return {
    ...{ waiting: report.backlog.messages, pending: report.pending, ageMs: ageOf(report) },
    ...{ inPerSecond: report.inPerSecond, outPerSecond: report.outPerSecond },
    ...{ deadLetters: report.deadLetters, consumers: activeOf(report).length },
  };
}
