import { RedisBatchError, ServerStateError } from "@redis-batch/core";

/** An error as events tell it: never the error object, which may be kept, and never a payload. */
export interface Trouble {
  readonly code: RedisBatchError["code"] | "UNKNOWN";
  readonly message: string;
}

export function describeTrouble(error: unknown): Trouble {
  if (RedisBatchError.is(error)) return { code: error.code, message: error.message };
  return { code: "UNKNOWN", message: error instanceof Error ? error.message : String(error) };
}

/** Whether the server refused because its memory is full: it creates nothing then, but reads, claims and acknowledges. */
export function isFullServer(error: unknown): boolean {
  return ServerStateError.is(error) && error.state === "OOM";
}
