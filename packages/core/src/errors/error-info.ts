import { type ErrorCode, RedisBatchError } from "./errors.ts";
import { messageOf } from "./thrown.ts";

/** An error as events report it: its code and text, never the error object, which may be kept, and never a payload. */
export interface ErrorInfo {
  readonly code: ErrorCode | "UNKNOWN";
  readonly message: string;
}

/** Describes an error, or any other thrown value. Never throws. */
export function toErrorInfo(error: unknown): ErrorInfo {
  return { code: RedisBatchError.is(error) ? error.code : "UNKNOWN", message: messageOf(error) };
}
