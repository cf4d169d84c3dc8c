import type { Observer, RedisSource } from "@redis-batch/core";
import { OptionsReader, readService, readStream } from "@redis-batch/core/internal/options";
import type { ScalerEvent } from "./events.ts";
import type { Executor } from "./executor.ts";
import { readScaling, SCALING_OPTIONS, type ScalingOptions, type ScalingPolicy } from "./options.ts";

export interface ScalerOptions extends ScalingOptions {
  /**
   * Where Redis is: a URL (`redis://`, `rediss://`, `unix://`), ioredis options (Sentinel's too), or an ioredis
   * `Redis` or `Cluster`, which is duplicated and never used or closed itself.
   */
  readonly redis: RedisSource;
  /** The stream's key. It need not exist. */
  readonly stream: string;
  /** The consumer group. It need not exist. */
  readonly group: string;
  /**
   * Where the server does not know how many messages wait they are counted, up to so many, 1 to 1,000,000. Default
   * 10,000. Beyond it there are "at least" so many, and no consumer is taken away.
   */
  readonly countLimit?: number | undefined;
  /**
   * How long a consumer that sends no heartbeats may have been idle to count as one that works, in milliseconds, 1,000
   * to 86,400,000. Default 60,000.
   */
  readonly foreignIdleMs?: number | undefined;
  /**
   * How many entries the audit log keeps, about, 100 to 1,000,000. Default 10,000. There are two for every order: that it
   * was given, with all that led to it, and what came of it.
   */
  readonly auditLength?: number | undefined;
  /** How long the first connection may take, in milliseconds, 100 to 600,000. Default 30,000. Later ones are awaited. */
  readonly connectTimeoutMs?: number | undefined;
  /** Receives every event. Without one, trouble is reported as process warnings. */
  readonly observer?: Observer<ScalerEvent> | undefined;
}

/** The values of options that are not given, beside those of {@link SCALING_DEFAULTS}. */
export const SCALER_DEFAULTS = {
  countLimit: 10_000,
  foreignIdleMs: 60_000,
  auditLength: 10_000,
  connectTimeoutMs: 30_000,
} as const;

/** The options, complete and checked. */
export interface ScalerPolicy {
  readonly redis: RedisSource;
  readonly stream: string;
  readonly group: string;
  readonly scaling: ScalingPolicy;
  readonly countLimit: number;
  readonly foreignIdleMs: number;
  readonly auditLength: number;
  readonly connectTimeoutMs: number;
  readonly observer: Observer<ScalerEvent> | undefined;
}

const KNOWN = [
  "redis",
  "stream",
  "group",
  "countLimit",
  "foreignIdleMs",
  "auditLength",
  "connectTimeoutMs",
  "observer",
  ...SCALING_OPTIONS,
] as const satisfies readonly (keyof ScalerOptions)[];

/**
 * Fills in and checks the options.
 *
 * @throws {ConfigError} naming every problem
 */
export function resolveScalerOptions(options: ScalerOptions): ScalerPolicy {
  const reader = new OptionsReader("new Scaler", options, KNOWN);
  const service = readService(reader, options, SCALER_DEFAULTS);
  const stream = readStream(reader);
  return reader.finish({
    ...service,
    stream,
    group: reader.name("group"),
    scaling: readScaling(reader),
    countLimit: reader.integer("countLimit", { default: SCALER_DEFAULTS.countLimit, min: 1, max: 1_000_000 }),
    foreignIdleMs: reader.integer("foreignIdleMs", {
      default: SCALER_DEFAULTS.foreignIdleMs,
      min: 1_000,
      max: 86_400_000,
    }),
    auditLength: reader.integer("auditLength", { default: SCALER_DEFAULTS.auditLength, min: 100, max: 1_000_000 }),
  });
}

export interface RunOptions {
  /** The time between the beginnings of two decisions, in milliseconds, 100 to 3,600,000. Default 5,000. */
  readonly intervalMs?: number | undefined;
  /** Who carries the decisions out. Default: nobody, they are only told (`decided`). */
  readonly executor?: Executor | undefined;
  /**
   * `true`: the executor is only asked what there is, and carries nothing out. Default `false` with an executor; without
   * one there is nobody who could.
   */
  readonly dryRun?: boolean | undefined;
  /**
   * How long another scaler of the group waits for a sign of life of the one that leads before it takes the lead, in
   * milliseconds, 300 to 3,600,000. Default: three intervals, 15,000 at least.
   */
  readonly leaseMs?: number | undefined;
  /** Aborting it ends the run. */
  readonly signal?: AbortSignal | undefined;
}

/** The options of one run, complete and checked. */
export interface RunPolicy {
  readonly intervalMs: number;
  readonly executor: Executor | null;
  readonly isDryRun: boolean;
  readonly leaseMs: number;
  readonly signal: AbortSignal | undefined;
}

/** @throws {ConfigError} naming every problem */
export function resolveRunOptions(options: RunOptions): RunPolicy {
  const reader = new OptionsReader("run", options, ["intervalMs", "executor", "dryRun", "leaseMs", "signal"]);
  const intervalMs = reader.integer("intervalMs", { default: 5_000, min: 100, max: 3_600_000 });
  const leaseMs = reader.integer("leaseMs", { default: Math.max(3 * intervalMs, 15_000), min: 300, max: 3_600_000 });
  // One that misses a look would lose the lead to nobody's advantage.
  if (leaseMs < 2 * intervalMs)
    reader.problem(`leaseMs (${leaseMs}) must not be below twice intervalMs (${intervalMs})`);
  const { executor = null, signal } = options;
  const isDryRun = reader.flag("dryRun", false) || executor === null;
  return reader.finish({ intervalMs, executor, isDryRun, leaseMs, signal });
}
