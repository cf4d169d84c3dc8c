/** Servers that do not take a stream's messages now, as if they were not there. */
import { ConnectionError, RedisBatchError, ServerStateError } from "../errors/errors.ts";

/**
 * What a server says that is not, or not yet, the one for this stream: it was demoted or loads its data, or a Cluster
 * moves the stream or has lost its master. Other refusals (out of memory, cannot save) are of a server that is there.
 */
const STATES = new Set(["ASK", "CLUSTERDOWN", "LOADING", "MASTERDOWN", "MOVED", "READONLY", "TRYAGAIN"]);

/** Whether a message was refused because no server takes the stream's messages now. It was not added. */
export function isAway(error: unknown): error is ServerStateError {
  return ServerStateError.is(error) && STATES.has(error.state);
}

/** The error of a message that waited for a server without success. */
export function notAdded(cause: unknown): ConnectionError {
  const why = RedisBatchError.is(cause) ? ` ${cause.message}` : "";
  return new ConnectionError(
    `add: not sent, because ${isAway(cause) ? "no server took the stream's messages" : "there was no connection"} in time; ` +
      `it is safe to add it again.${why}`,
    { outcome: "not-sent", cause },
  );
}
