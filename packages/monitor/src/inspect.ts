/**
 * One look at a stream: reads what the server and the registries know, and hands it to the decisions. Nothing it reads
 * grows with the backlog or with the pending lists. It remembers the looks before, as far as the trend needs them.
 */
import {
  type EntryId,
  entryIdTimeMs,
  groupKey,
  isAlive,
  NoGroupError,
  type Registration,
  readBacklog,
  type StreamClient,
} from "@redis-batch/core/internal";
import { type ConsumerVerdict, classifyConsumer } from "./decisions/consumer-status.ts";
import {
  classifyGroup,
  followTrend,
  type GroupSample,
  type GroupTrend,
  type SettledHealth,
  settleHealth,
} from "./decisions/group-health.ts";
import { decideBusyShare, followProgress, type Progress } from "./decisions/progress.ts";
import { type Counters, decideRates } from "./decisions/rates.ts";
import { decideRetention, type GroupNeeds, type RetentionVerdict, type StreamRemains } from "./decisions/retention.ts";
import { inParallel } from "./in-parallel.ts";
import type { MonitorPolicy } from "./options.ts";
import type { ConsumerReport, GroupReport, MonitorReport } from "./report.ts";

// So many groups, and consumers of each, are asked about at the same time; other clients get their turn in between.
const GROUPS_AT_ONCE = 8;
const CONSUMERS_AT_ONCE = 16;
// A group is judged to stand still only after so many leases: a batch may well take longer than one.
const PATIENCE_LEASES = 2;

type GroupInfo = Awaited<ReturnType<StreamClient["xinfoGroups"]>>[number];
type StreamInfo = Awaited<ReturnType<StreamClient["xinfoStream"]>>;
type ConsumerInfo = Awaited<ReturnType<StreamClient["xinfoConsumers"]>>[number];

/** What a clean-up needs to know of a group beside the report. */
export interface GroupSight {
  readonly report: GroupReport;
  /** Consumers whose messages may be handed over, by what was seen of them. */
  readonly gone: readonly ConsumerReport[];
  /** Names in the registry that are silent beyond their lease, and no consumers of the group (any more). */
  readonly orphans: readonly string[];
  /** The leases in the registry, those of the dead included, in milliseconds. */
  readonly leasesMs: readonly number[];
}

/** A look: the report, and what a clean-up works from. */
export interface Look {
  readonly report: MonitorReport;
  readonly firstEntryId: EntryId | null;
  readonly groups: readonly GroupSight[];
}

interface GroupMemory {
  readonly trend: GroupTrend;
  readonly health: SettledHealth;
  readonly counters: Counters;
  readonly consumers: ReadonlyMap<string, Progress>;
}

/** What a look knows before it comes to one group. */
interface Surroundings {
  readonly info: StreamInfo;
  readonly retention: RetentionVerdict;
  readonly atMs: number;
  readonly oldestPendingId: EntryId | null;
  /** Where what has to be remembered goes. */
  readonly memory: Map<string, GroupMemory>;
}

interface SeenConsumer {
  readonly report: ConsumerReport;
  readonly progress: Progress;
  readonly isGone: boolean;
}

export class Inspector {
  readonly #client: StreamClient;
  readonly #policy: MonitorPolicy;
  #memory: ReadonlyMap<string, GroupMemory> = new Map();

  constructor(client: StreamClient, policy: MonitorPolicy) {
    this.#client = client;
    this.#policy = policy;
  }

  /** Looks. What it has seen counts as one point of the trend. */
  async look(signal?: AbortSignal): Promise<Look> {
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
    const seen = sights.filter((sight) => sight !== undefined);
    const report: MonitorReport = {
      ...{ v: 1, atMs, stream, length: info.length },
      groups: seen.map((sight) => sight.report),
      retention: retention.stream,
    };
    return { report, firstEntryId: info.firstEntryId, groups: seen };
  }

  async #readStream(): Promise<{ readonly info: StreamInfo; readonly groups: readonly GroupInfo[] } | undefined> {
    const { stream } = this.#policy;
    try {
      // In this order: what is added in between makes the stream longer than the lags say, and not the other way round.
      const groups = await this.#client.xinfoGroups({ stream });
      return { groups, info: await this.#client.xinfoStream({ stream }) };
    } catch (error) {
      if (NoGroupError.is(error)) return undefined;
      throw error;
    }
  }

