import { afterEach, expect, it, vi } from "vitest";
import type { MonitorEvent } from "./events.ts";
import { warnOfTrouble } from "./warn.ts";

const emitted = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
afterEach(() => emitted.mockClear());

it.each<[MonitorEvent, string]>([
  [
    { type: "passFailed", retryInMs: 499.6, error: { code: "CONNECTION", message: "gone" } },
    "looking at the stream failed, next attempt in 500 ms: gone",
  ],
  [
    { type: "leftPending", group: "g", consumer: "c", messages: 3, reason: "nobody is there" },
    '3 messages stay with the consumer "c": nobody is there',
  ],
  [
    { type: "messagesLost", group: "g", unread: 3, pending: false },
    'messages were removed from the stream that the group "g" still needed',
  ],
])("warns of %o", (event, text) => {
  warnOfTrouble(event);
  expect(emitted.mock.calls).toEqual([[text, { type: "RedisBatchWarning", code: event.type }]]);
});

it("says nothing where nothing needs attention", () => {
  warnOfTrouble({ type: "closed" });
  warnOfTrouble({ type: "inspected", groups: 1, consumers: 2, durationMs: 3 });
  expect(emitted).not.toHaveBeenCalled();
});
