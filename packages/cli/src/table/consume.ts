import { defineCommand } from "../command-line/spec.ts";

export const consume = defineCommand({
  path: ["consume"],
  summary: "Read the messages of a group in batches",
  about: [
    "Joins the group as one more consumer and prints each message as a line of NDJSON, or hands each batch to a command. What is not acknowledged comes again, to this consumer or to another one.",
    "--exec runs a shell command per batch, with the batch as NDJSON on its standard input. When it ends with 0 the batch is acknowledged; otherwise it comes again, later, and in smaller batches. With --outcomes the command's own output names single messages: lines such as `ack 1700000000000-0`, `retry 1700000000000-0 too busy` and `dead-letter 1700000000000-0 no such order`.",
    "Ctrl-C, or a reader that goes away, drains: the batch at hand is finished, the rest is released.",
  ],
  args: [
    { name: "stream", isName: true, about: "the stream's key" },
    { name: "group", isName: true, about: "the consumer group" },
  ],
  options: {
    "batch-size": { kind: "number", value: "n", min: 1, max: 10_000, default: 100, about: "messages in a full batch" },
    "max-wait": {
      kind: "duration",
      minMs: 0,
      maxMs: 3_600_000,
      default: "1s",
      about: "how long a batch is collected at most",
    },
    count: { kind: "number", short: "n", value: "n", min: 1, max: 1_000_000_000, about: "end after so many messages" },
    "idle-exit": {
      kind: "duration",
      minMs: 1,
      maxMs: 86_400_000,
      about: "end when nothing has come for so long",
    },
    ack: {
      kind: "choice",
      choices: ["on-success", "always", "never"],
      default: "on-success",
      about: "what is acknowledged: what was written or worked on, everything, or nothing",
    },
    exec: { kind: "text", value: "command", about: "run this for every batch instead of printing it" },
    outcomes: { kind: "flag", about: "read the outcomes of single messages from the command's output" },
    "dead-letter": { kind: "flag", about: "what fails goes to the dead letters at once, instead of coming again" },
    "max-deliveries": {
      kind: "number",
      value: "n",
      min: 1,
      max: 1_000_000,
      default: 16,
      about: "how often a message is tried before it goes to the dead letters",
    },
    batches: { kind: "flag", about: "print one line per batch, a JSON array, instead of one per message" },
    create: { kind: "text", value: "position", about: "create a group that is missing: start, end, or after an id" },
    name: { kind: "name", value: "name", about: "the consumer's name; by default one that nobody else has" },
    lease: {
      kind: "duration",
      minMs: 500,
      maxMs: 3_600_000,
      about: "how long a message stays ours without a sign of life; by default what the group has, or 1m",
    },
  },
  examples: [
    { line: "redis-batch consume orders billing --count 10", does: "ten messages, acknowledged once printed" },
    { line: "redis-batch consume orders billing --ack never --count 5", does: "look at five, and give them back" },
    {
      line: "redis-batch consume orders billing --exec 'psql -f load.sql' --batch-size 500",
      does: "500 at a time into a program",
    },
    {
      line: "redis-batch consume orders audit --create start --idle-exit 5s > orders.ndjson",
      does: "everything there is, into a file",
    },
  ],
  connects: true,
  drains: true,
});
