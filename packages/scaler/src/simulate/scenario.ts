/** What happens to a group in a simulated run. All times in seconds, because that is what a trace is drawn in. */

/** A quantity that scatters: its mean, and the coefficient of variation. */
export interface Scatter {
  readonly mean: number;
  readonly variation: number;
}

export interface Crash {
  readonly at: number;
  /** Which share of the consumers; or one of them. */
  readonly share: number | "one";
}

export interface Scenario {
  readonly name: string;
  /** What it is about, in a few words. */
  readonly title: string;
  readonly seconds: number;
  /** How long a message may take from its arrival to its acknowledgement. */
  readonly objective: number;
  readonly minConsumers: number;
  readonly maxConsumers: number;
  readonly firstConsumers: number;
  readonly batchSize: number;
  /** How long a batch that is not full is waited for. */
  readonly linger: number;
  /** What each batch costs beside its messages. */
  readonly overhead: number;
  /** What each message costs. */
  readonly work: Scatter;
  readonly startUp: Scatter;
  /** A new consumer takes so many times as long for so many seconds. */
  readonly warmUp: { readonly seconds: number; readonly factor: number };
  /** How much faster or slower than the mean a consumer is at most. */
  readonly unlikeness: number;
  /** How long a consumer that shall go may finish its batch. */
  readonly grace: number;
  /** How long a message of a dead consumer is left alone. */
  readonly leaseSeconds: number;
  readonly maxDeliveries: number;
  /** Messages per second at a time. */
  readonly rate: (at: number, seed: number) => number;
  /** How much the rate itself drifts, as a share of it. */
  readonly drift: number;
  readonly bursts: {
    readonly every: number;
    readonly messages: readonly [number, number];
    readonly seconds: readonly [number, number];
  } | null;
  /** How many times as long all work takes at a time. */
  readonly slowdown: (at: number) => number;
  /** Messages per second that what lies after the consumers can take; `Infinity`: no limit. */
  readonly downstream: (at: number) => number;
  readonly crashes: readonly Crash[];
  /** How long the platform takes to notice a crash and start anew. */
  readonly restartAfter: number;
  /** Messages that fail every time: when, how many of them, and how long each attempt takes. */
  readonly poison: {
    readonly from: number;
    readonly to: number;
    readonly share: number;
    readonly seconds: number;
  } | null;
  /** When the server does not know the lag. */
  readonly isLagUnknown: (at: number) => boolean;
  /** When no heartbeat gets through. */
  readonly isSilent: (at: number) => boolean;
  /** When the scaler is started anew and has only what it had saved. */
  readonly scalerRestarts: readonly number[];
  /** When stream and group are made anew; `Infinity`: never. */
  readonly recreatedAt: number;
}
