/** Servers that do not take a stream's messages now, as if they were not there. */
import { ServerStateError } from "./errors.ts";

/**
 * What a server says that is not, or not yet, the one for this stream: it was demoted or loads its data, or a Cluster
 * moves the stream or has lost its master. Other refusals (out of memory, cannot save) are of a server that is there.
 */
const STATES = new Set(["ASK", "CLUSTERDOWN", "LOADING", "MASTERDOWN", "MOVED", "READONLY", "TRYAGAIN"]);

/** Whether a command was refused because no server serves its stream now. It was not executed. */
export function isAway(error: unknown): error is ServerStateError {
  return ServerStateError.is(error) && STATES.has(error.state);
}
