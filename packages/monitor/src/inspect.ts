/**
 * One pass over a stream: reads the server's data and the registries, and passes them to the decisions. What it reads
 * does not grow with the backlog or with the pending lists. It keeps earlier snapshots, as far as the trend needs them.
 */

import { type EntryId, entryIdTimeMs, NoGroupError } from "@redis-batch/core";
import type { StreamClient } from "@redis-batch/core/internal/connection";
import {
  type ConsumerInfo,
  followHeartbeats,
  type HeartbeatVerdict,
  type HeartbeatWatch,
  heartbeatMsOf,
  NO_HEARTBEATS,
  pauseInForce,
  type Registration,
  type Registry,
  readBacklog,
  readFinalReports,
} from "@redis-batch/core/internal/groups";
import { groupKey, isReservedConsumer, REDRIVE_CONSUMER } from "@redis-batch/core/internal/names";
import { type ConsumerVerdict, classifyConsumer } from "./decisions/consumer-status.ts";
import { decideBusyShare, decideHasWork, followProgress, type Progress } from "./decisions/finished-work.ts";
import { classifyGroup, followTrend, type GroupSample, type GroupTrend } from "./decisions/group-health.ts";
import { patienceMsOf } from "./decisions/hung-handlers.ts";
import { countConsumers, listNotObeying } from "./decisions/living-consumers.ts";
import { type Counters, decideRates } from "./decisions/rates.ts";
import { decideRetention, type GroupNeeds, type RetentionVerdict, type StreamRemains } from "./decisions/retention.ts";
import { type Shares, sumShares } from "./follow-released.ts";
import { inParallel } from "./in-parallel.ts";
import type { MonitorPolicy } from "./options.ts";
import type { ConsumerReport, GroupReport, MonitorReport, RateReport } from "./report.ts";
import { ageOf, readLater, readReleased } from "./reserved-names.ts";

// Reads this many groups, and consumers of each, at the same time, so that other clients are served in between.
const GROUPS_AT_ONCE = 8;
const CONSUMERS_AT_ONCE = 16;
// The number of heartbeat intervals for which a late heartbeat is watched before it counts as dead.
const WATCHED_BEATS = 3;
// Two clocks are never read at the same moment.
const LEAVING_MS = 1_000;

type GroupInfo = Awaited<ReturnType<StreamClient["xinfoGroups"]>>[number];
type StreamInfo = Awaited<ReturnType<StreamClient["xinfoStream"]>>;

/** A consumer whose messages may be released, or a name that may be removed. */
export interface DeadConsumer {
  readonly consumer: string;
  readonly pending: number;
  /** The time of its heartbeat, which was observed to stop; `null` for an unregistered consumer. */
  readonly seenAtMs: number | null;
  /** Minimum idle time of its messages before they may move, in milliseconds. */
  readonly minIdleMs: number;
}

/** What a clean-up needs to know about a group, in addition to the report. */
export interface GroupSnapshot {
  readonly report: GroupReport;
  readonly dead: readonly DeadConsumer[];
  /** Dead names in the registry that are not consumers of the group (any more). */
  readonly orphans: readonly DeadConsumer[];
  /** Each consumer's pending and acknowledged messages. */
  readonly shares: Shares;
  /** Whether there is a consumer that claims released messages: those of earlier versions do not report their free capacity. */
  readonly hasTaker: boolean;
  /** Whether a consumer keeps messages in order for the whole group, or did until it fell silent. */
  readonly isAlone: boolean;
  /** Late heartbeats, and how many milliseconds longer each must be watched before it counts as dead. */
  readonly late: readonly { readonly consumer: string; readonly watchMs: number }[];
}

/** A snapshot: the report, and the data for a clean-up. */
export interface Snapshot {
  readonly report: MonitorReport;
  readonly firstEntryId: EntryId | null;
  readonly groups: readonly GroupSnapshot[];
}

/** How long the connection has been up, by a local clock that never jumps. */
export interface Stability {
  /** `null` while it is down. */
  readonly connectedSinceMs: number | null;
  readonly nowMs: number;
}

interface GroupMemory {
  readonly trend: GroupTrend;
  readonly heartbeats: HeartbeatWatch;
  readonly counters: Counters;
  readonly consumers: ReadonlyMap<string, Progress>;
}

