/** What is measured of one contender in one round. */

/** In the order in which they are shown. */
export const METRICS = [
  "client CPU µs/message",
  "server CPU µs/message",
  "client / server CPU",
  "client CPU ms/s",
  "server CPU ms/s",
  "commands/s",
  "commands/1,000 messages",
  "connections",
  "messages/s",
  "latency p50 ms",
  "latency p99 ms",
  "full batches",
  "peak RSS MB",
  "RSS growth",
  "wall ms",
  "longest call ms",
  "server ms/100 messages",
] as const;

export type Metric = (typeof METRICS)[number];

/** Shown only by scenarios that are about them. */
export const RARE: readonly Metric[] = [
  "client CPU ms/s",
  "server CPU ms/s",
  "commands/s",
  "commands/1,000 messages",
  "connections",
];

export type Figures = Readonly<Partial<Record<Metric, number>>>;

/** What is compared with a target: ours alone, ours divided by the reference's, or ours less the reference's. */
export type Measure = "ours" | "ratio" | "difference";

export interface Target {
  readonly metric: Metric;
  readonly of: Measure;
  readonly bound: "at most" | "at least";
  readonly value: number;
}
