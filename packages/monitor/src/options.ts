import type { Observer, RedisSource } from "@redis-batch/core";
import { OptionsReader, readService, readStream } from "@redis-batch/core/internal/options";
import type { MonitorEvent } from "./events.ts";

export interface MonitorOptions {
  /**
   * Where Redis is: a URL (`redis://`, `rediss://`, `unix://`), ioredis options (Sentinel's too), or an ioredis
   * `Redis` or `Cluster`, which is duplicated and never used or closed itself.
   */
  readonly redis: RedisSource;
  /** The stream's key. */
  readonly stream: string;
  /** The one consumer group to watch. Give this, or `groups: "all"`. */
  readonly group?: string | undefined;
  /** `"all"`: every group the stream has, looked up at each look. */
  readonly groups?: "all" | undefined;
  /**
   * How many messages a consumer may have pending that does not tell its capacity, 1 to 1,000,000. Default 100. The
   * `batchSize` of such consumers: above it they are reported with "too many pending items".
   */
  readonly batchSize?: number | undefined;
  /**
   * How long a foreign consumer may be idle before that is worth a warning, in milliseconds, 100 to 86,400,000. Default
   * 60,000. Registered consumers are judged by their heartbeat and their own lease instead.
   */
  readonly idleThresholdMs?: number | undefined;
  /**
   * How long a foreign consumer, and each of its messages, must have been idle before the clean-up takes the message
   * away, in milliseconds, 1,000 to 86,400,000. Default 600,000. Must be longer than such a consumer ever works on one.
   */
  readonly foreignIdleMs?: number | undefined;
  /**
   * What becomes of what the dead left: `"registered"` (default), it is released where a registered consumer works, which
   * takes it as it has room; `"any"`, where there is none it is handed to foreign ones that are not idle as well.
   */
  readonly handOverTo?: "registered" | "any" | undefined;
  /**
   * How long the connection must have stood before anything is released or removed, in milliseconds, 0 to 3,600,000.
   * Default: `idleThresholdMs` for what foreign consumers left, because right after an outage everybody looks idle; nothing
   * for registered ones, whose heartbeats are watched while the connection stands.
   */
  readonly graceMs?: number | undefined;
  /**
   * How many looks the trend is judged from, 5 to 1,000. Default 75, which sees an overload of 10 % through noise of ±20 %.
   * Fewer see only what grows clearly, and sooner.
   */
  readonly historyLength?: number | undefined;
  /**
   * How many entries are counted at most where the server does not know a group's backlog, 0 to 100,000. Default 1,000.
   * Beyond it the report says "at least". Counting reads the entries, payloads and all, at most 4 MiB of them.
   */
  readonly countLimit?: number | undefined;
  /** How long the first connection may take, in milliseconds, 100 to 600,000. Default 30,000. Later ones are awaited. */
  readonly connectTimeoutMs?: number | undefined;
  /** Receives every event. Without one, what needs attention is reported as process warnings. */
  readonly observer?: Observer<MonitorEvent> | undefined;
}

/** The values of options that are not given. */
export const MONITOR_DEFAULTS = {
  batchSize: 100,
  idleThresholdMs: 60_000,
  foreignIdleMs: 600_000,
  handOverTo: "registered",
  historyLength: 75,
  countLimit: 1_000,
  connectTimeoutMs: 30_000,
} as const;

/** The options, complete and checked. */
export interface MonitorPolicy {
  readonly redis: RedisSource;
  readonly stream: string;
  /** `null`: all groups. */
  readonly group: string | null;
  readonly batchSize: number;
  readonly idleThresholdMs: number;
  readonly foreignIdleMs: number;
  readonly handOverTo: "registered" | "any";
  /** `null`: what the kind of consumer asks for. */
  readonly graceMs: number | null;
  readonly historyLength: number;
  readonly countLimit: number;
  readonly connectTimeoutMs: number;
  readonly observer: Observer<MonitorEvent> | undefined;
}

const KNOWN = [
  "redis",
  "stream",
  "group",
  "groups",
  "batchSize",
  "idleThresholdMs",
  "foreignIdleMs",
  "handOverTo",
  "graceMs",
  "historyLength",
  "countLimit",
  "connectTimeoutMs",
  "observer",
] as const satisfies readonly (keyof MonitorOptions)[];

/**
 * Fills in and checks the options.
 *
 * @throws {ConfigError} naming every problem
 */