/** What a pass knows before it reads one group. */
interface ScalingContext {
  readonly info: StreamInfo;
  readonly retention: RetentionVerdict;
  readonly atMs: number;
  readonly oldestPendingId: EntryId | null;
  /** Where state for the next pass is stored. */
  readonly memory: Map<string, GroupMemory>;
}

/** What is known about a group before its consumers are read. */
interface GroupFacts {
  readonly group: string;
  readonly atMs: number;
  readonly registry: ReadonlyMap<string, Registration>;
  readonly verdicts: ReadonlyMap<string, HeartbeatVerdict>;
  /** Consumers that closed cleanly, by their names. */
  readonly left: ReadonlyMap<string, Registration>;
  readonly infos: readonly ConsumerInfo[];
  readonly isWorkWaiting: boolean | null;
}

interface SeenConsumer {
  readonly report: ConsumerReport;
  readonly progress: Progress;
  readonly dead: DeadConsumer | null;
}

export class Inspector {
  readonly #client: StreamClient;
  readonly #policy: MonitorPolicy;
  #memory: ReadonlyMap<string, GroupMemory> = new Map();

  readonly #stability: () => Stability;

  constructor(client: StreamClient, policy: MonitorPolicy, stability: () => Stability) {
    this.#client = client;
    this.#policy = policy;
    this.#stability = stability;
  }

  /** Makes one pass. Its snapshot is one point of the trend. */
  async takeSnapshot(signal?: AbortSignal): Promise<Snapshot> {
    const { stream, group } = this.#policy;
    const atMs = await this.#client.time();
    const known = await this.#readStream();
    if (known === undefined) {
      this.#memory = new Map();
      const retention = { safeId: null, pinnedBy: null, warnings: [] };
      const report: MonitorReport = { v: 1, atMs, stream, length: null, groups: [], retention };
      return { report, firstEntryId: null, groups: [] };
    }
    const { info, groups } = known;
    const needs = await this.#readNeeds(groups, signal);
    const retention = decideRetention(needs, remainsOf(info));
    const firstPending = new Map(needs.map((need) => [need.group, need.firstPendingId]));
    const watched = groups.filter(({ name }) => group === null || name === group).toSorted(byName);
    const memory = new Map<string, GroupMemory>();
    const sights = await inParallel(watched, GROUPS_AT_ONCE, async (one) => {
      signal?.throwIfAborted();
      const oldestPendingId = firstPending.get(one.name) ?? null;
      return this.#lookAtGroup(one, { info, retention, atMs, oldestPendingId, memory }).catch(nothingIfGone);
    });
    this.#memory = memory;
    const seen = sights.filter((snapshot) => snapshot !== undefined);
    const report: MonitorReport = {
      ...{ v: 1, atMs, stream, length: info.length },
      groups: seen.map((snapshot) => snapshot.report),
      retention: retention.stream,
    };
    return { report, firstEntryId: info.firstEntryId, groups: seen };
  }

  async #readStream(): Promise<{ readonly info: StreamInfo; readonly groups: readonly GroupInfo[] } | undefined> {
    const { stream } = this.#policy;
    try {
      // In this order: entries added in between make the stream longer than the lags say, not the other way round.
      const groups = await this.#client.xinfoGroups({ stream });
      return { groups, info: await this.#client.xinfoStream({ stream }) };
    } catch (error) {
      if (NoGroupError.is(error)) return undefined;
      throw error;
    }
  }

