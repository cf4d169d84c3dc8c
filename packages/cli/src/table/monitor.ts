import { defineCommand, defineOptions } from "../command-line/spec.ts";
import { CHECK_CODES } from "../decisions/check.ts";
import { PLAN_OPTIONS } from "./shared.ts";

const STREAM = { name: "stream", isName: true, about: "the stream's key" } as const;
const GROUP = { name: "group", isName: true, about: "the consumer group" } as const;

const JUDGING = defineOptions({
  "idle-threshold": {
    kind: "duration",
    minMs: 100,
    maxMs: 86_400_000,
    default: "1m",
    about: "how long a consumer may be idle before that is worth a warning",
  },
  "foreign-idle": {
    kind: "duration",
    minMs: 1_000,
    maxMs: 86_400_000,
    default: "10m",
    about: "how long a consumer that is not of Redis Batch must be idle to count as dead",
  },
});
const INTERVAL = {
  kind: "duration",
  minMs: 100,
  maxMs: 3_600_000,
  default: "2s",
  about: "time between two looks",
} as const;

export const monitor = defineCommand({
  path: ["monitor"],
  summary: "Show how a group and its consumers fare",
  about: [
    "Once, or with --watch until Ctrl-C: on a terminal the whole screen, with the keys p (pause), c (clean up) and q (quit); elsewhere a line per look, with --json a line of JSON. Rates and the trend need more than one look. With --watch it waits for a stream and a group that are not there yet, and says how old the picture is when the server does not answer.",
  ],
  args: [STREAM, GROUP],
  options: {
    ...JUDGING,
    watch: { kind: "flag", short: "w", about: "go on looking" },
    interval: INTERVAL,
    "auto-cleanup": { kind: "flag", about: "hand over what the dead leave, as long as this runs; implies --watch" },
  },
  examples: [
    { line: "redis-batch monitor orders billing", does: "a look" },
    { line: "redis-batch monitor orders billing --watch", does: "live" },
    { line: "redis-batch monitor orders billing --watch --json >> billing.ndjson", does: "a record" },
  ],
  connects: true,
  drains: true,
});

export const serve = defineCommand({
  path: ["monitor", "serve"],
  summary: "Serve metrics and probes of a stream's groups over HTTP",
  about: [
    "/metrics for Prometheus, /healthz and /readyz for orchestrators. Of several on one stream one cleans up and trims.",
  ],
  args: [STREAM, { ...GROUP, optional: true }],
  options: {
    ...JUDGING,
    port: { kind: "number", value: "n", min: 0, max: 65_535, default: 9472, about: "the port; 0 takes any free one" },
    host: { kind: "text", value: "address", default: "127.0.0.1", about: "where to listen; 0.0.0.0 lets everybody in" },
    "token-file": { kind: "text", value: "path", about: "a file with the token that /metrics asks for" },
    interval: { ...INTERVAL, default: "5s" },
    "auto-cleanup": { kind: "flag", about: "release what the dead leave" },
    "auto-trim": { kind: "flag", about: "drop what every group is done with" },
  },
  examples: [{ line: "redis-batch monitor serve orders --auto-cleanup", does: "every group of orders, on port 9472" }],
  connects: true,
  drains: true,
});

export const cleanup = defineCommand({
  path: ["cleanup"],
  summary: "Release what dead consumers left, and remove their names",
  about: [
    "Messages of consumers whose heartbeat stands still are released, with their delivery counts, and taken by whichever consumer has room; a name goes when nothing is pending under it. Takes nothing from a live lease. A heartbeat that is late is watched for up to 15 s. Consumers that are not of Redis Batch have no heartbeat, and all look dead right after an outage: --wait sits it out.",
  ],
  args: [STREAM, { ...GROUP, optional: true }],
  options: {
    ...JUDGING,
    "to-any": { kind: "flag", about: "hand it to consumers that are not of Redis Batch, where no other is there" },
    wait: { kind: "duration", minMs: 0, maxMs: 3_600_000, default: "0", about: "stay connected for that long first" },
    ...PLAN_OPTIONS,
  },
  examples: [
    { line: "redis-batch cleanup orders billing", does: "the plan" },
    { line: "redis-batch cleanup orders --yes --wait 1m", does: "all groups, for a cron job" },
  ],
  connects: true,
  drains: true,
});

export const trim = defineCommand({
  path: ["trim"],
  summary: "Drop from a stream what every one of its groups is done with",
  about: [
    "Drops nothing that a group has yet to read or to acknowledge. The plan names the group that needs the rest.",
  ],
  args: [STREAM],
  options: { ...PLAN_OPTIONS },
  examples: [
    { line: "redis-batch trim orders", does: "how far, and who needs the rest" },
    { line: "redis-batch trim orders --yes", does: "carried out" },
  ],
  connects: true,
  drains: true,
});

export const check = defineCommand({
  path: ["check"],
  summary: "Judge a group for a monitoring system",
  about: [
    "Ends with 0 (ok), 1 (warning), 2 (critical) or 3 (unknown, also when the server is away, the group is not there, or the options are wrong). The health of the group is judged in any case, as `monitor` tells it: critical when it stands still, nobody works, most messages go to the dead letters, or its position is ahead of the stream; a warning when it falls behind or was set back, or when single consumers are stalled or failing. Of the rest, what has no limit is not judged.",
  ],
  args: [STREAM, GROUP],
  options: {
    "max-backlog": {
      kind: "number",
      value: "n",
      min: 0,
      max: 1e15,
      about: "critical above that many waiting messages",
    },
    "warn-backlog": { kind: "number", value: "n", min: 0, max: 1e15, about: "warning above that many" },
    "max-age": {
      kind: "duration",
      minMs: 0,
      maxMs: 31_536_000_000,
      about: "critical when a message waits, or is pending, for longer",
    },
    "warn-age": { kind: "duration", minMs: 0, maxMs: 31_536_000_000, about: "warning when one does" },
    "max-pending": {
      kind: "number",
      value: "n",
      min: 0,
      max: 1e15,
      about: "critical above that many pending messages",
    },
    "warn-pending": { kind: "number", value: "n", min: 0, max: 1e15, about: "warning above that many" },
    "max-dead-letters": {
      kind: "number",
      value: "n",
      min: 0,
      max: 1e15,
      about: "critical above that many dead letters",
    },
    "warn-dead-letters": { kind: "number", value: "n", min: 0, max: 1e15, about: "warning above that many" },
    "min-consumers": {
      kind: "number",
      value: "n",
      min: 1,
      max: 1e6,
      about: "critical with fewer consumers that are well",
    },
    "ignore-health": { kind: "flag", about: "judge by the limits alone" },
    format: {
      kind: "choice",
      choices: ["text", "json", "nagios", "prometheus"],
      default: "text",
      about: "how the verdict is written; --json is the same as json",
    },
  },
  examples: [
    { line: "redis-batch check orders billing --max-backlog 10000 --max-age 15m --min-consumers 1", does: "by hand" },
    {
      line: "redis-batch check orders billing --warn-age 5m --max-age 15m --format nagios",
      does: "for Nagios and its like",
    },
  ],
  connects: true,
  misuseCode: CHECK_CODES.unknown,
});
