import { expect, it } from "vitest";
import type { MonitorEvent } from "./events.ts";
import { describeProblem } from "./warn.ts";

it.each<[MonitorEvent, string]>([
  [{ type: "connectFailed", reason: "ECONNREFUSED" }, "cannot connect, retrying: ECONNREFUSED"],
  [
    { type: "passFailed", retryInMs: 499.6, error: { code: "CONNECTION", message: "gone" } },
    "reading the stream failed, retrying in 500 ms: gone",
  ],
  [
    { type: "leftPending", group: "g", consumer: "c", messages: 3, reason: "nobody is there" },
    '3 messages stay with the consumer "c": nobody is there',
  ],
  [
    { type: "leftPending", group: "g", consumer: "c", messages: 1, reason: "nobody is there" },
    '1 message stays with the consumer "c": nobody is there',
  ],
  [
    { type: "messagesLost", group: "g", unread: 3, pending: false },
    'messages that the group "g" still needed were removed from the stream',
  ],
])("has words for %o", (event, text) => {
  expect(describeProblem(event)).toBe(text);
});

it.each<MonitorEvent>([{ type: "closed" }, { type: "inspected", groups: 1, consumers: 2, durationMs: 3 }])(
  "has none where nothing needs attention ($type)",
  (event) => {
    expect(describeProblem(event)).toBeUndefined();
  },
);
