/** Events as lines of a structured log, for whatever logger an application has. */
import { toErrorInfo } from "../errors/error-info.ts";
import { describeThrown, isError, placeOf } from "../errors/thrown.ts";
import type { Observer } from "./observer.ts";

export type LogLevel = "debug" | "info" | "warn" | "error";

/**
 * Writes one line. `message` is the event in words, `fields` has the event's `type` as `event`, and its other fields. No event
 * has a payload in it; the errors that a handler throws may quote one.
 */
export type WriteLog = (level: LogLevel, message: string, fields: Readonly<Record<string, unknown>>) => void;

export interface LogObserverOptions {
  /** The level of single events, by type; `"silent"`: not written. Others keep theirs: `docs/events.md`. */
  readonly levels?: Readonly<Record<string, LogLevel | "silent">> | undefined;
}

/** What `pinoObserver` uses of a logger. */
export type ObjectFirstLogger = {
  readonly [Level in LogLevel]: (fields: Readonly<Record<string, unknown>>, message: string) => void;
};

// What comes with every batch or pass while all is well.
const OFTEN = new Set([
  ...["acknowledged", "added", "batch", "batchEnded", "decided", "delivered", "inspected", "looked", "read"],
]);
// The marked ones of docs/events.md.
const WARNINGS = new Set([
  ...["ackFailed", "backingOff", "connectFailed", "deadLetterFailed", "delaysInMemory", "eventLoopDelayed"],
  ...[
    "groupPaused",
    "handlerFailed",
    "heartbeatFailed",
    "heldTooLong",
    "keysMissing",
    "laterLost",
    "leftPending",
    "lookFailed",
    "partitionKeysMissing",
  ],
  ...[
    "messagesLost",
    "nothingSettled",
    "outOfOrder",
    "outcomeTooLate",
    "partitionLost",
    "passFailed",
    "pendingTrimmed",
    "readFailed",
  ],
  ...[
    "rateLimitDiffers",
    "readStalled",
    "recoveryFailed",
    "releaseFailed",
    "renewFailed",
    "requestFailed",
    "scaleFailed",
    "streamFailed",
  ],
  ...["undelivered", "unfit", "unguarded", "workerKilled"],
]);
// Those that are marked, and are a warning only if something is wrong.
const IN_PART: Readonly<Record<string, (event: Readonly<Record<string, unknown>>) => boolean>> = {
  deadLettered: ({ why }) => why !== "rejected",
  groupCreated: ({ recreated }) => recreated === true,
  intakeHeld: ({ by }) => by === "ahead-of-stream",
  workerEnded: ({ wasAsked }) => wasAsked !== true,
};

/**
 * An observer for any service that writes each event as one line.
 *
 * @example
 * // winston
 * const observer = logObserver((level, message, fields) => logger.log(level, message, fields));
 * // the console
 * const observer = logObserver((level, message, fields) => console[level](message, fields));
 */
export function logObserver(
  write: WriteLog,
  { levels = {} }: LogObserverOptions = {},
): Observer<{ readonly type: string }> {
  return (event) => {
    const { type, ...fields } = event as { readonly type: string } & Readonly<Record<string, unknown>>;
    const level = Object.hasOwn(levels, type) ? (levels[type] ?? "silent") : levelOf(event);
    if (level === "silent") return;
    write(level, wordsOf(type), {
      ...{ event: type, ...fields },
      // All others have only plain data.
      ...(type === "handlerFailed" && { error: plain(fields["error"]) }),
    });
  };
}

/**
 * The same for pino, and for loggers that take fields first as pino does (bunyan, Fastify's).
 *
 * @example
 * const consumer = new Consumer({ redis, stream, group, observer: pinoObserver(logger) });
 */
export function pinoObserver(
  logger: ObjectFirstLogger,
  options: LogObserverOptions = {},
): Observer<{ readonly type: string }> {
  return logObserver((level, message, fields) => logger[level](fields, message), options);
}

function levelOf(event: { readonly type: string }): LogLevel {
  const { type } = event;
  if (type === "failed") return "error";
  // Its own end, after "stopped" or "closed".
  if (type === "disconnected" && "reason" in event && event.reason === "closed") return "debug";
  if (Object.hasOwn(IN_PART, type)) return IN_PART[type]?.(event) === true ? "warn" : "info";
  if (WARNINGS.has(type)) return "warn";
  return OFTEN.has(type) ? "debug" : "info";
}

/** `handlerFailed` → "handler failed". */
const wordsOf = (type: string): string => type.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

/** Of an error object loggers show all sorts of things, or nothing. What is thrown and no error may be the payload itself. */
const plain = (thrown: unknown): object =>
  isError(thrown)
    ? { ...toErrorInfo(thrown), message: describeThrown(thrown), at: placeOf(thrown) }
    : { code: "UNKNOWN", message: "the thrown value is not an error" };
