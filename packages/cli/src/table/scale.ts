import { defineCommand } from "../command-line/spec.ts";

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
    min: { kind: "number", value: "n", min: 0, max: 100_000, about: "consumers there are at least" },
    max: { kind: "number", value: "n", min: 1, max: 100_000, about: "consumers there are at most" },
    objective: {
      kind: "duration",
      minMs: 100,
      maxMs: 86_400_000,
      default: "30s",
      about: "how long a message may take from its arrival to its acknowledgement",
    },
    "out-rate": {
      kind: "number",
      value: "percent",
      min: 0,
      max: 100,
      default: 50,
      about: "ratio: add one from here on",
    },
    "in-rate": { kind: "number", value: "percent", min: 0, max: 100, default: 10, about: "ratio: take one away below" },
    watch: { kind: "flag", short: "w", about: "go on deciding, until Ctrl-C" },
    interval: { kind: "duration", minMs: 100, maxMs: 3_600_000, default: "5s", about: "time between two decisions" },
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
