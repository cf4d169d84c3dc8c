/** What is known about a group at one moment: all that a decision looks at, beside its own memory. */
import type { WorkCounters } from "@redis-batch/core/internal";

export type { WorkCounters };

/** A consumer as its last heartbeat told. */
export interface ObservedConsumer {
  readonly name: string;
  /** Tells one process behind the name from the next. */
  readonly incarnation: string;
  /** Messages in a full batch of it. */
  readonly batchSize: number;
  /** Batches it may work on at the same time. */
  readonly concurrency: number;
  /** `null` when it does not tell. */
  readonly counters: WorkCounters | null;
}

/** The group, its consumers, and what was ordered. Everything that is not known is `null`, never 0. */
export interface Observation {
  /** Entries the stream was ever given. */
  readonly added: number;
  /** Entries the group has read; `null` when the server does not know. */
  readonly read: number | null;
  /** Entries of the stream that the group has not read yet; `null` when nobody knows. */
  readonly waiting: number | null;
  /** Whether there may be more waiting than that: counting ended before the end. */
  readonly isWaitingAtLeast: boolean;
  /** How long the oldest of them has been waiting, in milliseconds; `null` when none is, or it is not known. */
  readonly oldestWaitingMs: number | null;
  /** Messages that any consumer takes as soon as it has room: released ones, and ones deferred whose time has come. */
  readonly released: number;
  /**
   * Messages that were delivered and are not acknowledged. The released ones are not among them, nor are those that are
   * deferred until later.
   */
  readonly pending: number;
  /** Those among them that a consumer may take over from a dead one at once. */
  readonly reclaimable: number;
  /** Consumers there shall be: what was ordered last, or where nobody orders, those that are there. */
  readonly current: number;
  /** Those that work. One that was lost a moment ago may be among them. */
  readonly ready: number;
  /** How long ago each that is not ready was ordered, in milliseconds. */
  readonly startingMs: readonly number[];
  /** Those that ought to work, and have been silent for longer than their heartbeat lasts. */
  readonly lost: number;
  /** How long the latest ones took from the order until they worked, in milliseconds, the last one last. */
  readonly startUpsMs: readonly number[];
  /**
   * Those whose heartbeat is fresh, and those that left since the last look, whose last work would be missing otherwise.
   * None where consumers send no heartbeats.
   */
  readonly consumers: readonly ObservedConsumer[];
}
