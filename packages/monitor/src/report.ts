/** A monitor's report, as plain JSON data. Unknown values are `null`, never 0. All times are by the server's clock. */

import type { EntryId, GroupPause, RateLimit } from "@redis-batch/core";
import type { Backlog, BacklogSource } from "@redis-batch/core/internal/groups";

export type { Backlog, BacklogSource };

/** One snapshot of a stream and its consumer groups. */
export interface MonitorReport {
  /** The version of this shape; fields are added without a new one. */
  readonly v: 1;
  /** When the snapshot was taken, in milliseconds since 1970. */
  readonly atMs: number;
  readonly stream: string;
  /** Entries in the stream; `null` if the stream does not exist. */
  readonly length: number | null;
  /** In the order of their names. Empty if there is no such stream or group. */
  readonly groups: readonly GroupReport[];
  readonly retention: RetentionReport;
  /**
   * Each partition by itself, if the stream has partitions; then everything above is about all of them together. Ids are
   * unique within a partition only.
   */
  readonly partitions?: readonly PartitionReport[] | undefined;
}

/** One partition of a stream. */
export interface PartitionReport extends Pick<MonitorReport, "stream" | "length" | "groups" | "retention"> {
  /** Which one, from 0. */
  readonly partition: number;
}

/**
 * The health of a consumer group, judged by the trend of several passes: `OK` · `FALLING BEHIND`, it works, but its backlog
 * grows · `STALLED`, its consumers are alive, but make no progress · `STOPPED`, there is work, but there are no active
 * consumers, or all of them are paused · `FAILING`, most messages it finishes go to the dead letters, or its consumers
 * finish no batches · `REWOUND`, its position was moved back, and it has not reached the old one again · `AHEAD`, its
 * position is ahead of the stream, so new messages are not delivered · `PAUSED`, somebody has paused the whole group ·
 * `UNKNOWN`, too little is known.
 */
export type GroupHealth =
  | "OK"
  | "FALLING BEHIND"
  | "STALLED"
  | "STOPPED"
  | "FAILING"
  | "REWOUND"
  | "AHEAD"
  | "PAUSED"
  | "UNKNOWN";

/** One consumer group at one moment. */
export interface GroupReport {
  readonly group: string;
  readonly health: GroupHealth;
  /** Why, in words. */
  readonly reason: string;
  /** Who paused the group, if it is paused now; `null`: it is not. */
  readonly pause: PauseReport | null;
  /** How many messages its consumers together offer in a time; `null`: there is no limit. */
  readonly rateLimit: RateReport | null;
  readonly backlog: Backlog;
  /** Messages that were delivered but not acknowledged. */
  readonly pending: number;
  /** Milliseconds since the oldest waiting message was added; `null` if none waits, or if unknown. */
  readonly oldestWaitingAgeMs: number | null;
  /** Milliseconds since the oldest pending message was added; `null` if none is pending. */
  readonly oldestPendingAgeMs: number | null;
  /**
   * How long the oldest message that could be delivered now has been waiting, in milliseconds: in the stream, released,
   * deferred and due, or read ahead by a consumer (as far as it reports that). `null` if there is none, or if unknown.
   */
  readonly oldestOfferableMs: number | null;
  readonly released: ReleasedMessages;
  readonly later: LaterMessages;
  /** Messages added to the stream per second since the previous pass; `null` at the first, and for a new stream. */
  readonly inPerSecond: number | null;
  /**
   * Messages finished per second since the previous pass: acknowledged, or moved to the dead letters. `null` at the first
   * pass, and while the server does not know how many messages the group has read.
   */
  readonly outPerSecond: number | null;
  /** Messages in the group's dead letters. */
  readonly deadLetters: number;
  readonly lastDeliveredId: EntryId;
  readonly retention: GroupRetention;
  /** In the order of their names, without reserved names: see `released` and `later`. */
  readonly consumers: readonly ConsumerReport[];
}

/** A pause of a whole group that is in force. */
export interface PauseReport extends GroupPause {
  /** Consumers that go on, because they are of an earlier version or not of Redis Batch, in the order of their names. */
  readonly notObeyedBy: readonly string[];
}

/** What pausing a group has done. */
export interface PauseResult extends PauseReport {
  /** The pause that it replaced, perhaps of another person; `null`: there was none. */
  readonly replaced: GroupPause | null;
}

/** The rate of a whole group. */
export interface RateReport extends RateLimit {
  /** Consumers whose options have another rate, in the order of their names: that of the group counts. */
  readonly differing: readonly string[];
}

/** Released messages: pending under a reserved name until any consumer with room claims them. */
export interface ReleasedMessages {
  readonly messages: number;
  /**
   * Milliseconds since the first of them was released. A lower bound, because only some of them are read; `null` if there
   * are none.
   */
  readonly oldestMs: number | null;
}

