/** Tells a server whose memory is full from one that refuses for other reasons. */
import { ServerStateError } from "@redis-batch/core";

/** Whether the server refused because its memory is full. It then creates nothing, but still reads, claims and acknowledges. */
export function isFullServer(error: unknown): boolean {
  return ServerStateError.is(error) && error.state === "OOM";
}
