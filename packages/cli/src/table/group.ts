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
      about: "what it gets first: start, end, after an id, or what was added since 2h (ago) or 2026-01-31T12:00:00Z",
    },
    "create-stream": { kind: "flag", about: "create the stream, too, when it is missing" },
    ...PLAN_OPTIONS,
  },
  examples: [{ line: "redis-batch group create orders audit --from 1d --yes", does: "the last day, and what comes" }],
  connects: true,
});

export const seek = defineCommand({
  path: ["group", "seek"],
  summary: "Move a group's position in its stream",
  about: [
    "Backwards, messages are delivered once more to the group. Forwards, unread messages are passed over, and never delivered to it; that needs --skip-unread. What is pending stays pending either way.",
  ],
  args: [...ADDRESS],
  options: {
    to: {
      kind: "text",
      value: "position",
      about: "start, end, after an id, or what was added since 2h (ago) or 2026-01-31T12:00:00Z",
    },
    "skip-unread": { kind: "flag", about: "allow it to pass over messages that the group has not read" },
    ...PLAN_OPTIONS,
  },
  examples: [
    { line: "redis-batch group seek orders audit --to 2h", does: "the plan: what would come again" },
    { line: "redis-batch group seek orders audit --to end --skip-unread --yes", does: "forget the backlog" },
  ],
  connects: true,
});

export const remove = defineCommand({
  path: ["group", "delete"],
  summary: "Delete a consumer group",
  about: [
    "Its position and its pending list go, and so does what was kept about it: the consumers' registry, leases, the scaler's memory and audit log. The stream, other groups and the group's dead letters stay (`dead-letters discard`). Refused while consumers are alive. While messages are pending or unread it needs --lose-pending.",
  ],
  args: [...ADDRESS],
  options: {
    "lose-pending": { kind: "flag", about: "delete it although messages are pending or unread" },
    ...PLAN_OPTIONS,
  },
  examples: [{ line: "redis-batch group delete orders old-audit --yes", does: "when it is done with everything" }],
  connects: true,
});

export const reassign = defineCommand({
  path: ["reassign"],
  summary: "Release the pending messages of one consumer, or hand them to another",
  about: [
    "The owner must be dead: its heartbeat must be over, or, where it is not a consumer of Redis Batch, its messages untouched for --min-idle. Without --to the messages are released: any consumer of the group takes them as soon as it has room. With --to one consumer gets them, which must be alive. Delivery counts stay. `cleanup` does it for all dead consumers.",
  ],
  args: [...ADDRESS],
  options: {
    from: { kind: "name", value: "name", about: "the consumer that has them" },
    to: { kind: "name", value: "name", about: "the consumer that gets them; by default any" },
    "min-idle": {
      kind: "duration",
      minMs: 0,
      maxMs: 31_536_000_000,
      default: "10m",
      about: "how long a message of a consumer that is not registered must be untouched",
    },
    "to-unregistered": { kind: "flag", about: "allow a target that is not a consumer of Redis Batch" },
    ...PLAN_OPTIONS,
  },
  examples: [
    { line: "redis-batch reassign orders billing --from pod-7 --yes", does: "pod-7 will not come back" },
    { line: "redis-batch reassign orders billing --from pod-7 --to pod-9 --yes", does: "pod-9 gets all of it" },
  ],
  connects: true,
  drains: true,
});
