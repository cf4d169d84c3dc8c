import { type ErrorCode, RedisBatchError } from "./errors.ts";

/** An error as events tell it: never the error object, which may be kept, and never a payload. */
export interface Trouble {
  readonly code: ErrorCode | "UNKNOWN";
  readonly message: string;
}

export function describeTrouble(error: unknown): Trouble {
  if (RedisBatchError.is(error)) return { code: error.code, message: error.message };
  return { code: "UNKNOWN", message: error instanceof Error ? error.message : String(error) };
}
