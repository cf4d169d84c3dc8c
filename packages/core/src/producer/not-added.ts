/** What a producer says of a message that waited for a server. */
import { ConnectionError, RedisBatchError } from "../errors/errors.ts";
import { isAway } from "../errors/is-away.ts";

/** The error of a message that waited for a server without success. */
export function notAdded(cause: unknown, reason = reasonOf(cause)): ConnectionError {
  const why = RedisBatchError.is(cause) ? ` ${cause.message}` : "";
  return new ConnectionError(`add: not sent, because ${reason} in time; it is safe to add it again.${why}`, {
    outcome: "not-sent",
    cause,
  });
}

function reasonOf(cause: unknown): string {
  return isAway(cause) ? "no server took the stream's messages" : "there was no connection";
}
