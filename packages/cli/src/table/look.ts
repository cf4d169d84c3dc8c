import { defineCommand, defineOptions } from "../command-line/spec.ts";

const STREAM = { name: "stream", isName: true, about: "the stream's key" } as const;
const GROUP = { name: "group", isName: true, about: "the consumer group" } as const;

const MESSAGE_OPTIONS = defineOptions({
  count: { kind: "number", short: "n", value: "n", min: 1, max: 100_000, default: 10, about: "how many messages" },
});

export const streams = defineCommand({
  path: ["streams"],
  summary: "List the streams of the server",
  about: ["Looks at every key once, a page at a time, so on a large server it takes a while; it never blocks it."],
  args: [],
  options: {
    match: { kind: "text", value: "glob", about: "only names that match, such as 'orders:*'" },
    limit: { kind: "number", value: "n", min: 1, max: 100_000, default: 1_000, about: "at most so many" },
    all: { kind: "flag", about: "those that Redis Batch keeps for its groups, too, such as dead letters" },
  },
  examples: [
    { line: "redis-batch streams", does: "all of them" },
    { line: "redis-batch streams --match 'orders:*' --json", does: "some, for a program" },
  ],
  connects: true,
});

export const groups = defineCommand({
  path: ["groups"],
  summary: "List the consumer groups of a stream",
  about: ['"waiting" is what the server says; where it does not know, "-". `monitor` counts.'],
  args: [STREAM],
  options: {},
  examples: [{ line: "redis-batch groups orders", does: "who reads it, and how far they are" }],
  connects: true,
});

export const consumers = defineCommand({
  path: ["consumers"],
  summary: "List the consumers of a group",
  about: [
    "Those of Redis Batch tell more of themselves: whether they are alive, where they run, what they are at. What is pending and held by nobody is counted apart.",
  ],
  args: [STREAM, GROUP],
  options: {},
  examples: [{ line: "redis-batch consumers orders billing", does: "who is there, and who holds what" }],
  connects: true,
});

export const pending = defineCommand({
  path: ["pending"],
  summary: "List the messages that a group has not acknowledged",
  about: [
    "Messages under rb:released are held by nobody: whoever has room takes them. Those under rb:later were deferred, until the time in the last column.",
  ],
  args: [STREAM, GROUP],
  options: {
    consumer: { kind: "name", value: "name", about: "only those of this consumer" },
    "min-idle": { kind: "duration", minMs: 0, maxMs: 31_536_000_000, default: "0", about: "untouched for so long" },
    "min-deliveries": { kind: "number", value: "n", min: 0, max: 1_000_000, default: 0, about: "delivered that often" },
    from: { kind: "text", value: "id", about: "begin at this id: where the page before ended" },
    limit: { kind: "number", value: "n", min: 1, max: 10_000, default: 100, about: "at most so many" },
  },
  examples: [
    { line: "redis-batch pending orders billing", does: "the oldest hundred" },
    { line: "redis-batch pending orders billing --min-deliveries 5 --min-idle 10m", does: "what does not get through" },
  ],
  connects: true,
});

export const peek = defineCommand({
  path: ["peek"],
  summary: "Show messages without touching them",
  about: ["With a group: those it gets next. Otherwise the oldest of the stream, or the newest."],
  args: [STREAM, { ...GROUP, optional: true }],
  options: {
    ...MESSAGE_OPTIONS,
    from: { kind: "text", value: "when", about: "begin at an id, at 2h (ago), or at 2026-01-31T12:00:00Z" },
    newest: { kind: "flag", about: "the newest ones, newest first" },
  },
  examples: [
    { line: "redis-batch peek orders billing", does: "what billing gets next" },
    { line: "redis-batch peek orders --from 2h -n 50 --json", does: "fifty from two hours ago, as NDJSON" },
  ],
  connects: true,
});

export const tail = defineCommand({
  path: ["tail"],
  summary: "Show the last messages of a stream, and those that come",
  about: ["Reads without a group, so no group notices. --json prints NDJSON, which produce reads."],
  args: [STREAM],
  options: {
    ...MESSAGE_OPTIONS,
    follow: { kind: "flag", short: "f", about: "go on with what comes, until Ctrl-C" },
  },
  examples: [
    { line: "redis-batch tail orders -f", does: "watch it live" },
    { line: "redis-batch tail orders -n 100 --json > last.ndjson", does: "the last hundred, into a file" },
  ],
  connects: true,
  drains: true,
});
