import { ConnectionError, RedisBatchError } from "../errors/errors.ts";
import type { EntryId } from "../names/entry-id.ts";
import type { WaitOptions } from "../wire/wait.ts";

/**
 * Decides what to say of messages that were added, by how many replicas have confirmed them, or by the error that ended
 * the wait → the error of each; `null` if enough replicas have them.
 */
export function decideDoubt(
  { count, timeoutMs }: WaitOptions,
  confirmed: unknown,
): ((id: EntryId) => ConnectionError) | null {
  if (typeof confirmed === "number" && confirmed >= count) return null;
  const reason =
    typeof confirmed === "number"
      ? `${confirmed} of ${count} replicas confirmed it within ${timeoutMs} ms`
      : `replicas could not be asked for it: ${RedisBatchError.is(confirmed) ? confirmed.message : String(confirmed)}`;
  const cause = typeof confirmed === "number" ? undefined : confirmed;
  return (id) =>
    new ConnectionError(`add: added as ${id}, but ${reason}, so it may be lost if a replica takes over`, {
      outcome: "unknown",
      cause,
    });
}
