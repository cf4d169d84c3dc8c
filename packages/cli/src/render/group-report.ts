/** The health of a group, as a report. */

import { describeRate } from "@redis-batch/core/internal/groups";
import type { ConsumerStatus, GroupHealth, GroupReport, MonitorReport } from "@redis-batch/monitor";
import type { Tone } from "./paint.ts";
import type { Cell, Report } from "./report.ts";

export function groupReport({ stream, length, retention, atMs }: MonitorReport, group: GroupReport): Report {
  const { pause } = group;
  const endsMs = pause?.untilMs ?? null;
  return {
    facts: [
      { key: "stream", value: stream },
      { key: "group", value: group.group },
      { key: "health", value: group.health, tone: (health) => healthTone(health as GroupHealth) },
      { key: "reason", value: group.reason },
      { key: "pausedBy", value: pause?.by ?? null },
      {
        key: "pausedForMs",
        title: "paused for",
        value: pause === null ? null : Math.max(atMs - pause.sinceMs, 0),
        unit: "ms",
      },
      { key: "pauseEndsInMs", title: "pause ends in", value: endsMs === null ? null : endsMs - atMs, unit: "ms" },
      { key: "pauseReason", value: pause?.reason ?? null },
      { key: "pauseNotObeyedBy", value: pause === null ? null : pause.notObeyedBy.length, unit: "count" },
      { key: "rateLimit", value: group.rateLimit === null ? null : describeRate(group.rateLimit) },
      { key: "waiting", value: group.backlog.messages, unit: "count" },
      { key: "waitingSource", title: "waiting from", value: group.backlog.source },
      { key: "pending", value: group.pending, unit: "count" },
      { key: "released", title: "released, waiting for any consumer", value: group.released.messages, unit: "count" },
      { key: "oldestReleasedMs", title: "oldest released", value: group.released.oldestMs, unit: "ms" },
      { key: "deferred", title: "deferred until their time", value: group.later.messages, unit: "count" },
      { key: "overdueMs", title: "overdue", value: group.later.overdueMs, unit: "ms" },
      { key: "oldestOfferableMs", title: "oldest deliverable", value: group.oldestOfferableMs, unit: "ms" },
      { key: "oldestWaitingMs", title: "oldest waiting", value: group.oldestWaitingAgeMs, unit: "ms" },
      { key: "oldestPendingMs", title: "oldest pending", value: group.oldestPendingAgeMs, unit: "ms" },
      { key: "inPerSecond", value: rounded(group.inPerSecond) },
      { key: "outPerSecond", value: rounded(group.outPerSecond) },
      {
        key: "deadLetters",
        value: group.deadLetters,
        unit: "count",
        tone: (count) => (count === 0 ? undefined : "warn"),
      },
      { key: "length", title: "stream length", value: length, unit: "count" },
      { key: "pinsStream", value: group.retention.pins },
    ],
    table: {
      key: "consumers",
      columns: [
        { key: "consumer" },
        { key: "status", tone: (status) => statusTone(status as ConsumerStatus) },
        { key: "idleMs", title: "idle", unit: "ms" },
        { key: "pending", unit: "count" },
        { key: "oldestPendingMs", title: "oldest", unit: "ms" },
        { key: "inFlight", title: "in flight", unit: "count" },
        { key: "parked", title: "behind keys", unit: "count" },
        { key: "busyPercent", title: "busy %", unit: "count" },
        { key: "foreign" },
        { key: "host" },
        { key: "pid" },
        { key: "reason", isProse: true },
      ],
      rows: group.consumers.map((consumer) => ({
        consumer: consumer.consumer,
        status: consumer.status,
        idleMs: consumer.idleMs,
        pending: consumer.pending,
        oldestPendingMs: consumer.oldestPendingAgeMs,
        inFlight: consumer.inFlight,
        parked: consumer.parked,
        busyPercent: consumer.busyShare === null ? null : Math.round(100 * consumer.busyShare),
        foreign: consumer.foreign,
        host: consumer.host,
        pid: consumer.pid,
        reason: consumer.reason,
      })),
      none: "The group has no consumers.",
    },
    notes: retention.warnings,
  };
}

const WARNED: readonly GroupHealth[] = ["FALLING BEHIND", "REWOUND", "PAUSED"];

export function healthTone(health: GroupHealth): Tone | undefined {
  if (health === "OK") return "good";
  return health === "UNKNOWN" ? "quiet" : WARNED.includes(health) ? "warn" : "bad";
}

function statusTone(status: ConsumerStatus): Tone {
  if (status === "OK") return "good";
  return status === "DEAD" || status === "STALLED" || status === "FAILING" ? "bad" : "warn";
}

const rounded = (value: number | null): Cell => (value === null ? null : Math.round(10 * value) / 10);
