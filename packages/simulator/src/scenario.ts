/** What happens to a group in a simulated run. All times in seconds, because that is what a trace is drawn in. */

/** A quantity that scatters: its mean, and the coefficient of variation. */
export interface Scatter {
  /** In seconds. */
  readonly mean: number;
  readonly variation: number;
}

/** Consumers that crash. */
export interface Crash {
  /** When, in seconds. */
  readonly at: number;
  /** Which share of the consumers; or one of them. */
  readonly share: number | "one";
}

/**
 * A trace: what arrives, what it costs, and what goes wrong meanwhile. All times are in seconds. Take the rest from
 * `SCENARIO_DEFAULTS`, or make a trace from recorded rates with `traceScenario`.
 */
export interface Scenario {
  /** Its name. It is part of the seed: runs under another name draw other random numbers. */
  readonly name: string;
  /** A description in a few words. */
  readonly title: string;
  /** How long it is. */
  readonly seconds: number;
  /** How long a message may take from its arrival to its acknowledgement. */
  readonly objective: number;
  /** The minimum number of consumers; 0 only for policies that can come back from it. */
  readonly minConsumers: number;
  /** The maximum number of consumers. */
  readonly maxConsumers: number;
  /** Consumers that work when it begins. */
  readonly firstConsumers: number;
  /** Messages in a full batch. */
  readonly batchSize: number;
  /** How long a consumer collects a batch that is not full (`maxWaitMs`). */
  readonly linger: number;
  /** Batches that a consumer reads ahead while its batches take no longer than `linger`, or a second. */
  readonly prefetch: number;
  /** The time between two heartbeats of a consumer. What it tells is up to that old. */
  readonly heartbeatSeconds: number;
  /** Partitions of the stream, each of which has one owner; `null`: none. */
  readonly partitions: number | null;
  /** What each batch costs beside its messages. */
  readonly overhead: number;
  /** What each message costs beside that. */
  readonly work: Scatter;
  /** From the order until a consumer works. */
  readonly startUp: Scatter;
  /** A new consumer takes this many times as long, for this many seconds. */
  readonly warmUp: { readonly seconds: number; readonly factor: number };
  /** How much faster or slower than the mean a consumer is at most. */
  readonly unlikeness: number;
  /** How long a consumer that must stop may take to finish its batch. */
  readonly grace: number;
  /** How long a message of a dead consumer is left alone. */
  readonly leaseSeconds: number;
  /** How often a message that fails is tried. */
  readonly maxDeliveries: number;
  /** Messages per second at a time. */
  readonly rate: (at: number, seed: number) => number;
  /** How much the rate itself drifts, as a share of it. */
  readonly drift: number;
  /** Many messages at once, now and then; `null`: none. */
  readonly bursts: {
    /** The mean time between two. */
    readonly every: number;
    /** The fewest and the most of one. */
    readonly messages: readonly [number, number];
    /** The shortest and the longest. */
    readonly seconds: readonly [number, number];
  } | null;
  /** How many times as long all work takes at a time. */
  readonly slowdown: (at: number) => number;
  /** Messages per second that the system behind the consumers can take; `Infinity`: no limit. */
  readonly downstream: (at: number) => number;
  /** Consumers that crash. */
  readonly crashes: readonly Crash[];
  /** How long the platform takes to notice a crash and start a new consumer. */
  readonly restartAfter: number;
  /** Messages that fail every time: when, how many of them, and how long each attempt takes; `null`: none. */
  readonly poison: {
    readonly from: number;
    readonly to: number;
    readonly share: number;
    readonly seconds: number;
  } | null;
  /** When the server does not know the lag. */
  readonly isLagUnknown: (at: number) => boolean;
  /** When no heartbeat reaches the server. */
  readonly isSilent: (at: number) => boolean;
  /** When the scaler is restarted, with nothing but its saved state. */
  readonly scalerRestarts: readonly number[];
  /** When stream and group are deleted and created again; `Infinity`: never. */
  readonly recreatedAt: number;
}