  /** The entries that each group of the stream needs, watched or not. */
  async #readNeeds(groups: readonly GroupInfo[], signal: AbortSignal | undefined): Promise<readonly GroupNeeds[]> {
    const { stream } = this.#policy;
    const needs = await inParallel(
      groups,
      CONSUMERS_AT_ONCE,
      async ({ name, pending, lastDeliveredId, entriesRead }) => {
        signal?.throwIfAborted();
        const first =
          pending === 0
            ? []
            : await this.#client
                .xpendingRange({ stream, group: name, from: "-", to: "+", count: 1 })
                .catch(nothingIfGone);
        if (first === undefined) return undefined;
        return { group: name, firstPendingId: first[0]?.id ?? null, lastDeliveredId, entriesRead };
      },
    );
    return needs.filter((need) => need !== undefined);
  }

  async #lookAtGroup(
    group: GroupInfo,
    { info, retention: retentions, atMs, oldestPendingId, memory }: ScalingContext,
  ): Promise<GroupSnapshot | undefined> {
    const retention = retentions.groups.get(group.name);
    // It was deleted while the others were read.
    if (retention === undefined) return undefined;
    const { stream } = this.#policy;
    const address = { stream, group: group.name };
    const before = this.#memory.get(group.name);
    const [{ backlog, firstWaitingId }, infos, registry, letters] = await Promise.all([
      readBacklog(this.#client, { stream, group, info, countLimit: this.#policy.countLimit }),
      this.#client.xinfoConsumers(address),
      this.#client.registry(address),
      this.#client.xinfoStream({ stream: groupKey("dead", stream, group.name) }).catch(nothingIfGone),
    ]);
    const names = infos.filter(({ name }) => !isReservedConsumer(name)).toSorted(byName);
    const { connectedSinceMs, nowMs } = this.#stability();
    const { watch, verdicts } = followHeartbeats(before?.heartbeats ?? NO_HEARTBEATS, registry, {
      ...{ serverNowMs: atMs, localNowMs: nowMs, steadySinceMs: connectedSinceMs ?? nowMs },
    });
    const [released, later, left] = await Promise.all([
      readReleased(this.#client, address, infos),
      readLater(this.#client, address, infos, atMs),
      this.#readLeft(address, names, registry, atMs),
    ]);
    const isWorkWaiting = released.messages > 0 || (backlog.messages === null ? null : backlog.messages > 0);
    const facts: GroupFacts = { group: group.name, atMs, registry, verdicts, left, infos: names, isWorkWaiting };
    const seen = await inParallel(names, CONSUMERS_AT_ONCE, (consumer) =>
      this.#lookAtConsumer(consumer, facts, before?.consumers.get(consumer.name)),
    );
    const consumers = seen.map(({ report }) => report);
    const inForce = pauseInForce(registry.pause, atMs);
    const pause =
      inForce === null
        ? null
        : { ...inForce, notObeyedBy: listNotObeying(consumers, registry, this.#policy, backlog.messages === 0) };
    const finished = group.entriesRead === null ? null : group.entriesRead - group.pending;
    const counters: Counters = { atMs, added: info.entriesAdded, finished };
    const living = [...registry.values()].filter(({ consumer }) => verdicts.get(consumer)?.life === "alive");
    const oldestWaitingAgeMs = ageOf(firstWaitingId, atMs);
    const sample: GroupSample = {
      ...{ atMs, lastDeliveredId: group.lastDeliveredId, lastGeneratedId: info.lastGeneratedId },
      ...{ waiting: backlog.messages, isExact: backlog.source !== "at least", oldestWaitingAgeMs },
      ...{ released: released.messages, pending: group.pending, oldestPendingId, finished },
      deadLettered: letters?.entriesAdded ?? 0,
      lastDeadLetterAtMs: letters === undefined ? null : entryIdTimeMs(letters.lastGeneratedId),
      reported: sumReported(living),
      consumers: countConsumers(consumers, this.#policy, backlog.messages === 0),
      pause,
      blocked: sumBlocked(consumers),
      isRateLimited: consumers.some(({ intake }) => intake === "rate-limited"),
      patienceMs: living.reduce((most, one) => Math.max(most, patienceMsOf(one)), this.#policy.idleThresholdMs),
    };
    const trend = followTrend(before?.trend, sample, this.#policy.historyLength);
    const progress = new Map(seen.map((consumer) => [consumer.report.consumer, consumer.progress]));
    memory.set(group.name, { trend, heartbeats: watch, counters, consumers: progress });
    const report: GroupReport = {
      ...{
        group: group.name,
        ...classifyGroup(trend),
        pause,
        rateLimit: rateOf(registry),
        backlog,
        pending: group.pending,
        oldestWaitingAgeMs,
      },
      oldestPendingAgeMs: ageOf(oldestPendingId, atMs),
      oldestOfferableMs: oldestOf([
        ...[oldestWaitingAgeMs, released.oldestMs, later.overdueMs],
        ...living.map(({ details }) => details.oldestOfferableMs),
      ]),
      ...{ released, later },
      ...decideRates(before?.counters, counters),
      deadLetters: letters?.length ?? 0,
      ...{ lastDeliveredId: group.lastDeliveredId, retention, consumers },
    };
    return {
      report,
      dead: [...seen.flatMap(({ dead }) => dead ?? []), ...redriven(infos)],
      orphans: findOrphans(registry, verdicts, infos),
      shares: sumShares(infos, registry),
      isAlone: [...registry.values()].some(({ details }) => details.isAlone === true),
      hasTaker: living.some(({ details }) => details.freePlaces !== null),
      late: findLate(registry, verdicts, atMs),
    };
  }

  /** Consumers that closed cleanly, but whose names still exist; only read if a consumer is not registered. */
  async #readLeft(
    address: { readonly stream: string; readonly group: string },
    names: readonly ConsumerInfo[],
    registry: ReadonlyMap<string, Registration>,
    nowMs: number,
  ): Promise<ReadonlyMap<string, Registration>> {
    if (names.every(({ name }) => registry.has(name))) return new Map();
    // A consumer that left earlier is cleaned up like a foreign consumer with the same idle time.
    const reports = await readFinalReports(this.#client, { ...address, sinceMs: nowMs - this.#policy.foreignIdleMs });
    return new Map(reports.map((one) => [one.consumer, one]));
  }

  async #lookAtConsumer(info: ConsumerInfo, facts: GroupFacts, before: Progress | undefined): Promise<SeenConsumer> {
    const { stream } = this.#policy;
    const { group, atMs, isWorkWaiting } = facts;
    const { name: consumer, pending, inactiveMs, idleMs, idleSince } = info;
    const [oldest] =
      pending === 0 ? [] : await this.#client.xpendingRange({ stream, group, consumer, from: "-", to: "+", count: 1 });
    const registered = facts.registry.get(consumer);
    const heartbeat = facts.verdicts.get(consumer);
    const details = registered?.details;
    const left = registered === undefined ? facts.left.get(consumer) : undefined;
    // Another consumer may use its name since.
    const leftAtMs = left !== undefined && idleMs + LEAVING_MS >= atMs - left.atMs ? left.atMs : null;
    const inFlight = details?.inFlight ?? null;
    const progress = followProgress(before, {
      ...{ atMs, incarnation: registered?.incarnation ?? null, saidAtMs: registered?.atMs ?? null },
      ...{ acked: details?.acked ?? null, batches: details?.work?.batches ?? null },
      ...{ deadLettered: details?.deadLettered ?? null, busyMs: details?.busyMs ?? null },
      hasWork: decideHasWork({ isWaiting: isWorkWaiting, pending, details }),
    });
    const { stillSinceMs, stillPasses, wasHeard } = progress;
    const snapshot = {
      ...{ consumer, pending, serverIdleMs: idleMs, idleSince, registered, stillSinceMs, stillPasses, wasHeard },
      ...{ life: heartbeat?.life ?? ("alive" as const), unmovedMs: heartbeat?.unmovedMs ?? 0 },
      ...{ isWorkWaiting, othersGotAgoMs: othersGotAgoMs(facts.infos, consumer), leftAtMs },
    };
    const { isDead, ...verdict }: ConsumerVerdict = classifyConsumer(snapshot, this.#policy, atMs);
    const report: ConsumerReport = {
      ...{ consumer, ...verdict, inactiveMs, pending, oldestPendingAgeMs: ageOf(oldest?.id ?? null, atMs) },
      ...{ inFlight, oldestInFlightMs: details?.oldestInFlightMs ?? null, intake: details?.intake ?? null },
      busyShare: decideBusyShare(before?.marks, progress.marks, details?.concurrency ?? null),
      ...{ leaseMs: registered?.leaseMs ?? null, host: details?.host ?? null, pid: details?.pid ?? null },
      ...{ version: details?.version ?? null, isAlone: details?.isAlone ?? null },
      ...{ parked: details?.parked ?? null, blockedKeys: details?.blockedKeys ?? null },
    };
    const minIdleMs = leftAtMs === null ? this.#policy.foreignIdleMs : (left?.leaseMs ?? 0);
    const dead = isDead ? { consumer, pending, seenAtMs: registered?.atMs ?? null, minIdleMs } : null;
    return { report, progress, dead };
  }
}

const remainsOf = ({ length, entriesAdded, firstEntryId }: StreamInfo): StreamRemains => ({
  ...{ length, entriesAdded, firstEntryId },
});

const byName = (left: { readonly name: string }, right: { readonly name: string }): number =>
  left.name < right.name ? -1 : 1;

/** The longest known wait; `null` if none is known. */
function oldestOf(waits: readonly (number | null)[]): number | null {
  const known = waits.filter((wait) => wait !== null);
  return known.length === 0 ? null : Math.max(...known);
}

function sumReported(registered: readonly Registration[]): GroupSample["reported"] {
  return registered.reduce(
    ({ acked, deadLettered }, { details }) => ({
      acked: acked + (details.acked ?? 0),
      deadLettered: deadLettered + (details.deadLettered ?? 0),
    }),
    { acked: 0, deadLettered: 0 },
  );
}

function sumBlocked(consumers: readonly ConsumerReport[]): GroupSample["blocked"] {
  return consumers
    .filter(({ status }) => status !== "DEAD")
    .reduce(
      ({ messages, keys }, one) => ({ messages: messages + (one.parked ?? 0), keys: keys + (one.blockedKeys ?? 0) }),
      { messages: 0, keys: 0 },
    );
}

/** How long ago any other consumer last received messages; `null` if none has, or the server does not report it. */
function othersGotAgoMs(infos: readonly ConsumerInfo[], consumer: string): number | null {
  let least: number | null = null;
  for (const { name, inactiveMs, idleMs, idleSince } of infos) {
    const gotAgoMs = inactiveMs ?? (idleSince === "success" ? idleMs : null);
    if (name !== consumer && gotAgoMs !== null && (least === null || gotAgoMs < least)) least = gotAgoMs;
  }
  return least;
}

/** Messages redriven by earlier versions wait under their own name, until they are released. */
function redriven(infos: readonly ConsumerInfo[]): readonly DeadConsumer[] {
  return infos
    .filter(({ name }) => name === REDRIVE_CONSUMER)
    .map(({ name: consumer, pending }) => ({ consumer, pending, seenAtMs: null, minIdleMs: 0 }));
}

function findOrphans(
  registry: ReadonlyMap<string, Registration>,
  verdicts: ReadonlyMap<string, HeartbeatVerdict>,
  infos: readonly ConsumerInfo[],
): readonly DeadConsumer[] {
  const names = new Set(infos.map(({ name }) => name));
  return [...registry.values()]
    .filter(({ consumer }) => !names.has(consumer) && verdicts.get(consumer)?.life === "dead")
    .map(({ consumer, atMs }) => ({ consumer, pending: 0, seenAtMs: atMs, minIdleMs: 0 }));
}

/** Heartbeats that will count as dead if they do not change for some more intervals. */
function findLate(
  registry: ReadonlyMap<string, Registration>,
  verdicts: ReadonlyMap<string, HeartbeatVerdict>,
  nowMs: number,
): GroupSnapshot["late"] {
  return [...registry.values()].flatMap(({ consumer, atMs, leaseMs }) => {
    const verdict = verdicts.get(consumer);
    if (verdict?.life !== "silent" || nowMs - atMs <= leaseMs) return [];
    return [{ consumer, watchMs: Math.max(WATCHED_BEATS * heartbeatMsOf(leaseMs) - verdict.unmovedMs, 0) }];
  });
}

/** The rate of the group, and whose options say otherwise. */
function rateOf(registry: Registry): RateReport | null {
  if (registry.rateLimit === null) return null;
  const differing = [...registry.values()].filter(({ details }) => details.otherRate !== null);
  return { ...registry.rateLimit, differing: differing.map(({ consumer }) => consumer).toSorted() };
}

/** A group or a stream that is deleted during a pass counts as missing. */
function nothingIfGone(error: unknown): undefined {
  if (NoGroupError.is(error)) return undefined;
  throw error;
}
