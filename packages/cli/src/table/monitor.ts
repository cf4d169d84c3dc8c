import { DASHBOARD_SERVER_SPEC } from "@redis-batch/dashboard/spec";
import { METRICS_SERVER_SPEC, MONITOR_SPEC, RUN_SPEC } from "@redis-batch/monitor/spec";
import { flagOf } from "../command-line/flag-of.ts";
import { defineCommand, defineOptions } from "../command-line/spec.ts";
import { CHECK_CODES } from "../decisions/check.ts";
import { PLAN_OPTIONS, STREAMS_OPTIONS, WATCH_OPTIONS } from "./shared.ts";

const STREAM = { name: "stream", isName: true, about: "the stream's key" } as const;
const WATCHED = { ...STREAM, forSeveral: "call it once for each, or look at them in `redis-batch dashboard`" } as const;
const GROUP = { name: "group", isName: true, about: "the consumer group" } as const;

const JUDGING = defineOptions({
  "idle-threshold": flagOf(MONITOR_SPEC.idleThresholdMs),
  "foreign-idle": flagOf(MONITOR_SPEC.foreignIdleMs, {
    about: "idle time after which a consumer that is not of Redis Batch counts as dead",
  }),
});

export const monitor = defineCommand({
  path: ["monitor"],
  summary: "Show the health of a group and its consumers",
  about: [
    "Shows it once, or with --watch until Ctrl-C. On a terminal, --watch uses the whole screen, with the keys p (pause), c (clean up) and q (quit); elsewhere it prints a line per pass, with --json a line of JSON. Rates and the trend need more than one pass. --watch waits for a stream and a group that do not exist yet, and shows how old its data is when the server does not answer.",
  ],
  args: [
    WATCHED,
    { ...GROUP, optional: true, about: "the consumer group; without it, the groups to choose from are named" },
  ],
  options: {
    ...JUDGING,
    ...WATCH_OPTIONS,
    "auto-cleanup": {
      kind: "flag",
      about: "hand over the messages of dead consumers while this runs; implies --watch",
    },
  },
  examples: [
    { line: "redis-batch monitor orders billing", does: "one snapshot" },
    { line: "redis-batch monitor orders billing --watch", does: "live" },
    { line: "redis-batch monitor orders billing --watch --json >> billing.ndjson", does: "a log of snapshots" },
  ],
  connects: true,
  drains: true,
});

export const status = defineCommand({
  path: ["status"],
  summary: "Show all groups of all streams, the worst first",
  about: [
    "Exits with 0 if all groups are well, with 1 if one is not: FALLING BEHIND, REWOUND, PAUSED, STALLED, STOPPED, FAILING or AHEAD. Rates and trends need --watch. Looks at up to --limit streams, over one connection.",
  ],
  args: [],
  options: { ...STREAMS_OPTIONS, ...WATCH_OPTIONS },
  examples: [
    { line: "redis-batch status", does: "all groups" },
    { line: "redis-batch status --match 'orders*' -o ndjson", does: "a line of JSON for each group" },
  ],
  connects: true,
  drains: true,
});

export const top = defineCommand({
  path: ["top"],
  summary: "Show all groups live, with keys",
  about: [
    "Uses the whole terminal: ↑ ↓ (or j k) select a group, Enter shows its consumers, Esc goes back; s sorts (worst, waiting, age, name), p pauses the display, q quits. Elsewhere the same as `status --watch`.",
  ],
  args: [],
  options: { ...STREAMS_OPTIONS, interval: flagOf(RUN_SPEC.intervalMs, { default: "2s" }) },
  examples: [{ line: "redis-batch top --match 'orders*'", does: "some of them, live" }],
  connects: true,
  drains: true,
});

export const serve = defineCommand({
  path: ["monitor", "serve"],
  summary: "Serve metrics and probes of a stream's groups over HTTP",
  about: [
    "/metrics for Prometheus, /healthz and /readyz for orchestrators. If several run for one stream, one of them cleans up and trims.",
    "With --ui it also serves the web page of `dashboard` for this stream. The page has a port of its own, because metrics are often open to a network: it answers only this machine, and only shows.",
  ],
  args: [STREAM, { ...GROUP, optional: true }],
  options: {
    ...JUDGING,
    port: flagOf(METRICS_SERVER_SPEC.port, { default: 9472 }),
    host: flagOf(METRICS_SERVER_SPEC.host, { value: "address" }),
    "token-file": { kind: "text", value: "path", about: "a file with the token that /metrics requires" },
    ui: { kind: "flag", about: "also serve the dashboard of the stream, to this machine" },
    "ui-port": flagOf(DASHBOARD_SERVER_SPEC.port, { about: "the port of the dashboard; 0 picks a free one" }),
    interval: flagOf(RUN_SPEC.intervalMs),
    "auto-cleanup": flagOf(RUN_SPEC.autoCleanUp),
    "auto-trim": flagOf(RUN_SPEC.autoTrim),
  },
  examples: [
    { line: "redis-batch monitor serve orders --auto-cleanup", does: "every group of orders, on port 9472" },
    { line: "redis-batch monitor serve orders --ui", does: "with the dashboard, on http://127.0.0.1:9473" },
  ],
  connects: true,
  drains: true,
});

