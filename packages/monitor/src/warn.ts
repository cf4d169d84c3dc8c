/** What a monitor without an observer does with what needs attention: it must not go unnoticed. */
import { quoteName } from "@redis-batch/core/internal";
import type { MonitorEvent } from "./events.ts";

/** Reports it as process warnings, which Node prints to stderr. Everything else is left out. */
export function warnOfTrouble(event: MonitorEvent): void {
  const text = describe(event);
  if (text !== undefined) process.emitWarning(text, { type: "RedisBatchWarning", code: event.type });
}

function describe(event: MonitorEvent): string | undefined {
  switch (event.type) {
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
