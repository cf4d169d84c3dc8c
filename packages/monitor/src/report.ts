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
 * The health of a consumer group, judged from the trend of several looks: `OK` · `FALLING BEHIND`, it works, and what waits
 * grows · `STALLED`, its consumers live, and nothing moves · `STOPPED`, there is work, and nobody does it, because no
 * consumer is there or all of them are paused · `FAILING`, most of what it finishes goes to the dead letters, or its
 * consumers get no batch done · `REWOUND`, its position was set back, and it has not come to where it was · `AHEAD`, its
 * position is ahead of the stream, so that what is added is not delivered · `UNKNOWN`, too little is known to say.
 */
export type GroupHealth = "OK" | "FALLING BEHIND" | "STALLED" | "STOPPED" | "FAILING" | "REWOUND" | "AHEAD" | "UNKNOWN";

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
  /**
   * Milliseconds the oldest message has waited that could be offered at this moment: in the stream, released, deferred
   * until a time that has passed, or read ahead by a consumer, as far as it says. `null` when there is none, or it is not
   * known.
   */
  readonly oldestOfferableMs: number | null;
  readonly released: ReleasedMessages;
  readonly later: LaterMessages;
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
  /** In the order of their names, those of the names that are no consumers left out: see `released` and `later`. */
  readonly consumers: readonly ConsumerReport[];
}

/** Pending messages that nobody holds, under a name that is no consumer: whoever has room takes them. */
export interface ReleasedMessages {
  readonly messages: number;
  /**
   * Milliseconds since the first of them was released, at least, because only some of them are looked at; `null` when
   * there is none.
   */
  readonly oldestMs: number | null;
}

/** Pending messages that were deferred for longer, under a name that is no consumer, until their time comes. */
export interface LaterMessages {
  readonly messages: number;
  /** Milliseconds since the oldest of them was added to the stream; `null` when there is none. */
  readonly oldestAgeMs: number | null;
  /** Milliseconds since the time of the first of them came, and nobody took it up; `null` when that of none has. */
  readonly overdueMs: number | null;
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
  /** Every entry before this one is finished in every group; `null` when there is no group, or no stream. */
  readonly safeId: EntryId | null;
  /** The group that needs what comes from there on; of several, the first by name. */
  readonly pinnedBy: string | null;
  /** Sentences about messages that were removed before they were read or acknowledged. */
  readonly warnings: readonly string[];
}

/**
 * The state of one consumer. The first three are the words of the original: all is well · more is pending than it can
 * hold on purpose · it was not heard of for longer than `idleThresholdMs`, or than its lease. What the registry adds:
 * `STALLED`, it lives, and its work does not move · `FAILING`, it fails on what other consumers can do · `PAUSED` ·
 * `BACKING OFF`, its batches failed whole, and it tries one message at a time · `HELD UP`, it takes nothing for another
 * reason, which `intake` names · `DRAINING`, it is stopping · `LEFT`, it was closed, and its name is still there · `DEAD`,
 * its heartbeat is older than its lease. Only what has LEFT, is DEAD, or is foreign and idle beyond `foreignIdleMs`, is
 * cleaned up.
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
  /** Milliseconds its oldest open batch was open at its last heartbeat; `null` when none was, or it does not say. */
  readonly oldestInFlightMs: number | null;
  /** `"open"`, or the name of what holds its intake up, by its last heartbeat; `null` when it does not say. */
  readonly intake: string | null;
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
