/** Process warnings of a scaler without an observer. */
import { describeCount } from "@redis-batch/core/internal/errors";
import { describeConnectionEvent } from "@redis-batch/core/internal/service";
import type { ScalerEvent } from "./events.ts";

/** The warning for an event; `undefined`: none. */
export function describeProblem(event: ScalerEvent): string | undefined {
  switch (event.type) {
    case "connectFailed":
      return describeConnectionEvent(event);
    case "passFailed":
      return `reading the group failed, retrying in ${Math.round(event.retryInMs)} ms: ${event.error.message}`;
    case "scaleFailed":
      return `${event.executor} could not go from ${event.from} to ${describeCount(event.to, "consumer")}: ${event.error.message}`;
    default:
      return undefined;
  }
}