export const cleanup = defineCommand({
  path: ["cleanup"],
  summary: "Release the messages of dead consumers, and remove their names",
  about: [
    "Releases the messages of consumers whose heartbeat has stopped. Delivery counts are kept, and any consumer with room claims the messages. A name is removed once nothing is pending under it. Takes no message with a live lease. Watches a late heartbeat for up to 15 s before the consumer counts as dead. Consumers that are not of Redis Batch have no heartbeat: they count as dead when they have been idle for --foreign-idle, and `reassign` releases their messages sooner. All of them look dead right after an outage: --wait gives them time to come back. Exits with 0 even if messages stay: the table says why, and the next cleanup tries again.",
  ],
  args: [STREAM, { ...GROUP, optional: true }],
  options: {
    ...JUDGING,
    "to-any": {
      kind: "flag",
      about: "hand messages over to consumers that are not of Redis Batch, if there is no other",
    },
    wait: flagOf(MONITOR_SPEC.graceMs, { default: "0", about: "stay connected for this long first" }),
    ...PLAN_OPTIONS,
  },
  examples: [
    { line: "redis-batch cleanup orders billing", does: "show the plan" },
    { line: "redis-batch cleanup orders --yes --wait 1m", does: "all groups, for a cron job" },
  ],
  connects: true,
  drains: true,
});

export const trim = defineCommand({
  path: ["trim"],
  summary: "Delete the entries of a stream that all its groups have finished",
  about: [
    "Deletes nothing that a group still has to read or acknowledge. The plan names the group that needs the rest. In a stream with partitions it is done in each of them.",
  ],
  args: [STREAM],
  options: { ...PLAN_OPTIONS },
  examples: [
    { line: "redis-batch trim orders", does: "how far, and which group needs the rest" },
    { line: "redis-batch trim orders --yes", does: "carry it out" },
  ],
  connects: true,
  drains: true,
});

export const check = defineCommand({
  path: ["check"],
  summary: "Judge a group's health for a monitoring system",
  about: [
    "Exits with 0 (ok), 1 (warning), 2 (critical) or 3 (unknown: also if the server does not answer, the group does not exist, or the options are wrong). The group's health is always judged, as `monitor` reports it. It is critical if the group makes no progress, has no active consumers, sends most messages to the dead letters, or has a position ahead of the stream. It is a warning if the group falls behind or was moved back, or if single consumers are stalled or failing. Everything else is judged only if you set a limit for it. A consumer that is stalled, failing or idle for long does not count as healthy.",
  ],
  args: [STREAM, GROUP],
  options: {
    "max-backlog": {
      kind: "number",
      value: "n",
      min: 0,
      max: 1e15,
      about: "critical above this many waiting messages",
    },
    "warn-backlog": { kind: "number", value: "n", min: 0, max: 1e15, about: "warning above this many" },
    "max-age": {
      kind: "duration",
      minMs: 0,
      maxMs: 31_536_000_000,
      about: "critical if a message waits or is pending for longer",
    },
    "warn-age": {
      kind: "duration",
      minMs: 0,
      maxMs: 31_536_000_000,
      about: "warning if a message waits or is pending for longer",
    },
    "max-pending": {
      kind: "number",
      value: "n",
      min: 0,
      max: 1e15,
      about: "critical above this many pending messages",
    },
    "warn-pending": { kind: "number", value: "n", min: 0, max: 1e15, about: "warning above this many" },
    "max-dead-letters": {
      kind: "number",
      value: "n",
      min: 0,
      max: 1e15,
      about: "critical above this many dead letters",
    },
    "warn-dead-letters": { kind: "number", value: "n", min: 0, max: 1e15, about: "warning above this many" },
    "min-consumers": {
      kind: "number",
      value: "n",
      min: 1,
      max: 1e6,
      about: "critical with fewer healthy consumers",
    },
    "ignore-health": { kind: "flag", about: "judge by the limits alone" },
    format: {
      kind: "choice",
      choices: ["text", "json", "nagios", "prometheus"],
      default: "text",
      about: "output format; --json is the same as json",
    },
  },
  examples: [
    { line: "redis-batch check orders billing --max-backlog 10000 --max-age 15m --min-consumers 1", does: "by hand" },
    {
      line: "redis-batch check orders billing --warn-age 5m --max-age 15m --format nagios",
      does: "for Nagios and compatible systems",
    },
  ],
  connects: true,
  misuseCode: CHECK_CODES.unknown,
});
