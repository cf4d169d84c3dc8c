import type { ConsumerReport, ConsumerStatus, GroupHealth, GroupReport, MonitorReport } from "../report.ts";
import type { TallyCounts } from "./tally.ts";

/** One snapshot's value of one metric. `null`: unknown, so the series is left out, because 0 would be a claim. */
export type Reading = number | boolean | null;

/** One metric, as documented in `docs/metrics.md`. */
export interface MetricDefinition {
  readonly name: string;
  readonly type: "gauge" | "counter";
  /** The unit of the value: a base unit of Prometheus, or what is counted. `1`: yes (1) or no (0). */
  readonly unit:
    | "seconds"
    | "entries"
    | "messages"
    | "messages per second"
    | "consumers"
    | "passes"
    | "times"
    | "ratio"
    | "1";
  readonly labels: readonly string[];
  /** One sentence without a full stop, for `# HELP`. */
  readonly help: string;
}

/** A metric, and the source of its values. */
export interface Metric<Subject> extends MetricDefinition {
  /** With a state label: one reading per value of that label, which is the last of `labels`. */
  readonly read: (subject: Subject) => Reading | ReadonlyMap<string, Reading>;
}

/** Label values for the statuses of the report. */
const HEALTH_LABELS = {
  OK: "ok",
  "FALLING BEHIND": "falling_behind",
  STALLED: "stalled",
  STOPPED: "stopped",
  FAILING: "failing",
  REWOUND: "rewound",
  AHEAD: "ahead",
  PAUSED: "paused",
  UNKNOWN: "unknown",
} as const satisfies Record<GroupHealth, string>;

const STATUS_LABELS = {
  OK: "ok",
  "WARNING - too many pending items": "too_many_pending",
  "WARNING - idle for long time": "idle",
  STALLED: "stalled",
  FAILING: "failing",
  PAUSED: "paused",
  "BACKING OFF": "backing_off",
  "HELD UP": "held_up",
  DRAINING: "draining",
  LEFT: "left",
  DEAD: "dead",
} as const satisfies Record<ConsumerStatus, string>;

/** Ages in seconds, the base unit; `null` stays unknown. */
const seconds = (milliseconds: number | null): Reading => (milliseconds === null ? null : milliseconds / 1_000);

/** One reading per state, 1 for the current one, so that an alert's `for` sees a 0 instead of a gap. */
function stateSet(labels: Readonly<Record<string, string>>, now: string): Map<string, Reading> {
  return new Map(Object.values(labels).map((label) => [label, label === now]));
}

function countByStatus(consumers: readonly ConsumerReport[]): Map<string, Reading> {
  const counts = new Map(Object.values(STATUS_LABELS).map((label) => [label, 0]));
  for (const { status } of consumers) counts.set(STATUS_LABELS[status], (counts.get(STATUS_LABELS[status]) ?? 0) + 1);
  return counts;
}

export const STREAM_METRICS: readonly Metric<MonitorReport>[] = [
  {
    name: "redis_batch_stream_inspected_timestamp_seconds",
    type: "gauge",
    unit: "seconds",
    labels: ["stream"],
    help: "Time of the last pass, by the Redis server's clock, in seconds since 1970",
    read: ({ atMs }) => seconds(atMs),
  },
  {
    name: "redis_batch_stream_entries",
    type: "gauge",
    unit: "entries",
    labels: ["stream"],
    help: "Entries in the stream",
    read: ({ length }) => length,
  },
];

const GROUP = ["stream", "group"] as const;

