/**
 * The options of a monitor, and of its calls. Each is written here, and nowhere else. Also the door to all options of this
 * package as data, only open in the workspace.
 */
import type { CredentialsFunction, Observer } from "@redis-batch/core";
import type { OptionSpecs } from "@redis-batch/core/internal/options";
import type { MonitorEvent } from "./events.ts";

export * from "./alerts/spec.ts";
export * from "./exporters/metrics-spec.ts";
export * from "./exporters/server-spec.ts";

export const MONITOR_SPEC = {
  redis: { kind: "redis" },
  /**
   * Returns user, password or certificates; may be asynchronous. It is called before each connection, so what is rotated
   * takes effect without a restart. Default: those of `redis`.
   */
  credentials: {
    ...{ kind: "function", value: {} as CredentialsFunction, otherwise: "those of `redis`" },
    about:
      "returns user, password or certificates; called [before each connection](../../docs/connecting-credentials.md#rotating-passwords-tokens-and-certificates)",
  },
  /** How long the first connection may take, in milliseconds, 100 to 600,000. Default 30,000. Later ones are awaited. */
  connectTimeoutMs: {
    ...{ kind: "milliseconds", min: 100, max: 600_000, default: 30_000 },
    about: "maximum time for the first connection; reconnecting may take any time",
  },
  /** Receives every event. Without one, what needs attention is reported as process warnings. */
  observer: {
    ...{ kind: "function", value: {} as Observer<MonitorEvent>, otherwise: "process warnings" },
    about: "receives every [event](../../docs/events.md#monitor)",
  },
  /** The stream's key. */
  stream: { kind: "stream", required: true, about: "the stream's key" },
  /** The one consumer group to watch. Give this, or `groups: "all"`. */
  group: { kind: "name", about: "the consumer group to watch; set this or `groups`" },
  /** `"all"`: every group the stream has, looked up in each pass. */
  groups: { kind: "choice", choices: ["all"], about: "every group of the stream" },
  /**
   * How many messages a consumer may have pending that does not tell its capacity, 1 to 1,000,000. Default 100. The
   * `batchSize` of such consumers: above it they are reported with "too many pending items".
   */
  batchSize: {
    ...{ kind: "integer", min: 1, max: 1_000_000, default: 100 },
    about: "pending messages that a consumer may have if it does not report its capacity",
  },
  /**
   * How long a foreign consumer may be idle before that is worth a warning, in milliseconds, 100 to 86,400,000. Default
   * 60,000. Registered consumers are judged by their heartbeat and their own lease instead.
   */
  idleThresholdMs: {
    ...{ kind: "milliseconds", min: 100, max: 86_400_000, default: 60_000 },
    about: "idle time after which a consumer that is not of Redis Batch gets a warning",
  },
  /**
   * How long a foreign consumer, and each of its messages, must have been idle before the clean-up takes the message
   * away, in milliseconds, 1,000 to 86,400,000. Default 600,000, or `idleThresholdMs` if that is longer; not below it. Must be
   * longer than such a consumer ever works on one.
   */
  foreignIdleMs: {
    ...{ kind: "milliseconds", min: 1_000, max: 86_400_000, default: 600_000 },
    about: "idle time after which such a consumer counts as dead, and its messages may be released",
  },
  /**
   * What becomes of what the dead left: `"registered"` (default), it is released where a registered consumer works, which
   * takes it as it has room; `"any"`, where there is none it is handed to foreign ones that are not idle as well.
   */
  handOverTo: {
    kind: "choice",
    choices: ["registered", "any"],
    default: "registered",
    about:
      'who gets the messages of dead consumers; with `"any"` also consumers that are not of Redis Batch, if there is no other',
  },
  /**
   * How long the connection must have stood before anything is released or removed, in milliseconds, 0 to 3,600,000.
   * Default: `idleThresholdMs` for what foreign consumers left, because right after an outage everybody looks idle; nothing
   * for registered ones, whose heartbeats are watched while the connection stands.
   */
  graceMs: {
    ...{
      kind: "milliseconds",
      min: 0,
      max: 3_600_000,
      otherwise: "`idleThresholdMs` for consumers that are not of Redis Batch, else 0",
    },
    about: "time that the connection must have lasted before anything is released or removed",
  },
  /**
   * How many passes the trend is judged from, 5 to 1,000. Default 75, which sees an overload of 10 % through noise of ±20 %.
   * Fewer see only what grows clearly, and sooner.
   */
  historyLength: {
    kind: "integer",
    min: 5,
    max: 1_000,
    default: 75,
    about: "passes from which the trend is calculated",
  },
  /**
   * How many entries are counted at most where the server does not know a group's backlog, 0 to 100,000. Default 1,000.
   * Beyond it the report says "at least". Counting reads the entries, payloads and all, at most 4 MiB of them.
   */
  countLimit: {
    ...{ kind: "integer", min: 0, max: 100_000, default: 1_000 },
    about: "maximum entries to count if the server does not know the backlog; at most 4 MiB of them",
  },
} as const satisfies OptionSpecs;

export const CLEAN_UP_SPEC = {
  /** `true`: only says what would be done. Default `false`. */
  dryRun: { kind: "flag", default: false, about: "only report what would be done" },
  /** Aborting it ends the clean-up after the page it is at; the report says how far it came. */
  signal: { kind: "signal", about: "ends the clean-up when it is aborted" },
} as const satisfies OptionSpecs;

export const TRIM_SPEC = {
  /** `true`: only says how far the stream could be trimmed. Default `false`. */
  dryRun: { kind: "flag", default: false, about: "only report how far the stream could be trimmed" },
  /** Aborting it ends the trimming after the step it is at. */
  signal: { kind: "signal", about: "ends the trimming when it is aborted" },
} as const satisfies OptionSpecs;

export const RUN_SPEC = {
  /** The time between the beginnings of two passes, in milliseconds, 100 to 3,600,000. Default 5,000. */
  intervalMs: {
    ...{ kind: "milliseconds", min: 100, max: 3_600_000, default: 5_000 },
    about: "time between passes",
  },
  /** Whether a leader cleans up after each pass. Default `false`. */
  autoCleanUp: { kind: "flag", default: false, about: "release the messages of dead consumers after each pass" },
  /** Whether a leader trims the stream to the safe point after each pass. Default `false`. */
  autoTrim: { kind: "flag", default: false, about: "delete entries that every group has finished after each pass" },
  /** Aborting it ends the run after the page it is at. */
  signal: { kind: "signal", about: "ends the run when it is aborted" },
} as const satisfies OptionSpecs;

export const PAUSE_SPEC = {
  /** The group to pause. Default: the monitor's `group`; required if it watches all groups. */
  group: { kind: "name", otherwise: "the monitor's `group`", about: "the group to pause" },
  /** Who pauses it: a person or a program, in up to 200 characters. Everything that reports the pause names it. */
  by: { kind: "text", required: true, about: "who pauses it, as every report names it" },
  /** Why, in words, for those who find the group paused; up to 1,000 characters. */
  reason: { kind: "text", about: "why, in words" },
  /** After how long it ends by itself, by the server's clock, in milliseconds, 1,000 to 31,536,000,000. Default: never. */
  forMs: {
    ...{ kind: "milliseconds", min: 1_000, max: 31_536_000_000, otherwise: "until it is resumed" },
    about: "time after which the pause ends by itself",
  },
} as const satisfies OptionSpecs;

export const RESUME_SPEC = {
  /** The group to resume. Default: the monitor's `group`; required if it watches all groups. */
  group: { kind: "name", otherwise: "the monitor's `group`", about: "the group to resume" },
} as const satisfies OptionSpecs;