/** Deferred messages: pending under a reserved name until they are due. */
export interface LaterMessages {
  readonly messages: number;
  /** Milliseconds since the oldest of them was added to the stream; `null` if there are none. */
  readonly oldestAgeMs: number | null;
  /** Milliseconds since the first of them was due, without being claimed; `null` if none is due. */
  readonly overdueMs: number | null;
}

/** The entries of the stream that one group needs. */
export interface GroupRetention {
  /** The group needs no entry before this one: its oldest pending one, or the last it has read. */
  readonly neededFromId: EntryId;
  /** Whether no other group needs an older entry, so that this group decides how far the stream can be trimmed. */
  readonly pins: boolean;
  /**
   * Lower bound of the messages that were removed from the stream before the group had read them; 0 if none are known,
   * `null` if the server does not know how many the group has read.
   */
  readonly unreadLost: number | null;
  /** Whether messages were removed from the stream while they were pending in the group: they cannot be processed. */
  readonly pendingLost: boolean;
}

/** How far a stream can be trimmed, considering all its groups, whichever the monitor watches. */
export interface RetentionReport {
  /** All groups have finished every entry before this one; `null` if there is no group, or no stream. */
  readonly safeId: EntryId | null;
  /** The group that needs the entries from there on; of several, the first by name. */
  readonly pinnedBy: string | null;
  /** Sentences about messages that were removed before they were read or acknowledged. */
  readonly warnings: readonly string[];
}

/**
 * The status of one consumer. The first three are those of the Python original: all is well · more messages are pending
 * than it holds by design · it has not been active for longer than `idleThresholdMs`, or than its lease. The registry
 * adds: `STALLED`, it is alive, but makes no progress · `FAILING`, it fails on messages that other consumers can process ·
 * `PAUSED` · `BACKING OFF`, whole batches failed, and it tries one message at a time · `HELD UP`, it takes no messages for
 * another reason, which `intake` names · `DRAINING`, it is stopping · `LEFT`, it was closed, but its name still exists ·
 * `DEAD`, its heartbeat is older than its lease. Only consumers that have LEFT, are DEAD, or are foreign and idle for
 * longer than `foreignIdleMs` are cleaned up.
 */
export type ConsumerStatus =
  | "OK"
  | "WARNING - too many pending items"
  | "WARNING - idle for long time"
  | "STALLED"
  | "FAILING"
  | "PAUSED"
  | "BACKING OFF"
  | "HELD UP"
  | "DRAINING"
  | "LEFT"
  | "DEAD";

/** One consumer of a group at one moment. */
export interface ConsumerReport {
  readonly consumer: string;
  readonly status: ConsumerStatus;
  /** Why, in words. */
  readonly reason: string;
  /** Whether it is not in the group's registry, so that only the server's data is known. */
  readonly foreign: boolean;
  /**
   * Milliseconds since its last sign of life: for a registered consumer its heartbeat; for a foreign one its last attempt
   * to read (Redis ≥ 7.2, Valkey), or its last read that returned messages (Redis 7.0).
   */
  readonly idleMs: number;
  /** Milliseconds since its last read that returned messages; `null` before the first, and on Redis 7.0. */
  readonly inactiveMs: number | null;
  /** Messages that were delivered to it but not acknowledged. */
  readonly pending: number;
  /** Milliseconds since the oldest of them was added to the stream; `null` if none is pending. */
  readonly oldestPendingAgeMs: number | null;
  /** Messages that its handlers are processing, by its last heartbeat; `null` if it does not report it. */
  readonly inFlight: number | null;
  /** Age of its oldest open batch at its last heartbeat, in milliseconds; `null` if there was none, or it does not report it. */
  readonly oldestInFlightMs: number | null;
  /** `"open"`, or the reason why it takes no messages, by its last heartbeat; `null` if it does not report it. */
  readonly intake: string | null;
  /** Share of the time since the previous pass in which its handlers worked, 0 to 1; `null` if it does not report it. */
  readonly busyShare: number | null;
  /** Maximum number of messages it holds by design; `batchSize` if it does not report it. */
  readonly capacity: number;
  /** How long messages belong to it without a renewal, in milliseconds; `null` for a foreign one. */
  readonly leaseMs: number | null;
  /** The host it runs on, by its last heartbeat; `null` if it does not report it. */
  readonly host: string | null;
  readonly pid: number | null;
  /** The version of Redis Batch that it runs; `null` if it does not report it. */
  readonly version: string | null;
  /** Whether it keeps the order of the whole group (`orderBy`), so that no other consumer may join; `null` if unknown. */
  readonly isAlone: boolean | null;
  /** Messages that wait in it behind an earlier one of their key (`orderBy`); `null` without an order, or if unknown. */
  readonly parked: number | null;
  /** The number of their keys. */
  readonly blockedKeys: number | null;
  /** The partitions that it owns; `null` if it does not say. Only where the stream has partitions. */
  readonly partitions?: readonly number[] | null | undefined;
}