export const GROUP_METRICS: readonly Metric<GroupReport>[] = [
  {
    name: "redis_batch_group_health",
    type: "gauge",
    unit: "1",
    labels: [...GROUP, "health"],
    help: "1 for the current health of the consumer group, 0 for every other health",
    read: ({ health }) => stateSet(HEALTH_LABELS, HEALTH_LABELS[health]),
  },
  {
    name: "redis_batch_group_paused",
    type: "gauge",
    unit: "1",
    labels: GROUP,
    help: "Whether somebody has paused the group for all of its consumers",
    read: ({ pause }) => pause !== null,
  },
  {
    name: "redis_batch_group_paused_timestamp_seconds",
    type: "gauge",
    unit: "seconds",
    labels: GROUP,
    help: "Since when the group is paused, by the Redis server's clock, in seconds since 1970; absent while it is not",
    read: ({ pause }) => seconds(pause?.sinceMs ?? null),
  },
  {
    name: "redis_batch_group_pause_not_obeyed_consumers",
    type: "gauge",
    unit: "consumers",
    labels: GROUP,
    help: "Consumers that go on although the group is paused: of an earlier version, or not of Redis Batch",
    read: ({ pause }) => pause?.notObeyedBy.length ?? 0,
  },
  {
    name: "redis_batch_group_rate_limit_messages_per_second",
    type: "gauge",
    unit: "messages per second",
    labels: GROUP,
    help: "Messages per second that all consumers of the group together may offer to their handlers; absent without a rate",
    read: ({ rateLimit }) => (rateLimit === null ? null : (rateLimit.messages * 1_000) / rateLimit.perMs),
  },
  {
    name: "redis_batch_group_rate_limited_consumers",
    type: "gauge",
    unit: "consumers",
    labels: GROUP,
    help: "Consumers that have messages in memory and wait for the rate of the group: above 0, the rate binds",
    read: ({ consumers }) => consumers.filter(({ intake }) => intake === "rate-limited").length,
  },
  {
    name: "redis_batch_group_backlog_messages",
    type: "gauge",
    unit: "messages",
    labels: GROUP,
    help: "Messages that have not been delivered to any consumer of the group",
    read: ({ backlog }) => backlog.messages,
  },
  {
    name: "redis_batch_group_backlog_is_lower_bound",
    type: "gauge",
    unit: "1",
    labels: GROUP,
    help: "Whether the backlog may be larger than redis_batch_group_backlog_messages, because counting stopped at its limit",
    read: ({ backlog }) => (backlog.messages === null ? null : backlog.source === "at least"),
  },
  {
    name: "redis_batch_group_pending_messages",
    type: "gauge",
    unit: "messages",
    labels: GROUP,
    help: "Messages that were delivered in the group but not acknowledged",
    read: ({ pending }) => pending,
  },
  {
    name: "redis_batch_group_oldest_waiting_age_seconds",
    type: "gauge",
    unit: "seconds",
    labels: GROUP,
    help: "Time since the oldest message of the backlog was added to the stream",
    read: ({ oldestWaitingAgeMs }) => seconds(oldestWaitingAgeMs),
  },
  {
    name: "redis_batch_group_oldest_pending_age_seconds",
    type: "gauge",
    unit: "seconds",
    labels: GROUP,
    help: "Time since the oldest pending message of the group was added to the stream",
    read: ({ oldestPendingAgeMs }) => seconds(oldestPendingAgeMs),
  },
  {
    name: "redis_batch_group_oldest_offerable_seconds",
    type: "gauge",
    unit: "seconds",
    labels: GROUP,
    help: "Waiting time of the oldest message that could be delivered now: in the stream, released, due again, or read ahead",
    read: ({ oldestOfferableMs, backlog, released, later }) =>
      oldestOfferableMs === null && backlog.messages === 0 && released.messages === 0 && later.overdueMs === null
        ? 0
        : seconds(oldestOfferableMs),
  },
  {
    name: "redis_batch_group_released_messages",
    type: "gauge",
    unit: "messages",
    labels: GROUP,
    help: "Pending messages that any consumer with room may claim",
    read: ({ released }) => released.messages,
  },
  {
    name: "redis_batch_group_oldest_released_seconds",
    type: "gauge",
    unit: "seconds",
    labels: GROUP,
    help: "Lower bound of the time since the first of the released messages was released",
    read: ({ released }) => (released.messages === 0 ? 0 : seconds(released.oldestMs)),
  },
  {
    name: "redis_batch_group_deferred_messages",
    type: "gauge",
    unit: "messages",
    labels: GROUP,
    help: "Pending messages that are deferred and belong to no consumer until they are due",
    read: ({ later }) => later.messages,
  },
  {
    name: "redis_batch_group_deferred_overdue_seconds",
    type: "gauge",
    unit: "seconds",
    labels: GROUP,
    help: "Time since the first unclaimed deferred message was due",
    read: ({ later }) => (later.overdueMs === null ? 0 : seconds(later.overdueMs)),
  },
  {
    name: "redis_batch_group_added_messages_per_second",
    type: "gauge",
    unit: "messages per second",
    labels: GROUP,
    help: "Messages added to the stream per second between the last two passes",
    read: ({ inPerSecond }) => inPerSecond,
  },
  {
    name: "redis_batch_group_finished_messages_per_second",
    type: "gauge",
    unit: "messages per second",
    labels: GROUP,
    help: "Messages acknowledged or dead-lettered in the group per second between the last two passes",
    read: ({ outPerSecond }) => outPerSecond,
  },
  {
    name: "redis_batch_group_dead_letter_messages",
    type: "gauge",
    unit: "messages",
    labels: GROUP,
    help: "Messages in the dead letters of the group",
    read: ({ deadLetters }) => deadLetters,
  },
  {
    name: "redis_batch_group_unread_lost_messages",
    type: "gauge",
    unit: "messages",
    labels: GROUP,
    help: "Messages known to have been removed from the stream before the group had read them",
    read: ({ retention }) => retention.unreadLost,
  },
  {
    name: "redis_batch_group_pending_lost",
    type: "gauge",
    unit: "1",
    labels: GROUP,
    help: "Whether messages were removed from the stream while they were pending in the group",
    read: ({ retention }) => retention.pendingLost,
  },
  {
    name: "redis_batch_group_pins_retention",
    type: "gauge",
    unit: "1",
    labels: GROUP,
    help: "Whether the group decides how far the stream can be trimmed, because no other group needs an older entry",
    read: ({ retention }) => retention.pins,
  },
  {
    name: "redis_batch_group_consumers",
    type: "gauge",
    unit: "consumers",
    labels: [...GROUP, "status"],
    help: "Consumers of the group by status",
    read: ({ consumers }) => countByStatus(consumers),
  },
];

