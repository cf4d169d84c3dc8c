/** Keeps payloads out of errors, and so out of logs. */
import { PayloadError, RedisBatchError } from "./errors.ts";

/**
 * Runs code that handles a payload and may be the application's own. An error of Redis Batch passes; of any other only
 * class and stack go on, because messages like those of `JSON.parse` quote what they complain about.
 *
 * @throws {PayloadError} when `run` throws something that is no error of Redis Batch
 */
export function guardPayload<Result>(step: "encoding" | "decoding" | "validation", run: () => Result): Result {
  try {
    return run();
  } catch (error) {
    if (RedisBatchError.is(error)) throw error;
    throw new PayloadError(
      `${step} threw ${error instanceof Error ? `an error of class ${error.constructor.name}` : describeShape(error)}, ` +
        "whose message is left out because it may quote the payload; throw a PayloadError to say more",
      error instanceof Error ? { cause: withoutMessage(error) } : {},
    );
  }
}

/** What kind of value this is, without a word of what it holds. */
export function describeShape(value: unknown): string {
  if (value === null) return "null";
  if (value === undefined) return "undefined";
  if (Array.isArray(value)) return "an array";
  if (value instanceof Uint8Array) return "bytes";
  if (typeof value === "object") return "an object";
  return typeof value === "string" ? "text" : `a ${typeof value}`;
}

function withoutMessage(error: Error): Error {
  const copy = new Error("message left out");
  copy.name = error.constructor.name;
  // A stack starts with name and message; the message may have lines of its own.
  const frames = error.stack?.slice(error.stack.lastIndexOf(error.message) + error.message.length) ?? "";
  copy.stack = `${copy.name}: ${copy.message}${/^\n {4}at /.test(frames) ? frames : ""}`;
  return copy;
}
