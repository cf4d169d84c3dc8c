/** What is known about a group at one moment: the input of a decision, beside its own memory. */
import type { GroupPause } from "@redis-batch/core";
import type { WorkCounters } from "@redis-batch/core/internal/groups";
import type { ObservedRate } from "./decisions/rate-limit.ts";

export type { ObservedRate, WorkCounters };

/** A consumer, as its last heartbeat reported. */
export interface ObservedConsumer {
  readonly name: string;
  /** Distinguishes successive processes with the same name. */
  readonly incarnation: string;
  /** Messages in a full batch. */
  readonly batchSize: number;
  /** Batches that it may process at the same time. */
  readonly concurrency: number;
  /** `null` if it does not report them. */
  readonly counters: WorkCounters | null;
}

/** The group, its consumers, and the ordered number. Unknown values are `null`, never 0. */
export interface Observation {
  /** The pause of the whole group; `null` or left out: it is not paused. */
  readonly pause?: GroupPause | null;
  /** The rate that its consumers share; `null` or left out: there is none. */
  readonly rateLimit?: ObservedRate | null;
  /** Entries that were ever added to the stream. */
  readonly added: number;
  /** Entries that the group has read; `null` if the server does not know. */
  readonly read: number | null;
  /** Entries of the stream that the group has not read yet; `null` if unknown. */
  readonly waiting: number | null;
  /** Whether more may be waiting, because counting stopped at its limit. */
  readonly isWaitingAtLeast: boolean;
  /** How long the oldest of them has been waiting, in milliseconds; `null` if none is, or if unknown. */
  readonly oldestWaitingMs: number | null;
  /** Messages that any consumer claims as soon as it has room: released ones, and deferred ones that are due. */
  readonly released: number;
  /**
   * Messages that were delivered but not acknowledged, without released ones and those that are deferred until later.
   */
  readonly pending: number;
  /** Those among them that a consumer may claim from a dead one at once. */
  readonly reclaimable: number;
  /** The wanted number of consumers: the last order, or, without orders, the current number. */
  readonly current: number;
  /** Active consumers. One that has just died may be among them. */
  readonly ready: number;
  /** How long ago each consumer that is not ready was ordered, in milliseconds. */
  readonly startingMs: readonly number[];
  /** Those that should work, but whose heartbeat is overdue. */
  readonly lost: number;
  /** The latest start-up times, from the order until they worked, in milliseconds, the newest last. */
  readonly startUpsMs: readonly number[];
  /** How many of the active consumers are busy on other streams, by the share of their handlers' time; a fraction. */
  readonly elsewhere: number;
  /**
   * Whether the group has a consumer that must be the only one, because it keeps messages in order for the whole group
   * (`orderBy`). `null`: no consumer is registered that could say so.
   */
  readonly isAlone: boolean | null;
  /** How many partitions the stream has; `null`: none. */
  readonly partitions: number | null;
  /**
   * Those with a fresh heartbeat, and those that left since the last pass, because their last work would otherwise be
   * missing. None if consumers send no heartbeats.
   */
  readonly consumers: readonly ObservedConsumer[];
}
