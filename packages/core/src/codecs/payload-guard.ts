/** Keeps payloads out of errors, and so out of logs. */
import { types } from "node:util";
import { PayloadError, RedisBatchError } from "../errors/errors.ts";
import { framesOf, isError, isThenable, letGo } from "../errors/thrown.ts";

/**
 * Runs code that handles a payload and may be the application's own. An error of Redis Batch passes; of any other only
 * class and stack go on, because messages like those of `JSON.parse` quote what they complain about. A promise is
 * refused, and how it ends is of no interest any more: nobody here waits for one.
 *
 * @throws {PayloadError} when `run` throws something that is no error of Redis Batch, or gives a promise
 */
export function guardPayload<Result>(step: "encoding" | "decoding" | "validation", run: () => Result): Result {
  const result = attempt(step, run);
  refusePromise(step, result);
  return result;
}

/**
 * Refuses a promise where nobody waits for one.
 *
 * @throws {PayloadError} when it is one
 */
export function refusePromise(step: "encoding" | "decoding" | "validation", result: unknown): void {
  if (!isThenable(result)) return;
  letGo(result);
  throw new PayloadError(
    `${step} gave a promise, which nobody here can wait for: make it synchronous, and await what has to be awaited before ` +
      "the message is added, or in the handler",
  );
}

function attempt<Result>(step: string, run: () => Result): Result {
  try {
    return run();
  } catch (error) {
    if (RedisBatchError.is(error)) throw error;
    throw new PayloadError(
      `${step} threw ${isError(error) ? `an error of class ${classOf(error)}` : describeShape(error)}, ` +
        "whose message is left out because it may quote the payload; throw a PayloadError to say more",
      isError(error) ? { cause: withoutMessage(error) } : {},
    );
  }
}

/** What kind of value this is, without a word of what it holds. */
export function describeShape(value: unknown): string {
  if (value === null) return "null";
  if (value === undefined) return "undefined";
  try {
    if (Array.isArray(value)) return "an array";
    if (types.isUint8Array(value)) return "bytes";
  } catch {
    // A proxy that has been revoked, or whose traps throw.
  }
  if (typeof value === "object") return "an object";
  return typeof value === "string" ? "text" : `a ${typeof value}`;
}

function withoutMessage(error: Error): Error {
  const copy = new Error("message left out");
  copy.name = classOf(error);
  copy.stack = `${copy.name}: ${copy.message}${framesOf(error)}`;
  return copy;
}

function classOf(error: Error): string {
  try {
    const { name }: { readonly name: unknown } = error.constructor;
    return typeof name === "string" ? name : "Error";
  } catch {
    return "Error";
  }
}