const CONSUMER = [...GROUP, "consumer"] as const;

export const CONSUMER_METRICS: readonly Metric<ConsumerReport>[] = [
  {
    name: "redis_batch_consumer_status",
    type: "gauge",
    unit: "1",
    labels: [...CONSUMER, "status"],
    help: "1 for the current status of the consumer, 0 for every other status",
    read: ({ status }) => stateSet(STATUS_LABELS, STATUS_LABELS[status]),
  },
  {
    name: "redis_batch_consumer_foreign",
    type: "gauge",
    unit: "1",
    labels: CONSUMER,
    help: "Whether the consumer is not in the group's registry, and so has no heartbeat",
    read: ({ foreign }) => foreign,
  },
  {
    name: "redis_batch_consumer_idle_seconds",
    type: "gauge",
    unit: "seconds",
    labels: CONSUMER,
    help: "Time since the last sign of life of the consumer",
    read: ({ idleMs }) => seconds(idleMs),
  },
  {
    name: "redis_batch_consumer_inactive_seconds",
    type: "gauge",
    unit: "seconds",
    labels: CONSUMER,
    help: "Time since the last read of the consumer that returned messages",
    read: ({ inactiveMs }) => seconds(inactiveMs),
  },
  {
    name: "redis_batch_consumer_pending_messages",
    type: "gauge",
    unit: "messages",
    labels: CONSUMER,
    help: "Messages that were delivered to the consumer but not acknowledged",
    read: ({ pending }) => pending,
  },
  {
    name: "redis_batch_consumer_oldest_pending_age_seconds",
    type: "gauge",
    unit: "seconds",
    labels: CONSUMER,
    help: "Time since the oldest pending message of the consumer was added to the stream",
    read: ({ oldestPendingAgeMs }) => seconds(oldestPendingAgeMs),
  },
  {
    name: "redis_batch_consumer_in_flight_messages",
    type: "gauge",
    unit: "messages",
    labels: CONSUMER,
    help: "Messages that the handlers of the consumer are processing",
    read: ({ inFlight }) => inFlight,
  },
  {
    name: "redis_batch_consumer_oldest_in_flight_seconds",
    type: "gauge",
    unit: "seconds",
    labels: CONSUMER,
    help: "Age of the oldest open batch of the consumer at its last heartbeat",
    read: ({ oldestInFlightMs, inFlight }) => (inFlight === 0 ? 0 : seconds(oldestInFlightMs)),
  },
  {
    name: "redis_batch_consumer_busy_ratio",
    type: "gauge",
    unit: "ratio",
    labels: CONSUMER,
    help: "Share of the time between the last two passes in which the handlers of the consumer worked on this stream, 0 to 1",
    read: ({ busyShare }) => busyShare,
  },
  {
    name: "redis_batch_consumer_capacity_messages",
    type: "gauge",
    unit: "messages",
    labels: CONSUMER,
    help: "Maximum number of messages that the consumer holds by design",
    read: ({ capacity }) => capacity,
  },
  {
    name: "redis_batch_consumer_lease_seconds",
    type: "gauge",
    unit: "seconds",
    labels: CONSUMER,
    help: "How long messages belong to the consumer without a renewal",
    read: ({ leaseMs }) => seconds(leaseMs),
  },
];

