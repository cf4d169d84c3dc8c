/** Keeps payloads out of errors, and so out of logs. */
import { types } from "node:util";
import { PayloadError, RedisBatchError } from "../errors/errors.ts";
import { framesOf, isError, isThenable, letGo } from "../errors/thrown.ts";

/**
 * Runs code that handles a payload and may belong to the application. An error of Redis Batch passes; of any other only
 * class and stack are kept, because messages such as those of `JSON.parse` quote the payload. A promise is refused, and
 * its result is ignored, because this code is synchronous.
 *
 * @throws {PayloadError} when `run` throws something that is not an error of Redis Batch, or returns a promise
 */
export function guardPayload<Result>(step: "encoding" | "decoding" | "validation", run: () => Result): Result {
  const result = attempt(step, run);
  refusePromise(step, result);
  return result;
}

/**
 * Refuses a promise where the code is synchronous.
 *
 * @throws {PayloadError} when it is one
 */
export function refusePromise(step: "encoding" | "decoding" | "validation", result: unknown): void {
  if (!isThenable(result)) return;
  letGo(result);
  throw new PayloadError(
    `${step} returned a promise, but it must be synchronous: await asynchronous work before ` +
      "you add the message, or in the handler",
  );
}

function attempt<Result>(step: string, run: () => Result): Result {
  try {
    return run();
  } catch (error) {
    if (RedisBatchError.is(error)) throw error;
    throw new PayloadError(
      `${step} threw ${isError(error) ? `an error of class ${classOf(error)}` : describeShape(error)}, ` +
        "whose message is left out because it may quote the payload; throw a PayloadError to report more",
      isError(error) ? { cause: withoutMessage(error) } : {},
    );
  }
}

/** The kind of a value, without its contents. */
export function describeShape(value: unknown): string {
  if (value === null) return "null";
  if (value === undefined) return "undefined";
  try {
    if (Array.isArray(value)) return "an array";
    if (types.isUint8Array(value)) return "bytes";
  } catch {
    // A revoked proxy, or one whose traps throw.
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
