/** What a monitor sees, as plain JSON data. What is not known is `null`, never 0. All times by the server's clock. */
import type { Backlog, BacklogSource, EntryId } from "@redis-batch/core/internal";

export type { Backlog, BacklogSource };

/** One look at a stream and its consumer groups. */
export interface MonitorReport {
  /** The version of this shape; fields are added without a new one. */
  readonly v: 1;
  /** When the look was, in milliseconds since 1970. */
  readonly atMs: number;
  readonly stream: string;
  /** Entries in the stream; `null` when there is no such stream. */
  readonly length: number | null;
  /** In the order of their names. Empty when there is no such stream or group. */
  readonly groups: readonly GroupReport[];
  readonly retention: RetentionReport;
}

/**
 * How a consumer group fares, judged from the trend of several looks: `OK` · `FALLING BEHIND`, it works, and more waits
 * each time · `STALLED`, its consumers live, and nothing moves · `STOPPED`, there is work, and nobody to do it ·
 * `REWOUND`, its position was set back · `UNKNOWN`, too little is known to say.
 */
export type GroupHealth = "OK" | "FALLING BEHIND" | "STALLED" | "STOPPED" | "REWOUND" | "UNKNOWN";

/** One consumer group at one moment. */
export interface GroupReport {
  readonly group: string;
  readonly health: GroupHealth;
  /** Why, in words. */
  readonly reason: string;
  readonly backlog: Backlog;
  /** Messages that were delivered and not acknowledged. */
  readonly pending: number;
  /** Milliseconds since the oldest message that waits was added; `null` when none waits, or it is not known. */
  readonly oldestWaitingAgeMs: number | null;
  /** Milliseconds since the oldest pending message was added; `null` when none is pending. */
  readonly oldestPendingAgeMs: number | null;
  /** Messages added to the stream per second since the look before; `null` at the first, and for a stream that is new. */
  readonly inPerSecond: number | null;
  /**
   * Messages that left the group per second since the look before: acknowledged, or moved to the dead letters. `null` at
   * the first look, and while the server does not know how many messages the group has read.
   */
  readonly outPerSecond: number | null;
  /** Messages in the group's dead letters. */
  readonly deadLetters: number;
  readonly lastDeliveredId: EntryId;
  readonly retention: GroupRetention;
  /** In the order of their names. */
  readonly consumers: readonly ConsumerReport[];
}

/** What one group needs of the stream. */
export interface GroupRetention {
  /** No entry before this one is needed by the group: its oldest pending one, or the last it has read. */
  readonly neededFromId: EntryId;
  /** Whether no other group needs an older entry, so that this one decides how far the stream can be trimmed. */
  readonly pins: boolean;
  /**
   * Messages that were removed from the stream before the group had read them, at least; 0 when none is known to be,
   * `null` when the server does not know how many the group has read.
   */
  readonly unreadLost: number | null;
  /** Whether messages were removed from the stream while they were pending in the group: they cannot be worked on. */
  readonly pendingLost: boolean;
}

/** How far a stream can be trimmed, over all its groups, whichever the monitor watches. */
export interface RetentionReport {
  /** Every entry before this one is done with in every group; `null` when there is no group, or no stream. */
  readonly safeId: EntryId | null;
  /** The group that needs what comes from there on; of several, the first by name. */
  readonly pinnedBy: string | null;
  /** Sentences about messages that were removed before they were read or acknowledged. */
  readonly warnings: readonly string[];
}

/**
 * The state of one consumer. The first three are the words of the original: all is well · more is pending than it can
 * hold on purpose · it was not heard of for longer than `idleThresholdMs`. What the registry adds: `STALLED`, its
 * heartbeat is fresh and its work does not move · `DRAINING`, it is stopping · `DEAD`, its heartbeat is older than its
 * lease. Only what is DEAD, or foreign and idle beyond `foreignIdleMs`, is cleaned up.
 */
export type ConsumerStatus =
  | "OK"
  | "WARNING - too many pending items"
  | "WARNING - idle for long time"
  | "STALLED"
  | "DRAINING"
  | "DEAD";

/** One consumer of a group at one moment. */
export interface ConsumerReport {
  readonly consumer: string;
  readonly status: ConsumerStatus;
  /** Why, in words. */
  readonly reason: string;
  /** Whether it is not in the group's registry, so that only what the server knows of it tells how it is. */
  readonly foreign: boolean;
  /**
   * Milliseconds since it was last heard of: since its heartbeat, for a registered one; for a foreign one since its last
   * attempt to read (Redis ≥ 7.2, Valkey), or since its last read that returned something (Redis 7.0).
   */
  readonly idleMs: number;
  /** Milliseconds since its last read that returned something; `null` before the first, and on Redis 7.0. */
  readonly inactiveMs: number | null;
  /** Messages that were delivered to it and not acknowledged. */
  readonly pending: number;
  /** Milliseconds since the oldest of them was added to the stream; `null` when none is pending. */
  readonly oldestPendingAgeMs: number | null;
  /** Messages its handlers are at work on, by its last heartbeat; `null` when it does not say. */
  readonly inFlight: number | null;
  /** How much of the time since the look before its handlers were at work, 0 to 1; `null` when it does not say. */
  readonly busyShare: number | null;
  /** The most messages it ever holds on purpose; `batchSize` for one that does not say. */
  readonly capacity: number;
  /** How long its messages are its own without a renewal, in milliseconds; `null` for a foreign one. */
  readonly leaseMs: number | null;
  /** Where it runs, by its last heartbeat; `null` when it does not say. */
  readonly host: string | null;
  readonly pid: number | null;
}
