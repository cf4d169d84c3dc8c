import { ServerStateError } from "@redis-batch/core";

export { type ErrorInfo, toErrorInfo } from "@redis-batch/core/internal";

/** Whether the server refused because its memory is full: it creates nothing then, but reads, claims and acknowledges. */
export function isFullServer(error: unknown): boolean {
  return ServerStateError.is(error) && error.state === "OOM";
}
