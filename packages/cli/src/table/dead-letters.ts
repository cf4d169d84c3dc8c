import { defineCommand } from "../command-line/spec.ts";
import { LETTER_OPTIONS, PLAN_OPTIONS } from "./shared.ts";

const ADDRESS = [
  { name: "stream", isName: true, about: "the stream's key" },
  { name: "group", isName: true, about: "the consumer group" },
] as const;
const IDS = { name: "id", about: "the ids of letters, as `list` shows them", optional: true, many: true } as const;
const ALL = { kind: "flag", about: "every letter" } as const;
const LIMIT = {
  kind: "number",
  value: "n",
  min: 1,
  max: 100_000,
  default: 1_000,
  about: "at most so many letters",
} as const;

export const list = defineCommand({
  path: ["dead-letters", "list"],
  summary: "List the dead letters of a group",
  args: [...ADDRESS],
  options: {
    ...LETTER_OPTIONS,
    from: { kind: "text", value: "id", about: "begin at this letter: where the page before ended" },
    limit: { kind: "number", value: "n", min: 1, max: 10_000, default: 50, about: "at most so many" },
  },
  examples: [
    { line: "redis-batch dead-letters list orders billing", does: "the oldest fifty" },
    {
      line: "redis-batch dead-letters list orders billing --reason maxDeliveries --since 1h",
      does: "what failed too often lately",
    },
  ],
  connects: true,
});

export const show = defineCommand({
  path: ["dead-letters", "show"],
  summary: "Show one dead letter: its fields and its history",
  about: ["Of a value only the first 500 characters are shown; with --json all of it."],
  args: [...ADDRESS, { name: "id", about: "the letter's id, as `list` shows it" }],
  options: {},
  examples: [
    { line: "redis-batch dead-letters show orders billing 1700000000000-0", does: "its fields and its history" },
  ],
  connects: true,
});

export const key = defineCommand({
  path: ["dead-letters", "key"],
  summary: "Print the key of the stream that holds a group's dead letters",
  about: ["As redis-cli takes it: a name that is not plain stands in quotes. No server is asked."],
  args: [...ADDRESS],
  options: {},
  examples: [
    { line: "redis-batch dead-letters key shop:orders billing", does: "rb:{shop:orders}:dead:shop%3Aorders:billing" },
  ],
  connects: false,
});

export const redrive = defineCommand({
  path: ["dead-letters", "redrive"],
  summary: "Give dead letters back to their group",
  about: [
    "Each becomes pending again as the entry it always was, for this group only, and with a delivery count of 0. A letter whose entry has left the stream stays, unless --if-trimmed add has it added anew, for every group.",
  ],
  args: [...ADDRESS, IDS],
  options: {
    ...LETTER_OPTIONS,
    all: ALL,
    limit: LIMIT,
    "if-trimmed": {
      kind: "choice",
      choices: ["skip", "add"],
      default: "skip",
      about: "when the entry has left the stream",
    },
    ...PLAN_OPTIONS,
  },
  examples: [
    { line: "redis-batch dead-letters redrive orders billing --reason maxDeliveries", does: "the plan" },
    { line: "redis-batch dead-letters redrive orders billing --reason maxDeliveries --yes", does: "carried out" },
  ],
  connects: true,
  drains: true,
});

export const discard = defineCommand({
  path: ["dead-letters", "discard"],
  summary: "Delete dead letters for good",
  args: [...ADDRESS, IDS],
  options: { ...LETTER_OPTIONS, all: ALL, limit: LIMIT, ...PLAN_OPTIONS },
  examples: [
    { line: "redis-batch dead-letters discard orders billing --before 30d", does: "the plan: how many, and which" },
    { line: "redis-batch dead-letters discard orders billing 1700000000000-0 --yes", does: "one, at once" },
  ],
  connects: true,
  drains: true,
});
