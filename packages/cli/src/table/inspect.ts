import { defineCommand, defineOptions } from "../command-line/spec.ts";
import { PLAN_OPTIONS, WATCH_OPTIONS } from "./shared.ts";

const STREAM = { name: "stream", isName: true, about: "the stream's key" } as const;
const GROUP = { name: "group", isName: true, about: "the consumer group" } as const;

const MESSAGE_OPTIONS = defineOptions({
  count: { kind: "number", short: "n", value: "n", min: 1, max: 100_000, default: 10, about: "number of messages" },
});

export const streams = defineCommand({
  path: ["streams"],
  summary: "List the streams of the server",
  about: [
    "Scans all keys, page by page. That takes a while on a large server, but never blocks it. The partitions of a stream are one row.",
  ],
  args: [],
  options: {
    match: { kind: "text", value: "glob", about: "only names that match, such as 'orders:*'" },
    limit: { kind: "number", value: "n", min: 1, max: 100_000, default: 1_000, about: "maximum number of streams" },
    all: {
      kind: "flag",
      about:
        "include streams that Redis Batch keeps for its groups, such as dead letters, and each partition by itself",
    },
    ...WATCH_OPTIONS,
  },
  examples: [
    { line: "redis-batch streams", does: "all streams" },
    { line: "redis-batch streams --match 'orders:*' --json", does: "some of them, for a program" },
  ],
  connects: true,
  drains: true,
});

export const groups = defineCommand({
  path: ["groups"],
  summary: "List the consumer groups of a stream",
  about: ['"waiting" is the lag that the server reports, or "-" if it does not know. `monitor` counts the messages.'],
  args: [STREAM],
  options: { ...WATCH_OPTIONS },
  examples: [{ line: "redis-batch groups orders", does: "all groups, and how far each has read" }],
  connects: true,
  drains: true,
});

export const consumers = defineCommand({
  path: ["consumers"],
  summary: "List the consumers of a group",
  about: [
    "Consumers of Redis Batch show details: whether they are alive, where they run, what they are doing. Pending messages that no consumer holds are counted separately.",
  ],
  args: [STREAM, GROUP],
  options: { ...WATCH_OPTIONS },
  examples: [{ line: "redis-batch consumers orders billing", does: "all consumers, and what each holds" }],
  connects: true,
  drains: true,
});

export const pending = defineCommand({
  path: ["pending"],
  summary: "List the messages that a group has not acknowledged",
  about: [
    "Messages under rb:released belong to no consumer: any consumer with room claims them. Messages under rb:later are deferred until the time in the last column.",
  ],
  args: [STREAM, GROUP],
  options: {
    consumer: { kind: "name", value: "name", about: "only messages of this consumer" },
    "min-idle": {
      kind: "duration",
      minMs: 0,
      maxMs: 31_536_000_000,
      default: "0",
      about: "idle for at least this long",
    },
    "min-deliveries": {
      kind: "number",
      value: "n",
      min: 0,
      max: 1_000_000,
      default: 0,
      about: "delivered at least this many times",
    },
    from: { kind: "text", value: "id", about: "start at this id: where the previous page ended" },
    limit: { kind: "number", value: "n", min: 1, max: 10_000, default: 100, about: "maximum number of messages" },
    ...WATCH_OPTIONS,
  },
  examples: [
    { line: "redis-batch pending orders billing", does: "the oldest hundred" },
    {
      line: "redis-batch pending orders billing --min-deliveries 5 --min-idle 10m",
      does: "messages that keep failing",
    },
  ],
  connects: true,
  drains: true,
});

const ONE = [STREAM, GROUP, { name: "id", about: "the message's id, as `pending` shows it" }] as const;
const TAKE = { kind: "flag", about: "even if its consumer may be at work on it: then it is processed twice" } as const;

export const ackOne = defineCommand({
  path: ["pending", "ack"],
  summary: "Acknowledge one pending message: the group has finished it",
  about: ["A handler that is at work on it goes on; what it says of the message then has no effect."],
  args: ONE,
  options: PLAN_OPTIONS,
  examples: [{ line: "redis-batch pending ack orders billing 1700000000000-0 --yes", does: "take it off the list" }],
  connects: true,
});

export const releaseOne = defineCommand({
  path: ["pending", "release"],
  summary: "Release one pending message, so that another consumer can take it",
  about: ["Also one that is deferred: its delay ends. Its delivery count stays."],
  args: ONE,
  options: { take: TAKE, ...PLAN_OPTIONS },
  examples: [{ line: "redis-batch pending release orders billing 1700000000000-0 --yes", does: "do not wait longer" }],
  connects: true,
});

export const deadLetterOne = defineCommand({
  path: ["pending", "dead-letter"],
  summary: "Move one pending message to the group's dead letters",
  about: ["With its history, as a handler's deadLetter() does; `dead-letters redrive` returns it."],
  args: ONE,
  options: {
    reason: { kind: "text", value: "text", about: "why, kept with the dead letter; default: who did it" },
    take: TAKE,
    ...PLAN_OPTIONS,
  },
  examples: [
    {
      line: "redis-batch pending dead-letter orders billing 1700000000000-0 --reason 'no such customer' --yes",
      does: "get it out of the way",
    },
  ],
  connects: true,
});

export const peek = defineCommand({
  path: ["peek"],
  summary: "Show messages without changing anything",
  about: [
    "With a group: the messages that it reads next. Without a group: the oldest of the stream, or the newest. Of a stream with partitions those of all of them, in the order of time, each id with its partition in front.",
  ],
  args: [STREAM, { ...GROUP, optional: true }],
  options: {
    ...MESSAGE_OPTIONS,
    from: { kind: "text", value: "when", about: "start at an id, at 2h (ago), or at 2026-01-31T12:00:00Z" },
    newest: { kind: "flag", about: "the newest messages, newest first" },
    where: { kind: "text", value: "field=value", about: "only messages that have this value in this field" },
    scan: {
      kind: "number",
      value: "n",
      min: 1,
      max: 10_000_000,
      default: 100_000,
      about: "how many messages --where looks at, at most; it says at which it has looked",
    },
  },
  examples: [
    { line: "redis-batch peek orders billing", does: "what billing reads next" },
    { line: "redis-batch peek orders --where order=A-17 --newest", does: "find a message by its field" },
    { line: "redis-batch peek orders --from 2h -n 50 --json", does: "fifty from two hours ago, as NDJSON" },
  ],
  connects: true,
});

export const tail = defineCommand({
  path: ["tail"],
  summary: "Show the last messages of a stream, and follow new ones",
  about: [
    "Reads without a group, so no group is affected. --json prints NDJSON, which `produce` reads. Of a stream with partitions it shows all of them, each id with its partition in front.",
  ],
  args: [STREAM],
  options: {
    ...MESSAGE_OPTIONS,
    follow: { kind: "flag", short: "f", about: "keep printing new messages, until Ctrl-C" },
  },
  examples: [
    { line: "redis-batch tail orders -f", does: "watch it live" },
    { line: "redis-batch tail orders -n 100 --json > last.ndjson", does: "the last hundred, into a file" },
  ],
  connects: true,
  drains: true,
});
