/** Process warnings of a monitor without an observer. */

import { describeMessages } from "@redis-batch/core/internal/errors";
import { quoteName } from "@redis-batch/core/internal/names";
import { describeConnectionEvent } from "@redis-batch/core/internal/service";
import type { MonitorEvent } from "./events.ts";

/** The warning for an event; `undefined`: none. */
export function describeProblem(event: MonitorEvent): string | undefined {
  switch (event.type) {
    case "connectFailed":
      return describeConnectionEvent(event);
    case "passFailed":
      return `reading the stream failed, retrying in ${Math.round(event.retryInMs)} ms: ${event.error.message}`;
    case "leftPending":
      return `${describeMessages(event.messages)} ${event.messages === 1 ? "stays" : "stay"} with the consumer ${quoteName(event.consumer)}: ${event.reason}`;
    case "messagesLost":
      return `messages that the group ${quoteName(event.group)} still needed were removed from the stream`;
    default:
      return undefined;
  }
}
