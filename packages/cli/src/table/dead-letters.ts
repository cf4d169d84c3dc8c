import { DISCARD_SPEC, FILTERED_SPEC, LIST_SPEC, REDRIVE_SPEC, SUMMARISE_SPEC } from "@redis-batch/core/spec";
import { flagOf } from "../command-line/flag-of.ts";
import { defineCommand } from "../command-line/spec.ts";
import { LETTER_OPTIONS, PLAN_OPTIONS, WATCH_OPTIONS } from "./shared.ts";

const ADDRESS = [
  { name: "stream", isName: true, about: "the stream's key" },
  { name: "group", isName: true, about: "the consumer group" },
] as const;
const PARTITIONED =
  "Of a stream with partitions those of all of them, in the order of time. Each id has its partition in front, such as 3/1700000000000-0.";
const IDS = { name: "id", about: "ids of dead letters, as `list` shows them", optional: true, many: true } as const;
const ALL = { kind: "flag", about: "all dead letters" } as const;
const LIMIT = flagOf(FILTERED_SPEC.limit);

export const list = defineCommand({
  path: ["dead-letters", "list"],
  summary: "List the dead letters of a group",
  about: [PARTITIONED],
  args: [...ADDRESS],
  options: {
    ...LETTER_OPTIONS,
    newest: flagOf(LIST_SPEC.newestFirst),
    from: { kind: "text", value: "id", about: "start at this dead letter: where the previous page ended" },
    limit: flagOf(LIST_SPEC.limit, { default: 50, about: "maximum number of dead letters" }),
    ...WATCH_OPTIONS,
  },
  examples: [
    { line: "redis-batch dead-letters list orders billing", does: "the oldest fifty" },
    { line: "redis-batch dead-letters list orders billing --newest --error timeout", does: "the last timeouts" },
    {
      line: "redis-batch dead-letters list orders billing --reason maxDeliveries --since 1h",
      does: "messages that failed too often in the last hour",
    },
  ],
  connects: true,
  drains: true,
});

export const summary = defineCommand({
  path: ["dead-letters", "summary"],
  summary: "Show dead letters by what went wrong",
  about: [
    "Errors that differ only in ids, numbers or times are one: … stands for what differs. Each has its number, its first and its last time, and a sample for `dead-letters show`.",
  ],
  args: [...ADDRESS],
  options: { ...LETTER_OPTIONS, limit: flagOf(SUMMARISE_SPEC.limit), ...WATCH_OPTIONS },
  examples: [{ line: "redis-batch dead-letters summary orders billing --since 1d", does: "what went wrong today" }],
  connects: true,
  drains: true,
});

export const exportLetters = defineCommand({
  path: ["dead-letters", "export"],
  summary: "Print dead letters as NDJSON, to keep or to import",
  about: ["One line each, the oldest first: the whole message with its history. Changes nothing."],
  args: [...ADDRESS],
  options: { ...LETTER_OPTIONS, limit: flagOf(FILTERED_SPEC.limit, { default: 100_000 }) },
  examples: [
    { line: "redis-batch dead-letters export orders billing > letters.ndjson", does: "all of them, into a file" },
  ],
  connects: true,
});

export const importLetters = defineCommand({
  path: ["dead-letters", "import"],
  summary: "Add exported dead letters to a group",
  about: [
    "Reads what `export` printed. Each gets a new id and keeps its history. They are not messages of the group until they are redriven; if their entries are not in this stream, redrive them with --if-trimmed add, or to another stream. The same file imported twice is there twice. In a stream with partitions each goes to the partition that is in front of its id.",
  ],
  args: [...ADDRESS],
  options: {
    file: { kind: "text", value: "path", about: "the file; - is standard input, which needs --yes" },
    ...PLAN_OPTIONS,
  },
  examples: [
    { line: "redis-batch dead-letters import orders billing --file letters.ndjson --yes", does: "add what was kept" },
  ],
  connects: true,
});

export const show = defineCommand({
  path: ["dead-letters", "show"],
  summary: "Show one dead letter: its fields and its history",
  about: ["Shows the first 500 characters of each value; --json shows all of it."],
  args: [...ADDRESS, { name: "id", about: "the dead letter's id, as `list` shows it" }],
  options: {},
  examples: [
    { line: "redis-batch dead-letters show orders billing 1700000000000-0", does: "its fields and its history" },
  ],
  connects: true,
});

export const key = defineCommand({
  path: ["dead-letters", "key"],
  summary: "Print the key of the stream that holds a group's dead letters",
  about: [
    "In the form that redis-cli accepts: a name with special characters is quoted. Connects to no server. Of a stream with partitions give the name of one: each has a key of its own.",
  ],
  args: [...ADDRESS],
  options: {},
  examples: [
    { line: "redis-batch dead-letters key shop:orders billing", does: "rb:{shop:orders}:dead:shop%3Aorders:billing" },
  ],
  connects: false,
});

export const redrive = defineCommand({
  path: ["dead-letters", "redrive"],
  summary: "Return dead letters to their group",
  about: [
    "Each message becomes pending again under its original entry id, for this group only, with a delivery count of 0. If its entry is no longer in the stream, the dead letter stays, unless --if-trimmed add adds the message to the stream again, for every group. If a dead letter stays, or one of the ids is not found, the exit code is 6.",
    "--to-stream adds the messages to another stream instead, as new entries for all of its groups. That needs the producer's rights there, and `discard` here.",
  ],
  args: [...ADDRESS, IDS],
  options: {
    ...LETTER_OPTIONS,
    all: ALL,
    limit: LIMIT,
    "if-trimmed": flagOf(REDRIVE_SPEC.ifTrimmed),
    "to-stream": flagOf(REDRIVE_SPEC.toStream, { value: "key" }),
    rate: flagOf(REDRIVE_SPEC.perSecond),
    ...PLAN_OPTIONS,
  },
  examples: [
    { line: "redis-batch dead-letters redrive orders billing --reason maxDeliveries", does: "show the plan" },
    { line: "redis-batch dead-letters redrive orders billing --reason maxDeliveries --yes", does: "carry it out" },
    {
      line: "redis-batch dead-letters redrive orders billing --all --to-stream retry --rate 50 --yes",
      does: "add them to the stream retry, fifty per second",
    },
  ],
  connects: true,
  drains: true,
});

export const discard = defineCommand({
  path: ["dead-letters", "discard"],
  summary: "Delete dead letters permanently",
  args: [...ADDRESS, IDS],
  options: { ...LETTER_OPTIONS, all: ALL, limit: LIMIT, rate: flagOf(DISCARD_SPEC.perSecond), ...PLAN_OPTIONS },
  examples: [
    {
      line: "redis-batch dead-letters discard orders billing --before 30d",
      does: "show the plan: how many, and which",
    },
    { line: "redis-batch dead-letters discard orders billing 1700000000000-0 --yes", does: "delete one" },
  ],
  connects: true,
  drains: true,
});
