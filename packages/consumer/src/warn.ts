/** What a consumer without an observer says of trouble. */
import { describeConnectionEvent, describeThrown, placeOf } from "@redis-batch/core/internal";
import type { ConsumerEvent } from "./events.ts";

/** What needs attention in an event; `undefined`: nothing does. */
export function describeProblem(event: ConsumerEvent): string | undefined {
  switch (event.type) {
    case "connectFailed":
      return describeConnectionEvent(event);
    case "handlerFailed": {
      return `the handler failed on a batch of ${event.messages}; what it did not acknowledge comes again: ${describeThrown(event.error)} ${placeOf(event.error)}`.trimEnd();
    }
    case "backingOff":
      return `every batch fails, so the messages are not to blame: one at a time, the next in ${Math.round(event.retryInMs)} ms`;
    case "nothingSettled":
      return `the handler returned without acknowledging any of ${event.messages} messages; they come again`;
    case "readFailed":
      return `reading failed, next attempt in ${Math.round(event.retryInMs)} ms: ${event.error.message}`;
    case "readStalled":
      return `nothing could be read for ${Math.round(event.silentMs)} ms${event.error === null ? "" : `: ${event.error.message}`}`;
    case "eventLoopDelayed":
      return `the event loop stood still for ${Math.round(event.delayMs)} ms, and no lease is renewed meanwhile: move long computations to a worker thread, take smaller batches, or raise leaseMs`;
    case "ackFailed":
      return `acknowledging ${event.messages} messages failed, next attempt in ${Math.round(event.retryInMs)} ms: ${event.error.message}`;
    case "renewFailed":
      return `renewing leases failed, next attempt in ${Math.round(event.retryInMs)} ms: ${event.error.message}`;
    case "heartbeatFailed":
      return `the heartbeat failed: ${event.error.message}`;
    case "recoveryFailed":
      return `looking for messages of dead consumers failed: ${event.error.message}`;
    case "releaseFailed":
      return `giving ${event.messages} messages back to the group failed, next attempt in ${Math.round(event.retryInMs)} ms: ${event.error.message}`;
    case "delaysInMemory":
      return `delays cannot be kept in Redis, so they end with this process: ${event.error.message}`;
    case "heldTooLong":
      return `a handler hangs (${event.hung} in all): it has not finished its batch within maxHoldMs; ${event.messages} messages without an outcome were released to the group`;
    case "unfit":
      return `this process is what is broken: ${event.succeededElsewhere} messages that failed here were acknowledged by other consumers; it tries one message at a time`;
    case "intakeHeld":
      return event.by === "ahead-of-stream"
        ? "the group's position is beyond the stream's last entry, so nothing that is added is ever delivered: set it back with XGROUP SETID"
        : undefined;
    case "deadLetterFailed":
      return `moving ${event.messages} messages to the dead letters failed, next attempt in ${Math.round(event.retryInMs)} ms: ${event.error.message}`;
    case "deadLettered":
      return event.why === "rejected"
        ? undefined
        : `message ${event.id} went to the dead letters (${event.why})${event.error === "" ? "" : `: ${event.error}`}`;
    case "groupCreated":
      return event.recreated
        ? `the consumer group had been deleted and was created again at ${event.position}`
        : undefined;
    case "outcomeTooLate":
      return `${event.ids.length} messages are not this consumer's any more (${event.why}): ${event.ids.slice(0, 3).join(", ")}`;
    case "laterLost":
      return `somebody removed the consumer rb:later, and with it ${event.ids.length} messages that were deferred: ${event.ids.slice(0, 3).join(", ")}`;
    case "pendingTrimmed":
      return `${event.ids.length} pending messages had been deleted from the stream: ${event.ids.slice(0, 3).join(", ")}`;
    case "failed":
      return `the consumer has failed: ${event.error.message}`;
    default:
      return undefined;
  }
}