export function resolveMonitorOptions(options: MonitorOptions): MonitorPolicy {
  const reader = new OptionsReader("new Monitor", options, KNOWN);
  const service = readService(reader, options, MONITOR_DEFAULTS);
  const stream = readStream(reader);
  const idleThresholdMs = reader.integer("idleThresholdMs", {
    default: MONITOR_DEFAULTS.idleThresholdMs,
    min: 100,
    max: 86_400_000,
  });
  const foreignIdleMs = reader.integer("foreignIdleMs", {
    default: Math.max(MONITOR_DEFAULTS.foreignIdleMs, idleThresholdMs),
    min: 1_000,
    max: 86_400_000,
  });
  if (foreignIdleMs < idleThresholdMs) {
    reader.problem(`foreignIdleMs (${foreignIdleMs}) must not be below idleThresholdMs (${idleThresholdMs})`);
  }
  return reader.finish({
    ...service,
    stream,
    group: resolveGroup(reader),
    batchSize: reader.integer("batchSize", { default: MONITOR_DEFAULTS.batchSize, min: 1, max: 1_000_000 }),
    idleThresholdMs,
    foreignIdleMs,
    handOverTo: reader.oneOf("handOverTo", ["registered", "any"], MONITOR_DEFAULTS.handOverTo),
    graceMs: reader.has("graceMs") ? reader.integer("graceMs", { default: 0, min: 0, max: 3_600_000 }) : null,
    historyLength: reader.integer("historyLength", { default: MONITOR_DEFAULTS.historyLength, min: 5, max: 1_000 }),
    countLimit: reader.integer("countLimit", { default: MONITOR_DEFAULTS.countLimit, min: 0, max: 100_000 }),
  });
}

function resolveGroup(reader: OptionsReader): string | null {
  if (!reader.has("groups")) {
    if (reader.has("group")) return reader.name("group");
    reader.problem('give group, or groups: "all"');
    return null;
  }
  if (reader.has("group")) reader.problem("group and groups exclude each other; give one");
  reader.oneOf("groups", ["all"], "all");
  return null;
}

export interface CleanUpOptions {
  /** `true`: only says what would be done. Default `false`. */
  readonly dryRun?: boolean | undefined;
  /** Aborting it ends the clean-up after the page it is at; the report says how far it came. */
  readonly signal?: AbortSignal | undefined;
}

export interface TrimOptions {
  /** `true`: only says how far the stream could be trimmed. Default `false`. */
  readonly dryRun?: boolean | undefined;
  /** Aborting it ends the trimming after the step it is at. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * The options of a clean-up, or of trimming, complete and checked.
 *
 * @throws {ConfigError} naming every problem
 */
export function resolveCleanUpOptions(
  subject: string,
  options: CleanUpOptions | TrimOptions,
): { readonly dryRun: boolean; readonly signal: AbortSignal | undefined } {
  const reader = new OptionsReader(subject, options, ["dryRun", "signal"]);
  return reader.finish({ dryRun: reader.flag("dryRun", false), signal: options.signal });
}

export interface RunOptions {
  /** The time between the beginnings of two looks, in milliseconds, 100 to 3,600,000. Default 5,000. */
  readonly intervalMs?: number | undefined;
  /** Whether a leader cleans up after each look. Default `false`. */
  readonly autoCleanUp?: boolean | undefined;
  /** Whether a leader trims the stream to the safe point after each look. Default `false`. */
  readonly autoTrim?: boolean | undefined;
  /** Aborting it ends the run after the page it is at. */
  readonly signal?: AbortSignal | undefined;
}

/** The values of options of `run` that are not given. */
export const RUN_DEFAULTS = { intervalMs: 5_000, autoCleanUp: false, autoTrim: false } as const;

/** The options of one run, complete and checked. */
export interface RunPolicy {
  readonly intervalMs: number;
  readonly autoCleanUp: boolean;
  readonly autoTrim: boolean;
  readonly signal: AbortSignal | undefined;
}

/** @throws {ConfigError} naming every problem */
export function resolveRunOptions(options: RunOptions): RunPolicy {
  const reader = new OptionsReader("run", options, ["intervalMs", "autoCleanUp", "autoTrim", "signal"]);
  return reader.finish({
    intervalMs: reader.integer("intervalMs", { default: RUN_DEFAULTS.intervalMs, min: 100, max: 3_600_000 }),
    autoCleanUp: reader.flag("autoCleanUp", RUN_DEFAULTS.autoCleanUp),
    autoTrim: reader.flag("autoTrim", RUN_DEFAULTS.autoTrim),
    signal: options.signal,
  });
}
