/** The settings of the processes, as JSON in their first argument. */
import type { ConsumerOptions } from "@redis-batch/consumer";
import type { IntentShares } from "./intent.ts";
import type { TopologyKind } from "./topology/find-master.ts";
import type { Way } from "./topology/link.ts";

export interface ProducerTask {
  readonly url: string;
  /** Its messages go to all of them, by chance. */
  readonly streams: readonly string[];
  /** The stream of which these are the partitions; each message goes to that of its order key. `undefined`: they are none. */
  readonly logical: string | undefined;
  readonly journal: string;
  /** Its keys begin with it. */
  readonly name: string;
  readonly seed: number;
  readonly messages: number;
  readonly perSecond: number;
  readonly shares: IntentShares;
  /** Whether every other message carries an idempotency key, and so may be tried again. */
  readonly keyed: boolean;
  /** How many replicas must have what it confirms. */
  readonly replicas: number;
  readonly giveUpAfterMs: number;
}

/** How a worker gets its batches. */
export type Pull = "run" | "iterate" | "fetch";

export interface WorkerTask {
  /** For those of an earlier version. */
  readonly url: string;
  readonly way: Way;
  /** For those of an earlier version, which read one stream. */
  readonly stream: string;
  readonly streams: readonly string[];
  /** How many partitions the stream has, which are the streams; 0: it has none. */
  readonly partitions: number;
  readonly group: string;
  readonly name: string;
  readonly journal: string;
  /** How long the handler takes for one batch. */
  readonly workMs: number;
  /** How long it blocks the event loop if a message says so. */
  readonly blockMs: number;
  /** How long the handler holds a batch, and for how long it puts a message off, when a message says so. */
  readonly holdMs: number;
  readonly deferMs: number;
  readonly pull: Pull;
  /** Whether the messages of an order key are worked on in order, and those of several keys at once. */
  readonly isOrdered: boolean;
  /** While this file is there, the handler's sink is out of order; it says how. */
  readonly sinkFault: string;
  /** Whether it passes the consumer an existing client whose connections are watched, instead of a URL. */
  readonly isLent: boolean;
  /** Whether the process must survive the round: it throws instead of ending. */
  readonly mustLast: boolean;
  readonly options: Pick<
    ConsumerOptions<unknown>,
    | "batchSize"
    | "concurrency"
    | "maxWaitMs"
    | "maxDeliveries"
    | "maxOutageMs"
    | "maxHoldMs"
    | "leaseMs"
    | "recoverEveryMs"
  >;
}

export interface CanaryTask {
  readonly journal: string;
  readonly everyMs: number;
}

export interface WitnessTask {
  readonly kind: TopologyKind;
  /** The URLs of the servers. */
  readonly nodes: readonly string[];
  readonly sentinels: readonly string[];
  readonly streams: readonly string[];
  readonly group: string;
  readonly journal: string;
  readonly everyMs: number;
}

export interface MonitorTask {
  readonly url: string;
  /** For one of an earlier version, which watches one stream. */
  readonly stream: string;
  readonly streams: readonly string[];
  readonly intervalMs: number;
}

/** How a failed message is redelivered. */
export const RETRY = { baseMs: 20, capMs: 500 } as const;

/** How long a stopping worker waits for its handlers. */
export const DRAIN_MS = 5_000;

/** The exit code of a worker that found its name taken. */
export const NAME_IN_USE = 3;

/** What a worker's process prints when a process manager should restart it: it says itself that it is not live. */
export const NOT_LIVE = "not live";
/** All its handlers have hung for much longer than allowed, but it has not reported it. */
export const STUCK = "stuck";
