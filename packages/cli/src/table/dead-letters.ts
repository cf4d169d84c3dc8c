import { FILTERED_SPEC, LIST_SPEC, REDRIVE_SPEC } from "@redis-batch/core/spec";
import { flagOf } from "../command-line/flag-of.ts";
import { defineCommand } from "../command-line/spec.ts";
import { LETTER_OPTIONS, PLAN_OPTIONS } from "./shared.ts";

const ADDRESS = [
  { name: "stream", isName: true, about: "the stream's key" },
  { name: "group", isName: true, about: "the consumer group" },
] as const;
const IDS = { name: "id", about: "ids of dead letters, as `list` shows them", optional: true, many: true } as const;
const ALL = { kind: "flag", about: "all dead letters" } as const;
const LIMIT = flagOf(FILTERED_SPEC.limit);

export const list = defineCommand({
  path: ["dead-letters", "list"],
  summary: "List the dead letters of a group",
  args: [...ADDRESS],
  options: {
    ...LETTER_OPTIONS,
    from: { kind: "text", value: "id", about: "start at this dead letter: where the previous page ended" },
    limit: flagOf(LIST_SPEC.limit, { default: 50, about: "maximum number of dead letters" }),
  },
  examples: [
    { line: "redis-batch dead-letters list orders billing", does: "the oldest fifty" },
    {
      line: "redis-batch dead-letters list orders billing --reason maxDeliveries --since 1h",
      does: "messages that failed too often in the last hour",
    },
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
  about: ["In the form that redis-cli accepts: a name with special characters is quoted. Connects to no server."],
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
  ],
  args: [...ADDRESS, IDS],
  options: {
    ...LETTER_OPTIONS,
    all: ALL,
    limit: LIMIT,
    "if-trimmed": flagOf(REDRIVE_SPEC.ifTrimmed),
    ...PLAN_OPTIONS,
  },
  examples: [
    { line: "redis-batch dead-letters redrive orders billing --reason maxDeliveries", does: "show the plan" },
    { line: "redis-batch dead-letters redrive orders billing --reason maxDeliveries --yes", does: "carry it out" },
  ],
  connects: true,
  drains: true,
});

export const discard = defineCommand({
  path: ["dead-letters", "discard"],
  summary: "Delete dead letters permanently",
  args: [...ADDRESS, IDS],
  options: { ...LETTER_OPTIONS, all: ALL, limit: LIMIT, ...PLAN_OPTIONS },
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
