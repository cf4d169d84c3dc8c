import { defineCommand } from "../command-line/spec.ts";
import { ASK_OPTIONS } from "./shared.ts";

export const demo = defineCommand({
  path: ["demo"],
  summary: "A guided tour: messages, workers, a crash, the monitor and the scaler",
  about: [
    "Runs on the selected server, or, if none answers, on a temporary one, started from redis-server or valkey-server on the PATH. Adds messages to a stream rb-demo-…, lets two workers process them, kills one of them halfway, and shows that nothing is lost. Removes everything afterwards. Asks first if the server is not on this machine.",
  ],
  args: [],
  options: {
    ...ASK_OPTIONS,
    count: { kind: "number", short: "n", value: "n", min: 100, max: 10_000, default: 300, about: "number of messages" },
  },
  examples: [{ line: "redis-batch demo", does: "takes about ten seconds" }],
  connects: true,
  drains: true,
});