  /** What each group of the stream needs, watched or not. */
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
    { info, retention: retentions, atMs, oldestPendingId, memory }: Surroundings,
  ): Promise<GroupSight | undefined> {
    const retention = retentions.groups.get(group.name);
    // It went away while the others were asked.
    if (retention === undefined) return undefined;
    const { stream } = this.#policy;
    const address = { stream, group: group.name };
    const before = this.#memory.get(group.name);
    const [{ backlog, firstWaitingId }, infos, registry, deadLetters] = await Promise.all([
      readBacklog(this.#client, { stream, group, info, countLimit: this.#policy.countLimit }),
      this.#client.xinfoConsumers(address),
      this.#client.registry(address),
      this.#client.xlen({ stream: groupKey("dead", stream, group.name) }),
    ]);
    const seen = await inParallel(infos.toSorted(byName), CONSUMERS_AT_ONCE, (consumer) =>
      this.#lookAtConsumer(consumer, {
        ...{ group: group.name, atMs, registered: registry.get(consumer.name) },
        before: before?.consumers.get(consumer.name),
        isWorkWaiting: backlog.messages === null ? null : backlog.messages > 0,
      }),
    );
    const consumers = seen.map(({ report }) => report);
    const leasesMs = [...registry.values()].map(({ leaseMs }) => leaseMs);
    const finished = group.entriesRead === null ? null : group.entriesRead - group.pending;
    const counters: Counters = { atMs, added: info.entriesAdded, finished };
    const sample: GroupSample = {
      ...{ atMs, lastDeliveredId: group.lastDeliveredId, pending: group.pending, oldestPendingId, finished },
      ...{ waiting: backlog.messages, isExact: backlog.source !== "at least" },
      living: consumers.filter((consumer) => isLiving(consumer, this.#policy, backlog.messages === 0)).length,
      stalled: consumers.filter(({ status }) => status === "STALLED").length,
      patienceMs: leasesMs.reduce((most, ms) => Math.max(most, PATIENCE_LEASES * ms), this.#policy.idleThresholdMs),
    };
    const trend = followTrend(before?.trend, sample, this.#policy.historyLength);
    const health = settleHealth(before?.health, classifyGroup(trend));
    const progress = new Map(seen.map((consumer) => [consumer.report.consumer, consumer.progress]));
    memory.set(group.name, { trend, health, counters, consumers: progress });
    const report: GroupReport = {
      ...{ group: group.name, ...health.verdict, backlog, pending: group.pending },
      oldestWaitingAgeMs: ageOf(firstWaitingId, atMs),
      oldestPendingAgeMs: ageOf(oldestPendingId, atMs),
      ...decideRates(before?.counters, counters),
      ...{ deadLetters, lastDeliveredId: group.lastDeliveredId, retention, consumers },
    };
    const names = new Set(infos.map(({ name }) => name));
    return {
      report,
      gone: seen.filter(({ isGone }) => isGone).map((consumer) => consumer.report),
      orphans: [...registry.values()].filter((one) => isOrphan(one, names, atMs)).map(({ consumer }) => consumer),
      leasesMs,
    };
  }

  async #lookAtConsumer(
    info: ConsumerInfo,
    seen: {
      readonly group: string;
      readonly atMs: number;
      readonly registered: Registration | undefined;
      readonly before: Progress | undefined;
      readonly isWorkWaiting: boolean | null;
    },
  ): Promise<SeenConsumer> {
    const { stream } = this.#policy;
    const { group, atMs, registered, before, isWorkWaiting } = seen;
    const { name: consumer, pending, inactiveMs, idleMs, idleSince } = info;
    const [oldest] =
      pending === 0 ? [] : await this.#client.xpendingRange({ stream, group, consumer, from: "-", to: "+", count: 1 });
    const details = registered?.details;
    const gotMs = inactiveMs ?? (idleSince === "success" ? idleMs : null);
    const progress = followProgress(before, {
      ...{ atMs, pending, oldestPendingId: oldest?.id ?? null },
      ...{ incarnation: registered?.incarnation ?? null, acked: details?.acked ?? null },
      ...{ gotAtMs: gotMs === null ? null : atMs - gotMs, busyMs: details?.busyMs ?? null },
      saidAtMs: registered?.atMs ?? null,
    });
    const { stillSinceMs, stillLooks } = progress;
    const sight = {
      consumer,
      pending,
      serverIdleMs: idleMs,
      idleSince,
      registered,
      stillSinceMs,
      stillLooks,
      isWorkWaiting,
    };
    const { isGone, ...verdict }: ConsumerVerdict = classifyConsumer(sight, this.#policy, atMs);
    const report: ConsumerReport = {
      ...{ consumer, ...verdict, inactiveMs, pending, oldestPendingAgeMs: ageOf(oldest?.id ?? null, atMs) },
      inFlight: details?.inFlight ?? null,
      busyShare: decideBusyShare(before?.marks, progress.marks, details?.concurrency ?? null),
      ...{ leaseMs: registered?.leaseMs ?? null, host: details?.host ?? null, pid: details?.pid ?? null },
    };
    return { report, progress, isGone };
  }
}

const remainsOf = ({ length, entriesAdded, firstEntryId }: StreamInfo): StreamRemains => ({
  ...{ length, entriesAdded, firstEntryId },
});

const byName = (left: { readonly name: string }, right: { readonly name: string }): number =>
  left.name < right.name ? -1 : 1;

const ageOf = (id: EntryId | null, nowMs: number): number | null =>
  id === null ? null : Math.max(nowMs - entryIdTimeMs(id), 0);

const isOrphan = (registered: Registration, names: ReadonlySet<string>, nowMs: number): boolean =>
  !names.has(registered.consumer) && !isAlive(registered, nowMs);

/** Whether it can be expected to work on what there is. */
function isLiving(
  { status, foreign, idleMs }: ConsumerReport,
  { idleThresholdMs }: MonitorPolicy,
  nothingWaits: boolean,
): boolean {
  if (status === "DEAD") return false;
  // It finishes what it has, and reads nothing more.
  if (status === "DRAINING") return nothingWaits;
  return status === "OK" || !foreign || idleMs <= idleThresholdMs;
}

/** A group or a stream that went away in the middle of a look is not there. */
function nothingIfGone(error: unknown): undefined {
  if (NoGroupError.is(error)) return undefined;
  throw error;
}
