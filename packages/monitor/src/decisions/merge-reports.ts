/** The report of a stream with partitions, from those of its partitions and from what its consumers say. */

import type {
  ConsumerReport,
  ConsumerStatus,
  GroupHealth,
  GroupReport,
  MonitorReport,
  PartitionReport,
} from "../report.ts";
import { groupBy } from "./group-by.ts";

/** A consumer of a group, as the registry beside the logical stream knows it. */
export interface Member {
  readonly consumer: string;
  /** The partitions that it owns, by its last heartbeat. */
  readonly partitions: readonly number[];
  readonly idleMs: number;
  readonly leaseMs: number;
  readonly capacity: number | null;
  readonly intake: string | null;
  readonly host: string | null;
  readonly pid: number | null;
}

/** From the worst to the best. */
const HEALTH: readonly GroupHealth[] = [
  ...(["STOPPED", "STALLED", "FAILING", "AHEAD", "REWOUND", "FALLING BEHIND", "UNKNOWN", "OK"] as const),
];
const STATUS: readonly ConsumerStatus[] = [
  ...(["DEAD", "STALLED", "FAILING", "BACKING OFF", "HELD UP", "PAUSED"] as const),
  ...(["WARNING - too many pending items", "WARNING - idle for long time", "DRAINING", "LEFT", "OK"] as const),
];

/**
 * @param parts the reports of the partitions, in their order
 * @param members the consumers of each group, by its name
 */
export function mergeReports(
  stream: string,
  parts: readonly MonitorReport[],
  members: ReadonlyMap<string, readonly Member[]>,
): MonitorReport {
  const lengths = parts.map(({ length }) => length).filter((length) => length !== null);
  const names = [...new Set(parts.flatMap(({ groups }) => groups.map(({ group }) => group)))].toSorted();
  return {
    v: 1,
    atMs: Math.max(...parts.map(({ atMs }) => atMs)),
    stream,
    length: lengths.length === 0 ? null : sum(lengths),
    groups: names.map((group) => mergeGroup(group, parts, members.get(group) ?? [])),
    // Ids of different partitions cannot be compared.
    retention: {
      safeId: null,
      pinnedBy: pinnedBy(parts),
      warnings: parts.flatMap(({ retention }) => retention.warnings),
    },
    partitions: parts.map(partitionOf),
  };
}

function mergeGroup(name: string, parts: readonly MonitorReport[], members: readonly Member[]): GroupReport {
  const found = parts.flatMap(({ groups }, partition) =>
    groups.filter(({ group }) => group === name).map((group) => ({ partition, group })),
  );
  const all = found.map(({ group }) => group);
  const worst = worstOf(found, ({ group }) => HEALTH.indexOf(group.health));
  const alike = all.filter(({ health }) => health === worst.group.health).length;
  const others = alike > 1 && worst.group.health !== "OK" ? ` (and ${alike - 1} other partitions)` : "";
  const isWell = worst.group.health === "OK";
  return {
    group: name,
    health: worst.group.health,
    pause: mergePauses(all),
    rateLimit: all.map(({ rateLimit }) => rateLimit).find((rate) => rate !== null) ?? null,
    reason: isWell ? worst.group.reason : `partition ${worst.partition}: ${worst.group.reason}${others}`,
    backlog: {
      messages: sumKnown(all.map(({ backlog }) => backlog.messages)),
      source: worstOf(all, ({ backlog }) => SOURCES.indexOf(backlog.source)).backlog.source,
    },
    pending: sum(all.map(({ pending }) => pending)),
    oldestWaitingAgeMs: longest(all.map((one) => one.oldestWaitingAgeMs)),
    oldestPendingAgeMs: longest(all.map((one) => one.oldestPendingAgeMs)),
    oldestOfferableMs: longest(all.map((one) => one.oldestOfferableMs)),
    released: {
      messages: sum(all.map(({ released }) => released.messages)),
      oldestMs: longest(all.map(({ released }) => released.oldestMs)),
    },
    later: {
      messages: sum(all.map(({ later }) => later.messages)),
      oldestAgeMs: longest(all.map(({ later }) => later.oldestAgeMs)),
      overdueMs: longest(all.map(({ later }) => later.overdueMs)),
    },
    inPerSecond: sumKnown(all.map((one) => one.inPerSecond)),
    outPerSecond: sumKnown(all.map((one) => one.outPerSecond)),
    deadLetters: sum(all.map(({ deadLetters }) => deadLetters)),
    lastDeliveredId: worst.group.lastDeliveredId,
    retention: {
      neededFromId: worst.group.retention.neededFromId,
      pins: all.some(({ retention }) => retention.pins),
      unreadLost: sumKnown(all.map(({ retention }) => retention.unreadLost)),
      pendingLost: all.some(({ retention }) => retention.pendingLost),
    },
    consumers: mergeConsumers(found, members),
  };
}

function mergePauses(groups: readonly GroupReport[]): GroupReport["pause"] {
  const pauses = groups.map(({ pause }) => pause).filter((pause) => pause !== null);
  const [first] = pauses;
  if (first === undefined) return null;
  return { ...first, notObeyedBy: [...new Set(pauses.flatMap(({ notObeyedBy }) => notObeyedBy))].toSorted() };
}

