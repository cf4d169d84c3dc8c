import { defineCommand } from "../command-line/spec.ts";

export const doctor = defineCommand({
  path: ["doctor"],
  summary: "Find problems, and suggest fixes",
  about: [
    "Checks the server, or each master of a Cluster: version, capabilities, replicas, persistence, eviction, memory, clock, and what a failure would lose. With a stream, it also checks which roles this user may take, with the ACL rules that are missing, and the health of the stream's groups. Exits with 1 if it finds a problem. Changes nothing.",
  ],
  args: [
    { name: "stream", isName: true, about: "the stream's key", optional: true },
    { name: "group", isName: true, about: "the consumer group", optional: true },
  ],
  options: {},
  examples: [
    { line: "redis-batch doctor", does: "check the server" },
    { line: "redis-batch doctor orders billing", does: "check rights and health, too" },
  ],
  connects: true,
});
