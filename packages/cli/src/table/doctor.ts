import { defineCommand } from "../command-line/spec.ts";

export const doctor = defineCommand({
  path: ["doctor"],
  summary: "Find what is wrong, and say what to do about it",
  about: [
    "The server: version, what it can do, persistence, eviction, memory, clock. With a stream: what this user may be, with the missing rules spelled out, and how its groups fare. Ends with 1 where there is a problem. Nothing is changed.",
  ],
  args: [
    { name: "stream", isName: true, about: "the stream's key", optional: true },
    { name: "group", isName: true, about: "the consumer group", optional: true },
  ],
  options: {},
  examples: [
    { line: "redis-batch doctor", does: "the server" },
    { line: "redis-batch doctor orders billing", does: "rights and health, too" },
  ],
  connects: true,
});
