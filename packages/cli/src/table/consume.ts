import { CONSUMER_SPEC } from "@redis-batch/consumer/spec";
import { flagOf } from "../command-line/flag-of.ts";
import { defineCommand } from "../command-line/spec.ts";

export const consume = defineCommand({
  path: ["consume"],
  summary: "Read the messages of a group in batches",
  about: [
    "Joins the group as one more consumer and prints each message as a line of NDJSON, or passes each batch to a command. Messages that are not acknowledged are redelivered, to this consumer or to another one.",
    "--exec runs a shell command for each batch, with the batch as NDJSON on its standard input. If the command exits with 0, the batch is acknowledged; otherwise it is redelivered later, in smaller batches. With --outcomes the command's output gives the outcomes of single messages: lines such as `ack 1700000000000-0`, `retry 1700000000000-0 too busy` and `dead-letter 1700000000000-0 no such order`.",
    "With several streams, such as `orders,refunds`, the group of each is read over the same connections. Each message is printed with its stream, a batch has messages of one stream, and a command finds that one's key in the variable REDIS_BATCH_STREAM. A stream that cannot be worked on is tried again, while the others go on.",
    "On Ctrl-C, or when the reader of the output closes it, the command drains: it finishes the current batch and releases the rest.",
  ],
  args: [
    {
      name: "streams",
      isName: true,
      isList: true,
      about: "the stream's key, or those of several streams with commas between; a comma of a key is typed \\x2c",
    },
    { name: "group", isName: true, about: "the consumer group" },
  ],
  options: {
    "batch-size": flagOf(CONSUMER_SPEC.batchSize),
    "max-wait": flagOf(CONSUMER_SPEC.maxWaitMs, { default: "1s" }),
    count: {
      kind: "number",
      short: "n",
      value: "n",
      min: 1,
      max: 1_000_000_000,
      about: "stop after this many messages",
    },
    "idle-exit": {
      kind: "duration",
      minMs: 1,
      maxMs: 86_400_000,
      about: "stop when no message has arrived for this long",
    },
    ack: {
      kind: "choice",
      choices: ["on-success", "always", "never"],
      default: "on-success",
      about: "which messages to acknowledge: those that were printed or processed, all, or none",
    },
    exec: { kind: "text", value: "command", about: "shell command to run for each batch, instead of printing it" },
    outcomes: { kind: "flag", about: "read the outcomes of single messages from the command's output" },
    "dead-letter": {
      kind: "flag",
      about: "send failed messages to the dead letters at once, instead of redelivering them",
    },
    "max-deliveries": flagOf(CONSUMER_SPEC.maxDeliveries, {
      default: 16,
      about: "deliveries of a message before it goes to the dead letters",
    }),
    "order-by": flagOf(CONSUMER_SPEC.orderBy, {
      value: "field",
      about:
        "process messages with the same value of this field in order; with --exec a failure fails the whole batch, so use --outcomes or a small --batch-size",
    }),
    "order-scope": flagOf(CONSUMER_SPEC.orderScope, {
      default: null,
      about:
        "where that order holds: in the group, which no other consumer may be in then (default), or in this consumer",
    }),
    batches: { kind: "flag", about: "print one line per batch (a JSON array) instead of one per message" },
    create: {
      kind: "text",
      value: "position",
      about: "create the group if it is missing, at this position: start, end, or after an id",
    },
    name: flagOf(CONSUMER_SPEC.name, { about: "the consumer's name; default: a unique one" }),
    lease: flagOf(CONSUMER_SPEC.leaseMs, {
      default: null,
      about:
        "how long this consumer keeps a message without renewing its lease; default: the group's lease (of several, the shortest), or 1m",
    }),
  },
  examples: [
    {
      line: "redis-batch consume orders billing --count 10",
      does: "read ten messages, and acknowledge them once printed",
    },
    {
      line: "redis-batch consume orders billing --ack never --count 5",
      does: "look at five messages, and release them",
    },
    {
      line: "redis-batch consume orders billing --exec 'psql -f load.sql' --batch-size 500",
      does: "load 500 messages at a time with a program",
    },
    {
      line: "redis-batch consume orders,refunds billing --exec ./bill.sh",
      does: "work on two streams, batch by batch",
    },
    {
      line: "redis-batch consume orders billing --order-by customer --exec ./bill.sh",
      does: "keep the messages of each customer in order",
    },
    {
      line: "redis-batch consume orders,refunds billing --order-by customer --batch-size 1 --exec ./bill.sh",
      does: "the same on two streams, each of which has its own order",
    },
    {
      line: "redis-batch consume orders audit --create start --idle-exit 5s > orders.ndjson",
      does: "copy the whole stream into a file",
    },
  ],
  connects: true,
  drains: true,
});
