/** What a scaler without an observer says of trouble. */
import { describeConnectionEvent } from "@redis-batch/core/internal";
import type { ScalerEvent } from "./events.ts";

/** What needs attention in an event; `undefined`: nothing does. */
export function describeProblem(event: ScalerEvent): string | undefined {
  switch (event.type) {
    case "connectFailed":
      return describeConnectionEvent(event);
    case "passFailed":
      return `looking at the group failed, next attempt in ${Math.round(event.retryInMs)} ms: ${event.error.message}`;
    case "scaleFailed":
      return `${event.executor} could not go from ${event.from} to ${event.to} consumers: ${event.error.message}`;
    default:
      return undefined;
  }
}
