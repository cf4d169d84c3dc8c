/** Process warnings of a consumer without an observer. */

import { describeCount, describeMessages, describeThrown, placeOf } from "@redis-batch/core/internal/errors";
import { describePause, describeRate } from "@redis-batch/core/internal/groups";
import { quoteName } from "@redis-batch/core/internal/names";
import { describeConnectionEvent } from "@redis-batch/core/internal/service";
import type { ConsumerEvent, StreamEvent } from "./events.ts";

/** The same for a consumer of several streams: says which one it is about. */
export function describeProblemOfStream(event: ConsumerEvent): string | undefined {
  const problem = describeProblem(event);
  return problem === undefined || !("stream" in event) ? problem : `${quoteName(event.stream)}: ${problem}`;
}

/** The warning for an event; `undefined`: none. */
export function describeProblem(event: ConsumerEvent | StreamEvent): string | undefined {
  switch (event.type) {
    case "connectFailed":
      return describeConnectionEvent(event);
    case "streamFailed":
      return `this stream cannot be worked on, trying again in ${Math.round(event.retryInMs)} ms; the other streams go on: ${event.error.message}`;
    case "keysMissing":
      return `none of the first ${event.messages} messages has the key that orderBy names, so they are not kept in order; with a codec, properties of the value are no fields: give orderBy a function`;
    case "partitionKeysMissing":
      return `none of the first ${event.messages} messages was added with a key, so messages that belong together are in different partitions, and not in order: use producer.add(value, { key })`;
    case "handlerFailed": {
      return `the handler failed on a batch of ${event.messages}; messages that it did not acknowledge are redelivered: ${describeThrown(event.error)} ${placeOf(event.error)}`.trimEnd();
    }
    case "backingOff":
      return `every batch fails, so the messages are not the cause: trying one at a time, the next in ${Math.round(event.retryInMs)} ms`;
    case "nothingSettled":
      return `the handler returned without acknowledging any message of a batch of ${event.messages}; all are redelivered`;
    case "readFailed":
      return `reading failed, retrying in ${Math.round(event.retryInMs)} ms: ${event.error.message}`;
    case "partitionLost":
      return `partition ${event.partition} was lost, because its ownership was not renewed in time`;
    case "readStalled":
      return `nothing could be read for ${Math.round(event.silentMs)} ms${event.error === null ? "" : `: ${event.error.message}`}`;
    case "eventLoopDelayed":
      return `the event loop was blocked for ${Math.round(event.delayMs)} ms, during which no lease is renewed: move long computations to a worker thread, take smaller batches, or raise leaseMs`;
    case "ackFailed":
      return `acknowledging ${describeMessages(event.messages)} failed, retrying in ${Math.round(event.retryInMs)} ms: ${event.error.message}`;
    case "renewFailed":
      return `renewing leases failed, retrying in ${Math.round(event.retryInMs)} ms: ${event.error.message}`;
    case "heartbeatFailed":
      return `the heartbeat failed: ${event.error.message}`;
    case "recoveryFailed":
      return `claiming messages of dead consumers failed: ${event.error.message}`;
    case "releaseFailed":
      return `releasing ${describeMessages(event.messages)} failed, retrying in ${Math.round(event.retryInMs)} ms: ${event.error.message}`;
    case "delaysInMemory":
      return `delays cannot be stored in Redis, so they end with this process: ${event.error.message}`;
    case "heldTooLong":
      return `a handler hangs (${event.hung} in total): it has not finished its batch within maxHoldMs; ${describeMessages(event.messages)} without an outcome ${wereOf(event.messages)} released to the group`;
    case "unfit":
      return `this process is broken: ${describeMessages(event.succeededElsewhere)} that failed here ${wereOf(event.succeededElsewhere)} acknowledged by other consumers; it tries one message at a time`;
    case "intakeHeld":
      return event.by === "ahead-of-stream"
        ? "the group's position is ahead of the stream's last entry, so new messages are not delivered: move it back with XGROUP SETID"
        : undefined;
    case "rateLimitDiffers":
      return `the option rateLimit is ${describeRate(event.own)}, but the group has ${describeRate(event.group)}, which counts: change the option, or the group with redis-batch group rate`;
    case "groupPaused":
      return `the group is ${describePause(event)}: no new messages until it is resumed${event.untilMs === null ? "" : `, at ${new Date(event.untilMs).toISOString()} at the latest`}`;
    case "deadLetterFailed":
      return `moving ${describeMessages(event.messages)} to the dead letters failed, retrying in ${Math.round(event.retryInMs)} ms: ${event.error.message}`;
    case "deadLettered":
      return event.why === "rejected"
        ? undefined
        : `message ${event.id} went to the dead letters (${event.why})${event.error === "" ? "" : `: ${event.error}`}`;
    case "groupCreated":
      return event.recreated ? `the consumer group was deleted, and was created again at ${event.position}` : undefined;
    case "outOfOrder":
      return `message ${event.id} was acknowledged before ${event.after}, an earlier one of its key`;
    case "outcomeTooLate":
      return `${describeMessages(event.ids.length)} no longer ${event.ids.length === 1 ? "belongs" : "belong"} to this consumer (${event.why}): ${event.ids.slice(0, 3).join(", ")}`;
    case "laterLost":
      return `another client removed the consumer rb:later, and with it ${describeCount(event.ids.length, "deferred message")}: ${event.ids.slice(0, 3).join(", ")}`;
    case "pendingTrimmed":
      return `${describeCount(event.ids.length, "pending message")} ${wereOf(event.ids.length)} deleted from the stream: ${event.ids.slice(0, 3).join(", ")}`;
    case "failed":
      return `the consumer has failed: ${event.error.message}`;
    default:
      return undefined;
  }
}

const wereOf = (count: number): string => (count === 1 ? "was" : "were");
