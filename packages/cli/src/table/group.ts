import { CONSUMER_SPEC } from "@redis-batch/consumer/spec";
import { PAUSE_SPEC } from "@redis-batch/monitor/spec";
import { flagOf } from "../command-line/flag-of.ts";
import { defineCommand } from "../command-line/spec.ts";
import { PLAN_OPTIONS } from "./shared.ts";

const ADDRESS = [
  { name: "stream", isName: true, about: "the stream's key" },
  { name: "group", isName: true, about: "the consumer group" },
] as const;

export const create = defineCommand({
  path: ["group", "create"],
  summary: "Create a consumer group",
  args: [...ADDRESS],
  options: {
    from: {
      kind: "text",
      value: "position",
      default: "start",
      about: "where it starts: start, end, after an id, or with messages added since 2h (ago) or 2026-01-31T12:00:00Z",
    },
    "create-stream": { kind: "flag", about: "also create the stream if it is missing" },
    ...PLAN_OPTIONS,
    yes: { ...PLAN_OPTIONS.yes, about: "not needed here: it loses nothing" },
  },
  examples: [
    { line: "redis-batch group create orders audit --from 1d", does: "messages of the last day, and new ones" },
  ],
  connects: true,
});

export const seek = defineCommand({
  path: ["group", "seek"],
  summary: "Move a group's position in its stream",
  about: [
    "Moving backwards delivers messages to the group again. Moving forwards skips unread messages, which are never delivered to it; that needs --skip-unread. Pending messages stay pending either way.",
  ],
  args: [...ADDRESS],
  options: {
    to: {
      kind: "text",
      value: "position",
      about: "start, end, after an id, or messages added since 2h (ago) or 2026-01-31T12:00:00Z",
    },
    "skip-unread": { kind: "flag", about: "allow it to skip messages that the group has not read" },
    ...PLAN_OPTIONS,
  },
  examples: [
    { line: "redis-batch group seek orders audit --to 2h", does: "show the plan: what would be redelivered" },
    { line: "redis-batch group seek orders audit --to end --skip-unread --yes", does: "skip the backlog" },
  ],
  connects: true,
});

export const remove = defineCommand({
  path: ["group", "delete"],
  summary: "Delete a consumer group",
  about: [
    "Deletes the group's position, its pending list and everything kept about it: the consumers' registry, leases, the scaler's memory and audit log. The stream, other groups and the group's dead letters stay (see `dead-letters discard`). Refuses while consumers are alive. While messages are pending or unread, it needs --lose-pending.",
  ],
  args: [...ADDRESS],
  options: {
    "lose-pending": { kind: "flag", about: "delete it even if messages are pending or unread" },
    ...PLAN_OPTIONS,
  },
  examples: [
    { line: "redis-batch group delete orders old-audit --yes", does: "delete a group that has processed everything" },
  ],
  connects: true,
});

export const pause = defineCommand({
  path: ["group", "pause"],
  summary: "Pause a group for all of its consumers",
  about: [
    "Within a heartbeat (5 s) every consumer stops taking messages, finishes what is open, and releases the rest, uncounted, if another consumer is alive. A consumer that joins meanwhile rests as well, and the scaler keeps the number of consumers. It ends with `group resume`, or by itself after --for. A group that is paused already gets the new pause. Consumers that are not of Redis Batch, or of an earlier version, go on: they are named.",
  ],
  args: [...ADDRESS],
  options: {
    for: flagOf(PAUSE_SPEC.forMs),
    by: flagOf(PAUSE_SPEC.by, { about: "who pauses it; default: your user name and this host" }),
    reason: flagOf(PAUSE_SPEC.reason),
  },
  examples: [
    {
      line: "redis-batch group pause orders billing --for 10m --reason 'the database moves'",
      does: "for ten minutes at most",
    },
  ],
  connects: true,
});

export const resume = defineCommand({
  path: ["group", "resume"],
  summary: "End the pause of a group",
  about: ["The consumers go on within a heartbeat (5 s). Shows the pause that it ended."],
  args: [...ADDRESS],
  options: {},
  examples: [{ line: "redis-batch group resume orders billing", does: "go on" }],
  connects: true,
});

export const rate = defineCommand({
  path: ["group", "rate"],
  summary: "Show or change the rate of a group",
  about: [
    "How many messages all consumers of the group together offer to their handlers in a time, redelivered ones included. It counts for every consumer of this version, whatever its options say; they learn it with their next heartbeat (5 s). Without --messages or --off it only shows the rate.",
  ],
  args: [...ADDRESS],
  options: {
    messages: flagOf(CONSUMER_SPEC.rateLimit.options.messages),
    per: flagOf(CONSUMER_SPEC.rateLimit.options.perMs, { about: "the time in which they are offered" }),
    off: { kind: "flag", about: "no rate, whatever the options of consumers say" },
  },
  examples: [
    { line: "redis-batch group rate orders billing --messages 600 --per 1m", does: "ten per second, for all together" },
    { line: "redis-batch group rate orders billing --off", does: "as fast as they can" },
  ],
  connects: true,
});

export const reassign = defineCommand({
  path: ["reassign"],
  summary: "Release the pending messages of one consumer, or give them to another",
  about: [
    "The consumer must be dead: its heartbeat must have expired, or, if it is not a consumer of Redis Batch, its messages must have been idle for --min-idle. Without --to the messages are released: any consumer of the group claims them as soon as it has room. With --to one consumer gets them; it must be alive. Delivery counts are kept. The plan says how many can move now, and why the others cannot; if a message stays, the exit code is 6. `cleanup` does this for all dead consumers.",
  ],
  args: [...ADDRESS],
  options: {
    from: { kind: "name", value: "name", about: "the consumer that holds the messages" },
    to: { kind: "name", value: "name", about: "the consumer that gets them; default: any" },
    "min-idle": {
      kind: "duration",
      minMs: 0,
      maxMs: 31_536_000_000,
      default: "10m",
      about: "idle time that a message of a consumer that is not of Redis Batch must have",
    },
    "to-unregistered": { kind: "flag", about: "allow a target that is not a consumer of Redis Batch" },
    ...PLAN_OPTIONS,
  },
  examples: [
    { line: "redis-batch reassign orders billing --from pod-7 --yes", does: "release what pod-7 held" },
    { line: "redis-batch reassign orders billing --from pod-7 --to pod-9 --yes", does: "give all of it to pod-9" },
  ],
  connects: true,
  drains: true,
});
