/** What a scaler without an observer does with what needs attention: it must not go unnoticed. */
import type { ScalerEvent } from "./events.ts";

/** Reports it as process warnings, which Node prints to stderr. Everything else is left out. */
export function warnOfTrouble(event: ScalerEvent): void {
  const text = describe(event);
  if (text !== undefined) process.emitWarning(text, { type: "RedisBatchWarning", code: event.type });
}

function describe(event: ScalerEvent): string | undefined {
  switch (event.type) {
    case "passFailed":
      return `looking at the group failed, next attempt in ${Math.round(event.retryInMs)} ms: ${event.error.message}`;
    case "scaleFailed":
      return `${event.executor} could not go from ${event.from} to ${event.to} consumers: ${event.error.message}`;
    default:
      return undefined;
  }
}
