import { CONSUMER_SPEC } from "@redis-batch/consumer/spec";
import { flagOf } from "../command-line/flag-of.ts";
import { defineCommand } from "../command-line/spec.ts";
import { ASK_OPTIONS } from "./shared.ts";

export const bench = defineCommand({
  path: ["bench"],
  summary: "Measure the server's throughput, on a temporary stream",
  about: [
    "Adds messages to a new stream rb-bench-…, reads and acknowledges them in batches until --count messages or --time is reached, and deletes the stream. It loads the server like a producer and a consumer at full speed. Asks first if the server is not on this machine.",
  ],
  args: [],
  options: {
    count: {
      kind: "number",
      short: "n",
      value: "n",
      min: 1,
      max: 1_000_000,
      default: 20_000,
      about: "number of messages",
    },
    ...ASK_OPTIONS,
    size: { kind: "number", value: "bytes", min: 1, max: 100_000, default: 100, about: "payload bytes per message" },
    "batch-size": flagOf(CONSUMER_SPEC.batchSize),
    time: { kind: "duration", minMs: 100, maxMs: 600_000, default: "30s", about: "maximum total run time" },
  },
  examples: [
    { line: "redis-batch bench", does: "20,000 messages of 100 bytes" },
    { line: "redis-batch bench -n 100000 --size 1000 --batch-size 500", does: "more and larger messages" },
  ],
  connects: true,
  drains: true,
});
