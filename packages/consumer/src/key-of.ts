/** The key of a message, by the option `orderBy`. */
import { PayloadError } from "@redis-batch/core";
import { messageOf } from "@redis-batch/core/internal/errors";
import { describeShape } from "@redis-batch/core/internal/messages";
import type { Message } from "./message.ts";
import type { ConsumerPolicy } from "./options.ts";

/**
 * Its key; `undefined` if it has none.
 *
 * @throws {PayloadError} when the function throws, or returns something else than a text or nothing: nobody knows what it must wait for
 */
export function keyOf(
  message: Message<unknown>,
  orderBy: NonNullable<ConsumerPolicy<unknown>["orderBy"]>,
): string | undefined {
  if (typeof orderBy === "string") return message.field(orderBy);
  let key: unknown;
  try {
    // It is for the values that the codec makes, as the types of the options say.
    key = orderBy(message as Message<never>);
  } catch (error) {
    throw new PayloadError(`message ${message.id}: orderBy: ${messageOf(error)}`, { entryId: message.id });
  }
  if (typeof key === "string") return key;
  if (key === null || key === undefined) return undefined;
  // One that is rejected must not end the process.
  if (key instanceof Promise) key.catch(() => {});
  throw new PayloadError(`message ${message.id}: orderBy returned ${describeShape(key)} instead of a text or null`, {
    entryId: message.id,
  });
}
