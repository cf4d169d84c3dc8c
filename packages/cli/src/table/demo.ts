import { defineCommand } from "../command-line/spec.ts";

export const demo = defineCommand({
  path: ["demo"],
  summary: "A guided tour: messages, workers, a crash, the monitor and the scaler",
  about: [
    "On the server that is meant, or, where none answers, on one of its own, started from redis-server or valkey-server on the PATH. Adds messages to a stream rb-demo-…, has two workers work on them, kills one of them in the middle, and shows that nothing is lost. Everything is removed afterwards.",
  ],
  args: [],
  options: {
    count: { kind: "number", short: "n", value: "n", min: 100, max: 10_000, default: 300, about: "how many messages" },
  },
  examples: [{ line: "redis-batch demo", does: "takes about ten seconds" }],
  connects: true,
  drains: true,
});
