/** What a monitor without an observer says of trouble. */
import { describeConnectionEvent, quoteName } from "@redis-batch/core/internal";
import type { MonitorEvent } from "./events.ts";

/** What needs attention in an event; `undefined`: nothing does. */
export function describeProblem(event: MonitorEvent): string | undefined {
  switch (event.type) {
    case "connectFailed":
      return describeConnectionEvent(event);
    case "passFailed":
      return `looking at the stream failed, next attempt in ${Math.round(event.retryInMs)} ms: ${event.error.message}`;
    case "leftPending":
      return `${event.messages} messages stay with the consumer ${quoteName(event.consumer)}: ${event.reason}`;
    case "messagesLost":
      return `messages were removed from the stream that the group ${quoteName(event.group)} still needed`;
    default:
      return undefined;
  }
}
