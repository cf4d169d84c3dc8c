import { defineCommand, defineOptions } from "../command-line/spec.ts";

const SCALING = defineOptions({
  min: { kind: "number", value: "n", min: 0, max: 100_000, about: "consumers there are at least" },
  max: { kind: "number", value: "n", min: 1, max: 100_000, about: "consumers there are at most" },
  objective: {
    kind: "duration",
    minMs: 100,
    maxMs: 86_400_000,
    default: "30s",
    about: "how long a message may take from its arrival to its acknowledgement",
  },
  "out-rate": { kind: "number", value: "percent", min: 0, max: 100, default: 50, about: "ratio: add one from here on" },
  "in-rate": { kind: "number", value: "percent", min: 0, max: 100, default: 10, about: "ratio: take one away below" },
  interval: { kind: "duration", minMs: 100, maxMs: 3_600_000, default: "5s", about: "time between two decisions" },
});

export const scale = defineCommand({
  path: ["scale"],
  summary: "Say how many consumers a group needs, and why",
  about: [
    "By both strategies: ratio, the original's rule, one consumer more or less by what waits in percent of what is pending; and throughput, enough for what arrives and to work off what waits within the objective. Nothing is changed. The throughput strategy learns from look to look: --watch lets it.",
  ],
  args: [
    { name: "stream", about: "the stream's key" },
    { name: "group", about: "the consumer group" },
  ],
  options: {
    strategy: { kind: "choice", choices: ["both", "throughput", "ratio"], default: "both", about: "whose decision" },
    ...SCALING,
    watch: { kind: "flag", short: "w", about: "go on deciding, until Ctrl-C" },
  },
  examples: [
    { line: "redis-batch scale orders billing", does: "what both would do now" },
    {
      line: "redis-batch scale orders billing --watch --strategy throughput --max 20",
      does: "what it would do, as it learns",
    },
    { line: "redis-batch scale orders billing --strategy ratio --json", does: "for a script" },
  ],
  connects: true,
  drains: true,
});

export const scaleRun = defineCommand({
  path: ["scale", "run"],
  summary: "Decide again and again, and have as many consumers as are needed",
  about: [
    "process: starts the command as often as consumers are needed, on this machine, and tells those that are not needed any more to end (SIGTERM). command: runs it with every order, a JSON object on standard input, and REDIS_BATCH_DESIRED and its like in the environment; 0 means ordered. webhook: sends the order with POST, signed with REDIS_BATCH_WEBHOOK_SECRET where that is set. dry-run: only tells.",
    "Of several on one group one acts, the others follow when it is gone. Ctrl-C ends it; a process pool is drained first.",
  ],
  args: [
    { name: "stream", about: "the stream's key" },
    { name: "group", about: "the consumer group" },
    { name: "command", about: "what process and command run, after --", optional: true, many: true },
  ],
  options: {
    executor: {
      kind: "choice",
      choices: ["dry-run", "process", "command", "webhook"],
      default: "dry-run",
      about: "who carries decisions out",
    },
    strategy: { kind: "choice", choices: ["throughput", "ratio"], default: "throughput", about: "how it is decided" },
    "webhook-url": { kind: "text", value: "url", about: "where webhook sends orders" },
    drain: {
      kind: "duration",
      minMs: 100,
      maxMs: 86_400_000,
      default: "1m",
      about: "process: how long a worker may take to end before it is killed",
    },
    ...SCALING,
  },
  examples: [
    { line: "redis-batch scale run orders billing --max 20", does: "a dry run" },
    {
      line: "redis-batch scale run orders billing --executor process --max 8 -- node worker.js",
      does: "workers of this machine",
    },
    {
      line: "redis-batch scale run orders billing --executor command -- ./set-replicas.sh",
      does: "whatever your own script scales",
    },
  ],
  connects: true,
  drains: true,
});
