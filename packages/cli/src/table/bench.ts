import { defineCommand } from "../command-line/spec.ts";

export const bench = defineCommand({
  path: ["bench"],
  summary: "Measure what the server does, on a stream of its own",
  about: [
    "Adds messages to a new stream rb-bench-…, and reads and acknowledges them in batches, for so many messages and no longer than --time; then the stream is deleted. It loads the server like any producer and consumer that are in a hurry.",
  ],
  args: [],
  options: {
    count: { kind: "number", short: "n", value: "n", min: 1, max: 1_000_000, default: 20_000, about: "how many" },
    size: { kind: "number", value: "bytes", min: 1, max: 100_000, default: 100, about: "payload bytes of each" },
    "batch-size": { kind: "number", value: "n", min: 1, max: 10_000, default: 100, about: "messages in a full batch" },
    time: { kind: "duration", minMs: 100, maxMs: 600_000, default: "30s", about: "the longest it takes, all together" },
  },
  examples: [
    { line: "redis-batch bench", does: "20,000 messages of 100 bytes" },
    { line: "redis-batch bench -n 100000 --size 1000 --batch-size 500", does: "larger ones, and more" },
  ],
  connects: true,
  drains: true,
});