/** Of each consumer one line, whatever it owns; those that own nothing, too. */
function mergeConsumers(
  found: readonly { readonly partition: number; readonly group: GroupReport }[],
  members: readonly Member[],
): readonly ConsumerReport[] {
  const seen = found.flatMap(({ partition, group }) => group.consumers.map((report) => ({ partition, report })));
  const byName = groupBy(seen, ({ report }) => report.consumer);
  const known = new Map(members.map((member) => [member.consumer, member]));
  const names = [...new Set([...byName.keys(), ...known.keys()])].toSorted();
  return names.map((consumer) => mergeConsumer(consumer, byName.get(consumer) ?? [], known.get(consumer)));
}

function mergeConsumer(
  consumer: string,
  seen: readonly { readonly partition: number; readonly report: ConsumerReport }[],
  member: Member | undefined,
): ConsumerReport {
  const partitions = member?.partitions ?? null;
  // A name that is left in a partition which it does not own any more says nothing about the consumer.
  const current = seen.filter(({ partition }) => partitions === null || partitions.includes(partition));
  const reports = current.map(({ report }) => report);
  const worst = reports.length === 0 ? undefined : worstOf(current, ({ report }) => STATUS.indexOf(report.status));
  const isWell = worst === undefined || worst.report.status === "OK";
  const owned = partitions === null ? "" : `owns ${describePartitions(partitions)}`;
  const own = worst === undefined || isWell ? owned : `partition ${worst.partition}: ${worst.report.reason}`;
  const first = worst?.report;
  return {
    consumer,
    status: first?.status ?? "OK",
    reason: own === "" ? (first?.reason ?? "") : own,
    foreign: member === undefined && (first?.foreign ?? true),
    idleMs: member?.idleMs ?? Math.min(...reports.map(({ idleMs }) => idleMs)),
    inactiveMs: least(reports.map(({ inactiveMs }) => inactiveMs)),
    pending: sum(seen.map(({ report }) => report.pending)),
    oldestPendingAgeMs: longest(seen.map(({ report }) => report.oldestPendingAgeMs)),
    inFlight: sumKnown(reports.map(({ inFlight }) => inFlight)),
    oldestInFlightMs: longest(reports.map(({ oldestInFlightMs }) => oldestInFlightMs)),
    intake: reports.find(({ intake }) => intake !== null && intake !== "open")?.intake ?? member?.intake ?? null,
    busyShare: atMost(1, sumKnown(reports.map(({ busyShare }) => busyShare))),
    capacity: member?.capacity ?? Math.max(0, ...reports.map(({ capacity }) => capacity)),
    leaseMs: member?.leaseMs ?? first?.leaseMs ?? null,
    host: member?.host ?? first?.host ?? null,
    pid: member?.pid ?? first?.pid ?? null,
    version: first?.version ?? null,
    isAlone: first?.isAlone ?? null,
    parked: sumKnown(reports.map(({ parked }) => parked)),
    blockedKeys: sumKnown(reports.map(({ blockedKeys }) => blockedKeys)),
    partitions,
  };
}

function partitionOf(report: MonitorReport, partition: number): PartitionReport {
  return {
    partition,
    stream: report.stream,
    length: report.length,
    groups: report.groups,
    retention: report.retention,
  };
}

function pinnedBy(parts: readonly MonitorReport[]): string | null {
  return parts.map(({ retention }) => retention.pinnedBy).find((group) => group !== null) ?? null;
}

/** "partitions 0 to 3 and 7", or "no partition". */
function describePartitions(partitions: readonly number[]): string {
  if (partitions.length === 0) return "no partition";
  const ranges: [first: number, last: number][] = [];
  for (const partition of partitions.toSorted((left, right) => left - right)) {
    const last = ranges.at(-1);
    if (last !== undefined && partition === last[1] + 1) last[1] = partition;
    else ranges.push([partition, partition]);
  }
  const words = ranges.map(([first, last]) =>
    first === last ? String(first) : `${first}${last === first + 1 ? "," : " to"} ${last}`,
  );
  return `partition${partitions.length === 1 ? "" : "s"} ${words.join(", ")}`;
}

const SOURCES: readonly GroupReport["backlog"]["source"][] = ["unknown", "at least", "counted", "server"];

function worstOf<Item>(items: readonly Item[], rank: (item: Item) => number): Item {
  return items.reduce((worst, item) => (rank(item) < rank(worst) ? item : worst));
}

const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);

/** What is not known of one is not known of all. */
function sumKnown(counts: readonly (number | null)[]): number | null {
  if (counts.length === 0 || counts.includes(null)) return null;
  return sum(counts.filter((count) => count !== null));
}

function longest(ages: readonly (number | null)[]): number | null {
  const known = ages.filter((age) => age !== null);
  return known.length === 0 ? null : Math.max(...known);
}

function least(ages: readonly (number | null)[]): number | null {
  const known = ages.filter((age) => age !== null);
  return known.length === 0 ? null : Math.min(...known);
}

const atMost = (most: number, count: number | null): number | null => (count === null ? null : Math.min(most, count));