export const TALLY_METRICS: readonly Metric<TallyCounts>[] = [
  {
    name: "redis_batch_monitor_connected",
    type: "gauge",
    unit: "1",
    labels: ["stream"],
    help: "Whether the monitor is connected to Redis",
    read: ({ connected }) => connected,
  },
  {
    name: "redis_batch_monitor_leading",
    type: "gauge",
    unit: "1",
    labels: ["stream"],
    help: "Whether the monitor leads, so that it cleans up and trims",
    read: ({ leading }) => leading,
  },
  {
    name: "redis_batch_monitor_passes_total",
    type: "counter",
    unit: "passes",
    labels: ["stream"],
    help: "Successful passes of the monitor",
    read: ({ passes }) => passes,
  },
  {
    name: "redis_batch_monitor_pass_seconds_total",
    type: "counter",
    unit: "seconds",
    labels: ["stream"],
    help: "Total time of the passes of the monitor",
    read: ({ passMs }) => seconds(passMs),
  },
  {
    name: "redis_batch_monitor_failed_passes_total",
    type: "counter",
    unit: "times",
    labels: ["stream"],
    help: "Passes of the monitor that failed",
    read: ({ failedPasses }) => failedPasses,
  },
  {
    name: "redis_batch_monitor_disconnections_total",
    type: "counter",
    unit: "times",
    labels: ["stream"],
    help: "Number of times the monitor lost its connection to Redis",
    read: ({ disconnections }) => disconnections,
  },
  {
    name: "redis_batch_monitor_handed_over_messages_total",
    type: "counter",
    unit: "messages",
    labels: ["stream"],
    help: "Messages of dead consumers that the monitor released or handed over",
    read: ({ handedOverMessages }) => handedOverMessages,
  },
  {
    name: "redis_batch_monitor_pending_trimmed_messages_total",
    type: "counter",
    unit: "messages",
    labels: ["stream"],
    help: "Pending messages that the monitor found deleted from the stream",
    read: ({ pendingTrimmedMessages }) => pendingTrimmedMessages,
  },
  {
    name: "redis_batch_monitor_removed_consumers_total",
    type: "counter",
    unit: "consumers",
    labels: ["stream"],
    help: "Names of dead consumers that the monitor removed",
    read: ({ removedConsumers }) => removedConsumers,
  },
  {
    name: "redis_batch_monitor_trimmed_entries_total",
    type: "counter",
    unit: "entries",
    labels: ["stream"],
    help: "Entries that the monitor trimmed from the stream because every group had finished them",
    read: ({ trimmedEntries }) => trimmedEntries,
  },
];
