/** What a producer says of a message that waited for a server. */
import { ConnectionError, RedisBatchError } from "../errors/errors.ts";
import { isAway } from "../errors/is-away.ts";

/** The error of a message that waited for a server without success. */
export function notAdded(cause: unknown): ConnectionError {
  const why = RedisBatchError.is(cause) ? ` ${cause.message}` : "";
  return new ConnectionError(
    `add: not sent, because ${isAway(cause) ? "no server took the stream's messages" : "there was no connection"} in time; ` +
      `it is safe to add it again.${why}`,
    { outcome: "not-sent", cause },
  );
}
