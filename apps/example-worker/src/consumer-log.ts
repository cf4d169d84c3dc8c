import type { ConsumerEvent, Observer } from "@redis-batch/consumer";
import type { Log, LogLevel } from "./log.ts";

// Events that are not listed are logged at "info". The handler logs a line per batch; these would repeat it.
const LEVELS: { readonly [Type in ConsumerEvent["type"]]?: LogLevel | "off" } = {
  read: "off",
  batch: "off",
  batchEnded: "off",
  acknowledged: "off",
  connectFailed: "warn",
  disconnected: "warn",
  readFailed: "warn",
  ackFailed: "warn",
  ackIncomplete: "warn",
  heartbeatFailed: "warn",
  deadLetterFailed: "warn",
  deadLettered: "warn",
  recoveryFailed: "warn",
  renewFailed: "warn",
  readStalled: "warn",
  eventLoopDelayed: "warn",
  outcomeTooLate: "warn",
  pendingTrimmed: "warn",
  nothingSettled: "warn",
  streamFailed: "error",
  keysMissing: "error",
  handlerFailed: "error",
  failed: "error",
};

/** Writes the consumer's events to the log. */
export function logConsumerEvents(log: Log): Observer<ConsumerEvent> {
  return (event) => {
    const { type, ...fields } = event;
    const level = levelOf(event);
    // Anything can be thrown, such as the contents of a message; only an error's message is meant for a log.
    const isNoError = event.type === "handlerFailed" && !(event.error instanceof Error);
    if (level !== "off")
      log(level, type, isNoError ? { ...fields, error: "the thrown value is not an error" } : fields);
  };
}

function levelOf(event: ConsumerEvent): LogLevel | "off" {
  // The end of a connection that we closed ourselves says nothing new after "stopped".
  if (event.type === "disconnected" && event.reason === "closed") return "off";
  return LEVELS[event.type] ?? "info";
}
